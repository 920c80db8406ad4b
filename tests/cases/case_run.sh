# Run, run again, change a setting, take a point away: what is kept and what is said about it.
. "$(dirname "$0")/setup.sh"

expect 0 "$SENET_EXP" run tiny.yaml --threads 2
has err "tiny: 4 runs to train"
has out "| 4  "
cmp out results/tiny/table.md || fail "the table printed and table.md differ"
[ -s results/tiny/table.csv ] || fail "no table.csv"
[ "$(statuses results/tiny)" = " 4 completed" ] || fail "statuses: $(statuses results/tiny)"
digests results/tiny >before

expect 0 "$SENET_EXP" run tiny.yaml
has err "tiny: 4 runs kept, nothing to train"
digests results/tiny | cmp - before || fail "a second run changed weights"

expect 0 "$SENET_EXP" plan tiny.yaml --json
python3 -c 'import json; assert [p["done"] for p in json.load(open("out"))] == [2, 2]' || fail "plan does not see what is done"
expect 0 "$SENET_EXP" status results/tiny
has out "4 runs: 4 completed"
expect 0 "$SENET_EXP" status results/tiny --json
python3 -c 'import json; assert len(json.load(open("out"))) == 4' || fail "status --json"

for format in md csv json; do
    expect 0 "$SENET_EXP" export results/tiny --format $format
    cp out by_format
    expect 0 "$SENET_EXP" export -o table.$format results/tiny
    cmp table.$format by_format || fail "export -o and --format differ"
done
cmp table.md results/tiny/table.md || fail "export and run print different tables"
python3 -c 'import json; json.load(open("table.json"))' || fail "export json"
python3 -c 'import csv; assert len(list(csv.reader(open("table.csv")))) == 3' || fail "export csv"

# A row a run, a row an epoch: what the records hold.
for rows in runs epochs; do
    expect 0 "$SENET_EXP" export results/tiny --rows $rows -o $rows.csv
    expect 0 "$SENET_EXP" export results/tiny --rows $rows -o $rows.json
done
cat >rows.py <<'EOF'
import csv, glob, json

records = {r["id"]: r for r in (json.load(open(f)) for f in glob.glob("results/tiny/runs/*.json"))}
runs, epochs = (list(csv.DictReader(open(f, newline="", encoding="utf-8"))) for f in ("runs.csv", "epochs.csv"))
assert len(runs) == len(records) == 4 and len(epochs) == 8
for row in runs:
    r = records[row["id"]]
    assert row["label"] == r["label"] and int(row["seed"]) == r["seed"] and row["status"] == "completed"
    assert row["model.se.reduction"] == str(r["axes"]["model.se.reduction"])
    for key in "top1", "top5", "loss":
        assert float(row[key]) == r["test"][key], key
    assert float(row["seconds"]) == r["seconds"] and int(row["parameters"]) == r["backbone"]["parameters"]
    assert row["isa"] == r["machine"]["isa"] and int(row["threads"]) == r["machine"]["threads"]
for row in epochs:
    h = records[row["id"]]["history"][int(row["epoch"]) - 1]
    for key in "lr", "train_loss", "train_error", "seconds", "images_per_second":
        assert float(row[key]) == h[key], key
    assert row["validation_error"] == "" and h["validation_error"] is None
for name, rows in ("runs", runs), ("epochs", epochs):
    table = json.load(open(name + ".json"))
    assert len(table["rows"]) == len(rows)
    assert list(table["rows"][0]) == list(rows[0]) == [c["key"] for c in table["columns"]]
EOF
python3 rows.py || fail "export --rows"
expect 2 "$SENET_EXP" export results/tiny --rows run
has err "did you mean runs"

# A changed setting is another run; the earlier records stay.
expect 0 "$SENET_EXP" run tiny.yaml train.optimizer.lr=0.02
has err "tiny: train.optimizer.lr is now 0.02 (was 0.05): 4 runs to train; 4 earlier runs stay outside this table"
[ "$(statuses results/tiny)" = " 8 completed" ] || fail "earlier records are gone"
expect 0 "$SENET_EXP" run tiny.yaml
has err "tiny: 4 runs kept, nothing to train; 4 earlier runs stay outside this table"

# A point less, a seed more.
sed 's/\[none, 4\]/[none, 2]/; s/seeds: .*/seeds: [1, 2, 3]/' tiny.yaml >other.yaml
expect 0 "$SENET_EXP" run other.yaml
has err "tiny: 2 runs kept, 4 to train; 6 earlier runs stay outside this table"

# Axes from the command line: lists as people write them. What a file asks is not asked of them.
expect 0 "$SENET_EXP" sweep tiny.yaml "model.se.reduction=[none, 4]" train.epochs=1 seeds=1 --out listed
has out "| none "
has out "Does anything happen?"
expect 0 "$SENET_EXP" sweep tiny.yaml "model.se.stages=[2, 3],[4]" model.se.reduction=4 "baseline=stages=[2, 3]" train.epochs=1 seeds=1 --out listed
has out "\\[2, 3\\]"
lacks out "Does anything happen?"
expect 2 "$SENET_EXP" sweep tiny.yaml train.optimizer.lr=0.1,0.2 model.se.reduction=4 --out listed
has err 'add "baseline=lr=0.1" or baseline=none'
expect 0 "$SENET_EXP" sweep tiny.yaml train.optimizer.lr=0.1,0.2 model.se.reduction=4 baseline=lr=0.1 train.epochs=1 seeds=1 --out listed --quiet
expect 0 "$SENET_EXP" sweep tiny.yaml train.schedule=[step,cosine] model.se.reduction=none,4 train.epochs=1 seeds=1 --out listed --quiet "baseline=reduction=none, schedule=step"

# At 8, 16 and 32 channels, 64 and 32 leave one hidden unit each: the same network, trained once.
expect 0 "$SENET_EXP" sweep tiny.yaml model.se.reduction=64,32 baseline=none --out same --json
has err "reduction=64 and reduction=32 build the same network: trained once"
[ "$(statuses same)" = " 2 completed" ] || fail "the same network was trained twice"
