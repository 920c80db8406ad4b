#!/bin/sh
# Every record that a run writes follows results/record.schema.json: of runs that completed, that
# diverged and that were interrupted; and the schema refuses what is no record.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/tiny.yaml" <<'END'
experiment: tiny
question: Does every record follow its schema?
mirrors: table10
dataset: {name: synthetic, size: 8, train: 64, test: 32, validation: 8}
model: {backbone: resnet8, width: 0.5}
train:
  epochs: 2
  batch_size: 16
  optimizer: {name: sgd, lr: 0.05}
  schedule: {name: constant}
sweep:
  model.se.reduction: [none, 8]
baseline: {model.se.reduction: none}
seeds: [1, 2]
END

# validate STATUS DIR: each record there is valid and has this status; at least one is there.
validate() {
    python3 - "$root/results/record.schema.json" "$1" "$2" <<'END'
import copy, glob, json, os, sys
from jsonschema import Draft7Validator

schema = json.load(open(sys.argv[1]))
Draft7Validator.check_schema(schema)
validator = Draft7Validator(schema)
files = glob.glob(os.path.join(sys.argv[3], "runs", "*.json"))
assert files, "no records in " + sys.argv[3]
for name in files:
    record = json.load(open(name), parse_constant=lambda c: sys.exit(name + " holds " + c))
    for error in validator.iter_errors(record):
        sys.exit("%s: %s: %s" % (name, "/".join(map(str, error.path)), error.message))
    assert record["status"] == sys.argv[2], "%s is %s" % (name, record["status"])
    assert record["id"] == os.path.basename(name)[:-5]
    text = open(name).read()
    for private in (os.environ.get("HOME"), os.environ.get("PWD")):
        assert not private or len(private) < 4 or private not in text, name + " holds " + private
    if record["test"]:
        lines = open(os.path.join(os.path.dirname(name), record["test"]["predictions"])).read().split()
        assert lines[0] == "index,label,predicted" and len(lines) == record["test"]["count"] + 1
        wrong = sum(a != b for _, a, b in (line.split(",") for line in lines[1:]))
        assert abs(100.0 * wrong / (len(lines) - 1) - record["test"]["top1"]) < 1e-9
    # The schema has teeth: without any one member, or with one more, it is no record.
    for key in record:
        less = {k: v for k, v in record.items() if k != key}
        assert not validator.is_valid(less), "valid without " + key
    assert not validator.is_valid(dict(record, surplus=1))
    assert not validator.is_valid(dict(record, status="done"))
    worse = copy.deepcopy(record)
    worse["backbone"]["structure"] = 12
    assert not validator.is_valid(worse)
END
}

"$SENET_EXP" run "$dir/tiny.yaml" --out "$dir/completed" > "$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
validate completed "$dir/completed"

# A learning rate no network survives. Exit status 1: some runs diverged; the table says which.
status=0
"$SENET_EXP" run "$dir/tiny.yaml" train.optimizer.lr=100 train.epochs=60 seeds=[1] \
    --out "$dir/diverged" > "$dir/out" 2>&1 || status=$?
[ "$status" = 1 ] || { cat "$dir/out"; echo "diverged runs: exit status $status"; exit 1; }
validate diverged "$dir/diverged"
"$SENET_EXP" export "$dir/diverged" --format md | grep -q 'seed 1 diverged at step' ||
    { echo "the table does not say what diverged"; exit 1; }

# Stopped from outside within the first run, once its first epoch is written down.
"$SENET_EXP" run "$dir/tiny.yaml" train.epochs=5000 --out "$dir/interrupted" > "$dir/out" 2>&1 &
pid=$!
tries=0
until grep -q 'epoch 1' "$dir/out" || [ $tries = 300 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -INT $pid
status=0
wait $pid || status=$?
[ "$status" = 130 ] || { cat "$dir/out"; echo "interrupted: exit status $status"; exit 1; }
validate interrupted "$dir/interrupted"

# A record that was cut is named, and nothing is exported.
record=$(ls "$dir"/completed/runs/*.json | head -n 1)
head -c 300 "$record" > "$dir/cut" && mv "$dir/cut" "$record"
status=0
"$SENET_EXP" export "$dir/completed" --format csv > "$dir/out" 2> "$dir/err" || status=$?
[ "$status" = 3 ] && [ ! -s "$dir/out" ] && grep -q "$record" "$dir/err" ||
    { cat "$dir/out" "$dir/err"; echo "cut record: exit status $status"; exit 1; }
