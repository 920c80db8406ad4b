# Names of classes and files are in the results, whatever they hold: a comma, quotes, a line's end,
# bytes that are not UTF-8. Another program reads every record, design, table and list of
# predictions.
. "$(dirname "$0")/setup.sh"

latin=$(printf 'lat\351in')
for part in train test; do
    for class in 'cat, "big"' "$latin" 'zürich'; do
        mkdir -p "photos/$part/$class"
        for name in "$latin" 'b, "c"' 'two
lines' 'ü'; do
            tail -c +4 "$root/tests/fuzz/seeds/images/rgb" >"photos/$part/$class/$name.jpg"
        done
    done
done
sed 's/^dataset.*/dataset: {name: images, path: photos}/; s/batch_size: 32/batch_size: 4/; s/backbone: resnet8/&\n  input_size: 16/' tiny.yaml >photos.yaml
expect 0 "$SENET_EXP" run photos.yaml --out named

# Another one fails on a file that is cut short, and says which.
cp -r photos broken
printf 'GIF' >"broken/test/$latin/$latin.jpg"
expect 1 "$SENET_EXP" run photos.yaml dataset.path=broken --out failed

cat >read.py <<'EOF'
import csv, glob, json, sys
from jsonschema import Draft7Validator

CLASSES = ['cat, "big"', "lat\\xe9in", "zürich"]
FILES = ['b, "c"', "lat\\xe9in", "two\nlines", "ü"]
validator = Draft7Validator(json.load(open(sys.argv[1], encoding="utf-8")))


def read(path):
    return open(path, "rb").read().decode("utf-8")  # strictly


def reject(constant):
    sys.exit(constant)


records = [json.loads(read(f), parse_constant=reject) for f in glob.glob("*/runs/*.json")]
assert len(records) == 8, len(records)
for r in records:
    validator.validate(r)
    assert r["data"]["class_names"] == CLASSES, r["data"]
    if r["status"] == "failed":
        assert "broken/test/lat\\xe9in/lat\\xe9in.jpg" in r["why"], r["why"]
        continue
    path = "named/runs/" + r["test"]["predictions"]
    lines = list(csv.DictReader(open(path, newline="", encoding="utf-8")))
    assert len(lines) == 12
    for i, line in enumerate(lines):
        assert line["file"] == "test/%s/%s.jpg" % (CLASSES[i // 4], FILES[i % 4]), line
        assert int(line["index"]) == i and int(line["label"]) == i // 4, line
        assert line["label_name"] == CLASSES[i // 4], line
        assert line["predicted_name"] == CLASSES[int(line["predicted"])], line
for name in glob.glob("*/*.json"):
    json.loads(read(name))
for name in glob.glob("*/table.*"):
    read(name)
EOF
python3 read.py "$root/results/record.schema.json" || fail "names"
expect 0 "$SENET_EXP" export failed --format json
python3 -c 'import json; json.loads(open("out", "rb").read().decode("utf-8"))' || fail "export"

# Without names there are no columns for them.
expect 0 "$SENET_EXP" run tiny.yaml
for csv in results/tiny/runs/*/predictions.csv; do
    [ "$(head -n 1 "$csv")" = index,label,predicted ] || fail "$csv: $(head -n 1 "$csv")"
done
