# How a file is written: `help config` is a file with every key, `list schema` accepts and refuses
# what the program does, and paths are seen from the file that they are written in.
. "$(dirname "$0")/setup.sh"

expect 0 "$SENET_EXP" help config
cp out example.yaml
expect 0 "$SENET_EXP" plan example.yaml dataset.classes=10
has out "results/mine"
expect 0 "$SENET_EXP" list settings --json
cp out settings.json
expect 0 "$SENET_EXP" list schema
cp out schema.json

cat >check.py <<'EOF'
import glob, json, os, re, sys
import yaml
from jsonschema import Draft7Validator

root = sys.argv[1]
schema = json.load(open("schema.json"))
Draft7Validator.check_schema(schema)
validator = Draft7Validator(schema)


def scalar(node):
    """What YAML 1.2 makes of a scalar."""
    text = node.value
    if node.style is not None:
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "~", "null"):
        return None
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


def plain(node):
    if isinstance(node, yaml.ScalarNode):
        return scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [plain(n) for n in node.value]
    return {k.value: plain(v) for k, v in node.value}


def load(path):
    return plain(yaml.compose(open(path, encoding="utf-8"), Loader=yaml.SafeLoader))


def refusal(value):
    return next((e.message[:200] for e in validator.iter_errors(value)), None)


def keys(value, prefix=""):
    for k, v in value.items():
        yield prefix + k
        if isinstance(v, dict) and prefix + k not in ("sweep", "baseline", "variants"):
            yield from keys(v, prefix + k + ".")


# The example has every key; those that are commented out are at their places.
open("all.yaml", "w").write(re.sub(r"(?m)^( *)# +((?:[a-z_]+): \S)", r"\1\2", open("example.yaml").read().split("\n\n", 1)[1]))
there = set(keys(load("all.yaml")))
missing = {s["key"] for s in json.load(open("settings.json"))} - there - {"variants"}
assert not missing, missing
assert "\n# variants:" in open("example.yaml").read()

# Whatever the program takes, the schema takes.
good = glob.glob(root + "/configs/**/*.yaml", recursive=True) + ["example.yaml", "tiny.yaml"]
assert len(good) >= 19, good
for path in good:
    assert not refusal(load(path)), (path, refusal(load(path)))
more = """
{model: se-resnet20, train: {optimizer: sgd, schedule: {name: step, milestones: [10, 20.5]}}, seeds: 3}
{model.se: {reduction: {2: 8, 4: none}, stages: [2, 3]}, dataset.mean: [0.5, 0.4, 0.3], dataset.sd: auto}
{model: {backbone: resnet8, se.squeeze: none, se: {bias: false}}, baseline: "a, b", variants: {"a, b": {}, c: {train.epochs: 2}}}
{variants: [{name: a}, {name: b, model: {width: 0.5}}], baseline: {model.width: 0.5}, sweep: {}}
{sweep: {train.schedule: [step, cosine], train: {optimizer: {lr: [0.1, 1e-3]}}, model.se.stages: [all, [2]]}, extends: a.yaml}
{dataset: {name: images, path: 2012, validation: none}, train.precision: bf16, mirrors: table11, seeds: [0, 4294967295]}
"""
for line in more.strip().splitlines():
    value = plain(yaml.compose(line, Loader=yaml.SafeLoader))
    assert not refusal(value), (line, refusal(value))

# Unknown keys, wrong types and values out of range: what the program refuses for these reasons, the
# schema refuses.
told = re.compile(r"there is no setting|is not (an integer|a number|one of|true or false|none, an|all or)|is a section"
                  r"|seeds: |list of the values|a map of settings|belongs to the whole")
known = 0
for path in sorted(glob.glob(root + "/tests/cases/bad/*.txt")):
    name = os.path.basename(path)[:-4]
    lines = [l for l in open(path, encoding="utf-8", errors="replace") if l.startswith(name + ".yaml:") and told.search(l)]
    if not lines:
        continue
    value = load(path[:-4] + ".yaml")
    assert refusal(value), (name, lines)
    known += 1
assert known >= 20, known

# And every key: nonsense is no value of any of them, and no key is known without its last letter.
for key in {s["key"] for s in json.load(open("settings.json"))}:
    assert refusal({key: {"wibble": None}}), key
    assert refusal({key[:-1]: "x"}), key
    if "." in key:
        assert refusal({"sweep": {key: "x"}}) and refusal({"sweep": {key: []}}), key
        assert refusal({"variants": {"v": {key: {"wibble": None}}}}), key
EOF
python3 check.py "$root" || fail "the example or the schema"

# Paths: of a file, from its folder, whoever extends it and wherever the program runs; of the command
# line, from the current directory.
for part in train test; do
    for class in cat dog; do
        mkdir -p "deep/data/$part/$class"
        for i in 1 2; do tail -c +4 "$root/tests/fuzz/seeds/images/rgb" >"deep/data/$part/$class/$i.jpg"; done
    done
done
mkdir -p deep/base elsewhere/data
sed 's/^dataset.*/dataset: {name: images, path: ..\/data}/; s/batch_size: 32/batch_size: 2/; s/backbone: resnet8/&\n  input_size: 16/' tiny.yaml >deep/base/base.yaml
echo 'extends: ../deep/base/base.yaml' >elsewhere/tiny.yaml
expect 0 "$SENET_EXP" plan elsewhere/tiny.yaml
(cd elsewhere && "$SENET_EXP" plan tiny.yaml) >out 2>err || fail "$(cat err)"
expect 0 "$SENET_EXP" run elsewhere/tiny.yaml train.epochs=1 seeds=1
grep -q '"path":	"deep/data"' results/tiny/runs/*.json || fail "the path in the record: $(grep -h '"path"' results/tiny/runs/*.json)"
expect 2 "$SENET_EXP" plan elsewhere/tiny.yaml dataset.path=data
has err "command line:1:14: error: dataset.path: data: "
(cd deep && "$SENET_EXP" plan ../elsewhere/tiny.yaml dataset.path=data) >out 2>err || fail "$(cat err)"
rm -r deep/data
expect 2 "$SENET_EXP" plan elsewhere/tiny.yaml
has err "deep/base/base.yaml:3:31: error: dataset.path: deep/data: no such folder"
