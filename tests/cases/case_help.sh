# Help, lists, version; what is refused on the command line, and how.
. "$(dirname "$0")/setup.sh"

for command in run sweep plan status export prune describe bench list help; do
    expect 0 "$SENET_EXP" help "$command"
    has out "usage: senet-exp $command"
    cp out first
    expect 0 "$SENET_EXP" "$command" --help
    [ "$command" = help ] || cmp out first || fail "help $command and $command --help differ"
done
expect 0 "$SENET_EXP" --help
has out "describe"
expect 0 "$SENET_EXP" --version
grep -Eq "^senet-exp [0-9.]+ \(([0-9a-f]{12}(-dirty)?|unknown)\)$" out || fail "--version: $(cat out)"

for topic in backbones datasets settings presets; do
    (cd "$root" && "$SENET_EXP" list $topic) >out || fail "list $topic"
    (cd "$root" && "$SENET_EXP" list $topic --json) >json || fail "list $topic --json"
    lines=$(($(wc -l <out) - 1))
    python3 -c 'import json, sys; assert len(json.load(open("json"))) == int(sys.argv[1])' "$lines" ||
        fail "list $topic: text and JSON differ"
done
"$SENET_EXP" list settings >out
for key in dataset.path augment.flip model.backbone model.se.squeeze train.epochs train.optimizer.lr train.schedule.name; do
    has out "$key "
done

for key in experiment question extends mirrors sweep variants baseline seeds; do
    grep -q "^$key  " out || fail "list settings has no $key"
done
has out "one of: constant step cosine onecycle"

# A preset is known by its name, but a file of that name comes first.
(cd "$root" && "$SENET_EXP" plan cifar10/table11) >out || fail "plan cifar10/table11"
has out "results/cifar10-squeeze"
sed 's/^experiment.*/experiment: mine/' tiny.yaml >quickstart
expect 0 "$SENET_EXP" plan quickstart
has out "results/mine"
rm quickstart && mkdir quickstart
expect 0 "$SENET_EXP" plan quickstart
has out "results/quickstart"

expect 2 "$SENET_EXP"
expect 2 "$SENET_EXP" plna
has err "did you mean plan?"
expect 2 "$SENET_EXP" plan --treads=1 tiny.yaml
has err "did you mean --threads?"
# says "MESSAGE" ARGUMENT ...: status 2, and only this on standard error
says() {
    message=$1; shift
    expect 2 "$SENET_EXP" "$@"
    [ "$(cat err)" = "senet-exp: $message" ] || fail "$*: $(cat err)"
}
says "unknown option --epochs; settings are written KEY=VALUE: train.epochs=3" run tiny.yaml --epochs 3
says "unknown option --lr; settings are written KEY=VALUE: train.optimizer.lr=0.1" run tiny.yaml --lr=0.1
says "unknown option --batch-size; settings are written KEY=VALUE: train.batch_size=VALUE" run tiny.yaml --batch-size
says "unknown option --seeds; settings are written KEY=VALUE: seeds=4" run tiny.yaml --seeds 4
says "unknown option --wibble; \`senet-exp help\` lists the commands" run tiny.yaml --wibble
says "resnet51: no such backbone, experiment file or preset (did you mean resnet50?); \`senet-exp list backbones\` prints all" describe resnet51
says "quickstrat: no such backbone, experiment file or preset (did you mean quickstart?); \`senet-exp list backbones\` prints all" bench quickstrat
says "cifar10/table1.yaml: no such experiment file or preset (did you mean cifar10/table10?); \`senet-exp list presets\` prints all" plan cifar10/table1.yaml
says "resnet20 is a backbone; run is for experiment files, in which it stands as \`model: resnet20\`" run resnet20
expect 2 "$SENET_EXP" plan tiny.yaml --jobs=1
has err "plan takes no --jobs"
expect 2 "$SENET_EXP" run tiny.yaml --threads=0
has err "not an integer 1..4096"
expect 2 "$SENET_EXP" run tiny.yaml --threads
has err "--threads needs a value"
expect 2 "$SENET_EXP" run tiny.yaml --quiet=yes
has err "--quiet takes no value"
expect 2 "$SENET_EXP" run tiny.yaml --isa=mmx
has err "none of what runs here"
expect 2 "$SENET_EXP" run
has err "usage: senet-exp run CONFIG"
expect 2 "$SENET_EXP" list backbone
has err "did you mean backbones"
expect 2 "$SENET_EXP" help plna
expect 2 "$SENET_EXP" export tiny --format=markdown
has err "md"

# Options may stand anywhere, as --a=b or --a b; after -- there are none.
# (The memory of the program itself is measured: a page more or less each time.)
expect 0 "$SENET_EXP" --json plan --out there tiny.yaml
sed 's/"memory_megabytes": [0-9.]*//' out >first
expect 0 "$SENET_EXP" plan tiny.yaml --out=there --json
sed 's/"memory_megabytes": [0-9.]*//' out | cmp - first || fail "the place of an option matters"
expect 2 "$SENET_EXP" plan -- --json
has err "--json"

# A full standard output is noticed.
if [ -w /dev/full ]; then
    "$SENET_EXP" list settings >/dev/full 2>err && fail "a full output went unnoticed"
    has err "could not be written"
fi
