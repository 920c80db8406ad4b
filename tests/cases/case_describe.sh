# Counts of networks against published ones.
. "$(dirname "$0")/setup.sh"

# is WORDS KEY=NUMBER ...: what `describe WORDS --json` says
is() {
    words=$1; shift
    # shellcheck disable=SC2086
    "$SENET_EXP" describe $words --json >out || fail "describe $words"
    python3 - "$@" <<'EOF' || fail "describe $words"
import json, sys
d = json.load(open("out"))
for claim in sys.argv[1:]:
    key, value = claim.split("=")
    if d[key] != int(value):
        sys.exit(f"{key} is {d[key]}, not {value}")
EOF
}

# ResNet-50 at the paper's reduction ratios: trainable parameters with and without the gates' biases.
is resnet50 parameters=25557032 se_parameters=0 \
    parameters_with_statistics=25610152 macs_conv_fc=3857973248
is "se-resnet50 model.se.reduction=2" parameters=45699240 se_weights=20119552
is "resnet50 model.se.reduction=4" parameters=35635688 se_weights=10059776
is "resnet50 model.se.reduction=8" parameters=30603912 se_weights=5029888
is se-resnet50 parameters=28088024 se_weights=2514944 se_parameters=2530992 \
    parameters_with_statistics=28141144 macs_se_fc=2514944 macs_scaling=5519360
is "resnet50 model.se.reduction=32" parameters=26830080 se_weights=1257472
is "resnet50 model.se.reduction=16 model.se.bias=false" parameters=28071976
is "resnet50 model.stride_in=conv3x3" macs_conv_fc=4089184256
# Tables 13, 15, 16
is "resnet50 model.se.stages=[2]" se_weights=24576
is "resnet50 model.se.stages=[3]" se_weights=131072
is "resnet50 model.se.stages=[4]" se_weights=786432
is "resnet50 model.se.stages=[5]" se_weights=1572864
is "resnet50 model.se.placement=conv3x3" se_weights=157184 se_parameters=161196
is "resnet50 model.se.squeeze=none" se_weights=2514944 macs_se_fc=411041792
# other depths, and CIFAR's
is resnet18 parameters=11689512
is resnet34 parameters=21797672
is resnet101 parameters=44549160
is resnet152 parameters=60192808
is resnet20 parameters=272474
is "resnet20 model.shortcut=identity" parameters=269722
is se-resnet110 parameters=1744952 se_weights=12096

# SE blocks are where something asks for them, and the first line says what was built.
expect 0 "$SENET_EXP" describe resnet50
has out "resnet50, input 224 x 224 x 3, 1000 classes"
has out " 25,557,032"
lacks out se-
for words in se-resnet50 "resnet50 model.se.reduction=16" "resnet50 model.se.bias=true" "se-resnet50 model.se.stages=all"; do
    # shellcheck disable=SC2086
    expect 0 "$SENET_EXP" describe $words
    has out "se-resnet50 (r = 16), input"
    has out " 28,088,024"
done
expect 0 "$SENET_EXP" describe se-resnet50 model.se.reduction=none
has out "25,557,032"
lacks out "r = "
expect 0 "$SENET_EXP" describe resnet50 "model.se.reduction={2: 8, 3: 4}" model.se.squeeze=max
has out "se-resnet50 (r = {2: 8, 3: 4}, squeeze max), input"
"$SENET_EXP" list backbones --json >out || fail "list backbones"
python3 - "$SENET_EXP" <<'EOF' || fail "se- before a backbone"
import json, subprocess, sys
for b in json.load(open("out")):
    assert b["se_name"] == "se-" + b["name"]
    ask = lambda *words: json.loads(subprocess.run([sys.argv[1], "describe", *words, "--json"], capture_output=True, check=True).stdout)
    plain, se, asked = ask(b["name"]), ask(b["se_name"]), ask(b["name"], "model.se.reduction=16")
    assert plain["backbone"] == b["name"] and plain["se_parameters"] == 0
    assert se["backbone"] == asked["backbone"] == b["se_name"] and se["se_parameters"] > 0
    assert se["structure"] == asked["structure"] != plain["structure"]
EOF
cat >arms.yaml <<'EOF'
dataset: {name: synthetic}
model: resnet8
variants:
  plain: {model.width: 1}
  SE: {model.se.reduction: 4}
  max: {model: se-resnet8, model.se.squeeze: max}
EOF
"$SENET_EXP" describe arms.yaml --json >out || fail "describe arms.yaml"
python3 -c 'import json; assert [p["backbone"] for p in json.load(open("out"))] == ["resnet8", "se-resnet8", "se-resnet8"]' ||
    fail "SE blocks of one point are in another"

expect 0 "$SENET_EXP" describe se-resnet20 --layers
has out "layer3.2.conv2"
"$SENET_EXP" describe se-resnet50 --layers --json >out || fail "describe --layers --json"
python3 - <<'EOF' || fail "the layers do not add up"
import json
d = json.load(open("out"))
assert sum(l["parameters"] for l in d["layers"]) == d["parameters"]
assert sum(l["macs"] for l in d["layers"] if l["op"] in ("conv2d", "linear") and l["part"] != "SE") == d["macs_conv_fc"]
EOF
"$SENET_EXP" describe tiny.yaml --json >out || fail "describe of an experiment"
python3 -c 'import json; assert [p["label"] for p in json.load(open("out"))] == ["reduction=none", "reduction=4"]' ||
    fail "the points of an experiment"

expect 2 "$SENET_EXP" describe resnet51
expect 2 "$SENET_EXP" describe resnet50 model.se.reduction=0
has err "reduction"
