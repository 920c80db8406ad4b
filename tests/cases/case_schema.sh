# Every record that a run writes follows results/record.schema.json: of runs that completed, that
# diverged and that were interrupted; and the schema refuses what is no record.
. "$(dirname "$0")/setup.sh"

cat >validate.py <<'EOF'
import copy, glob, json, os, sys
from jsonschema import Draft7Validator

schema, status, folder = json.load(open(sys.argv[1])), sys.argv[2], sys.argv[3]
Draft7Validator.check_schema(schema)
validator = Draft7Validator(schema)


def predictions_check(name, test):
    lines = open(os.path.join(os.path.dirname(name), test["predictions"])).read().split()
    assert lines[0] == "index,label,predicted" and len(lines) == test["count"] + 1
    wrong = sum(a != b for _, a, b in (line.split(",") for line in lines[1:]))
    assert abs(100.0 * wrong / test["count"] - test["top1"]) < 1e-9


files = glob.glob(os.path.join(folder, "runs", "*.json"))
assert files, "no records in " + folder
for name in files:
    record = json.load(open(name), parse_constant=lambda c: sys.exit(name + " holds " + c))
    for error in validator.iter_errors(record):
        sys.exit("%s: %s: %s" % (name, "/".join(map(str, error.path)), error.message))
    assert record["status"] == status, "%s is %s" % (name, record["status"])
    assert record["id"] == os.path.basename(name)[:-5]
    assert record["backbone"]["name"] == ("se-resnet8" if record["backbone"]["se_parameters"] else "resnet8")
    assert os.getcwd() not in open(name).read(), name + " holds the folder it was made in"
    if record["test"]:
        predictions_check(name, record["test"])
    # The schema has teeth: without any one member, or with one more, it is no record.
    for key in record:
        assert not validator.is_valid({k: v for k, v in record.items() if k != key}), key
    worse = copy.deepcopy(record)
    worse["backbone"]["structure"] = 12
    for bad in worse, dict(record, surplus=1), dict(record, status="done"), dict(record, test=3):
        assert not validator.is_valid(bad)
EOF
validate() { python3 validate.py "$root/results/record.schema.json" "$1" "$2" || fail "$2: $1"; }

expect 0 "$SENET_EXP" run tiny.yaml dataset.validation=32 --out completed
validate completed completed

# A learning rate that no network survives.
expect 1 "$SENET_EXP" run tiny.yaml train.optimizer.lr=100000 train.epochs=4 --out diverged
validate diverged diverged

# Stopped from outside after the first epoch.
: >stopped
"$SENET_EXP" run tiny.yaml train.epochs=5000 --out interrupted >out 2>stopped &
pid=$!
wait_for 60 grep -q 'epoch 1' stopped
kill -INT $pid
wait $pid
[ $? = 130 ] || { cat stopped >&2; fail "not interrupted"; }
validate interrupted interrupted
