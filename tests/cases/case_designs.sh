# A folder keeps every design that was run in it, and a run's table is that of its own design.
. "$(dirname "$0")/setup.sh"

# Two processes with other settings in one folder at a time: each prints what it prints alone, and
# the file's own design has table.md.
sed -i 's/epochs: 2/epochs: 6/' tiny.yaml
expect 0 "$SENET_EXP" run tiny.yaml --out alone
cp out own
expect 0 "$SENET_EXP" run tiny.yaml train.epochs=1 train.optimizer.lr=0.01 seeds=[1] --out trial
cp out other
timeless() { sed 's/| *[0-9.]* \(s\|min [0-9]* s\) |$//' "$1"; }
"$SENET_EXP" run tiny.yaml --out shared >out1 2>err1 & pid1=$!
wait_for 20 test -e shared/designs/main
"$SENET_EXP" run tiny.yaml train.epochs=1 train.optimizer.lr=0.01 seeds=[1] --out shared >out2 2>err2 & pid2=$!
wait $pid1 || fail "first process: $(cat err1)"
wait $pid2 || fail "second process: $(cat err2)"
for i in 1 2; do
    timeless out$i >now
    if [ $i = 1 ]; then timeless own >want; else timeless other >want; fi
    cmp now want || { cat out$i; fail "process $i printed another table than alone"; }
done
cmp out1 shared/table.md || fail "table.md is not that of the file's own design"
has err2 "table.md is that of another design"
lacks err1 "of another design"
ls shared/designs/*.json >designs
[ "$(wc -l <designs)" = 2 ] || fail "designs: $(cat designs)"

# A trial neither replaces nor hides what the file's own design found.
expect 0 "$SENET_EXP" run tiny.yaml --quiet
cp results/tiny/table.md main.md
cp results/tiny/table.csv main.csv
expect 0 "$SENET_EXP" run tiny.yaml train.optimizer.lr=0.02 seeds=[2]
cp out trial.md
cmp main.md results/tiny/table.md && cmp main.csv results/tiny/table.csv || fail "a trial wrote over the table"
trial=$(cat results/tiny/designs/newest)
main=$(cat results/tiny/designs/main)
cmp trial.md "results/tiny/designs/$trial.md" || fail "the trial's table is not beside its design"
expect 0 "$SENET_EXP" status results/tiny
has out "2 runs: 2 completed"
has out "2 designs were run in results/tiny"
has out "train.optimizer.lr 0.05, seeds 1 2"
expect 0 "$SENET_EXP" status results/tiny --design main
has out "4 runs: 4 completed"
has out "train.optimizer.lr 0.02, seeds 2"
expect 0 "$SENET_EXP" export results/tiny
cmp out trial.md || fail "the newest design is not the default"
has err "2 designs were run in results/tiny"
expect 0 "$SENET_EXP" export results/tiny --design main
cmp out main.md || fail "export --design main"
lacks err "designs"
expect 0 "$SENET_EXP" export results/tiny --design "$(printf %.6s "$main")"
cmp out main.md || fail "export --design DIGEST"
expect 3 "$SENET_EXP" export results/tiny --design x
has err 'no design of results/tiny with "x"; its designs: '
has err "$(printf %.8s "$trial")"

# Nothing runs, nothing is said to: the settings are what they were before the trial.
expect 0 "$SENET_EXP" run tiny.yaml
has err "tiny: 4 runs kept, nothing to train; 2 earlier runs stay outside this table"
lacks err "train.optimizer.lr"
expect 0 "$SENET_EXP" export results/tiny
cmp out main.md || fail "the design that was run last is not the newest"
# What is to be trained differs from the earlier runs of these labels and seeds in the rate alone.
expect 0 "$SENET_EXP" run tiny.yaml train.optimizer.lr=0.02 --quiet
expect 0 "$SENET_EXP" run tiny.yaml train.optimizer.lr=0.03 seeds=[2,3]
has err "tiny: train.optimizer.lr is now 0.03 (was 0.02): 4 runs to train; 8 earlier runs stay outside this table"

# plan sees what is there whatever design made it, under whatever labels.
done_is() { python3 -c 'import json, sys; assert [p["done"] for p in json.load(open("out"))] == eval(sys.argv[1])' "$1" || { cat out >&2; fail "plan does not see $1"; }; }
expect 0 "$SENET_EXP" plan tiny.yaml seeds=[1,2,3] --json
done_is '[2, 2]'
sed 's/^sweep:/variants:/; s/^  model.se.reduction: .*/  plain: {model.se.reduction: none}\n  squeezed: {model.se.reduction: 4}\n  wide: {model.se.reduction: 1}/; s/^baseline.*/baseline: plain/' tiny.yaml >named.yaml
expect 0 "$SENET_EXP" plan named.yaml --json
done_is '[2, 2, 0]'
expect 0 "$SENET_EXP" plan named.yaml
has out "6 runs, 2 of them waiting"
expect 0 "$SENET_EXP" run named.yaml
has err "4 runs kept, 2 to train"

# More of the same is the main design from then on, whatever it was called with.
expect 0 "$SENET_EXP" run tiny.yaml train.epochs=1 --out more -q
expect 0 "$SENET_EXP" run tiny.yaml train.epochs=1 seeds=[1] --out more -q
! cmp -s out more/table.md || fail "a part of a design replaced its table"
expect 0 "$SENET_EXP" run tiny.yaml train.epochs=1 seeds=[1,2,3] --out more -q
cmp out more/table.md || fail "a design with more seeds did not replace the table"

# An edited design is refused by name; a folder of one experiment.json is read, and adopted.
sed -i 's/reduction=4/reduction=5/' "results/tiny/designs/$main.json"
expect 3 "$SENET_EXP" export results/tiny --design "$main"
has err "results/tiny/designs/$main.json: edited or cut"
expect 0 "$SENET_EXP" status results/tiny
has out "results/tiny/designs/$main.json: edited or cut"
expect 0 "$SENET_EXP" run tiny.yaml -q
expect 0 "$SENET_EXP" export results/tiny --design "$main"
mkdir early
cp -r alone/runs early
cp alone/designs/*.json early/experiment.json
expect 0 "$SENET_EXP" export early
cmp out alone/table.md || fail "experiment.json is not read"
cp alone/table.md early
expect 0 "$SENET_EXP" run tiny.yaml train.optimizer.lr=0.02 seeds=[2] --out early -q
cmp early/table.md alone/table.md || fail "the design of experiment.json lost its table"
[ ! -e early/experiment.json ] || fail "experiment.json stayed"
expect 0 "$SENET_EXP" export early --design main
cmp out alone/table.md || fail "experiment.json is not the main design"

# Which is the newest is not guessed.
rm early/designs/newest
expect 3 "$SENET_EXP" status early
has err "early: which of its designs is the newest one is not known"
