# What goes wrong is said, recorded where it belongs, and stops nothing else.
. "$(dirname "$0")/setup.sh"

# An arm that diverges: recorded, the other one goes on, the table says n*.
sed 's/model.se.reduction: \[none, 4\]/train.optimizer.lr: [0.05, 100000]/; s/^baseline.*/baseline: {train.optimizer.lr: 0.05}/' tiny.yaml >huge.yaml
expect 1 "$SENET_EXP" run huge.yaml
has err "diverged at step"
[ "$(statuses results/tiny)" = " 2 completed
 2 diverged" ] || fail "statuses: $(statuses results/tiny)"
has out "*"
expect 1 "$SENET_EXP" run huge.yaml
has err "4 runs kept"

# No data: the file is named, nothing is made.
expect 3 "$SENET_EXP" run tiny.yaml dataset.name=idx dataset.path="$scratch/nowhere" dataset.classes=10 --out none
has err "$scratch/nowhere"
[ ! -e none/runs ] || fail "runs without data"

# No place for results.
: >file
expect 3 "$SENET_EXP" run tiny.yaml --out file/below
has err "file/below"
if [ "$(id -u)" != 0 ]; then
    mkdir closed && chmod a-w closed
    expect 3 "$SENET_EXP" run tiny.yaml --out closed/below
    has err "closed/below"
fi

# A damaged record is named, and not overwritten.
expect 0 "$SENET_EXP" run tiny.yaml --out damaged
record=$(ls damaged/runs/*.json | head -n 1)
printf '{"version": 1' >"$record"
expect 3 "$SENET_EXP" run tiny.yaml --out damaged
has err "$record"
rm "$record"
expect 0 "$SENET_EXP" run tiny.yaml --out damaged
sed -i 's/"top1":\t[0-9.]*/"top1":\t2.5/' "$record"
for command in export status; do
    expect 3 "$SENET_EXP" $command damaged
    has err "$record: edited or cut since it was written"
done

# No results, no experiment, no such format.
expect 3 "$SENET_EXP" status nowhere
has err "nowhere is not a results folder"
expect 3 "$SENET_EXP" export nowhere
expect 2 "$SENET_EXP" run nowhere.yaml
has err "nowhere.yaml"
expect 2 "$SENET_EXP" run tiny.yaml train.epoch=3
has err "did you mean"
