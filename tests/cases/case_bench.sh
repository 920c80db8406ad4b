# bench: its JSON holds what scripts read, its figures agree with one another, mistakes are refused.
. "$(dirname "$0")/setup.sh"

small="se-resnet8 train.batch_size=8 model.width=0.5"
# shellcheck disable=SC2086
expect 0 "$SENET_EXP" bench $small --steps 3 --layers --json
python3 - <<'EOF2' || fail "bench --json"
import json, math

b = json.load(open("out"))
assert (b["backbone"], b["what"], b["batch_size"], b["precision"]) == ("se-resnet8", "training", 8, "fp32")
assert b["settings"]["model"]["width"] == 0.5
assert b["machine"]["isa"] == b["isa"] and b["threads"] >= 1
for path in (b, b["reference"]):
    s = path["step_s"]
    assert path["steps"] == 3 and 0 < s["min"] <= s["median"] <= s["max"]
    assert math.isclose(path["images_per_s"], 8 / s["median"], rel_tol=1e-9)
    assert math.isclose(path["peak_share"], path["step_flops"] / s["median"] / 1e9 / path["peak_gflops"], rel_tol=1e-9)
    assert math.isclose(path["done_share"] * path["step_flops"], path["peak_share"] * path["done_flops"], rel_tol=1e-9)
    assert 0 < path["peak_share"] < 20  # sanitizers and other load slow the peak, too
    assert path["planned_bytes"] > 0 and path["peak_rss_megabytes"] * 1e6 > 0.5 * path["planned_bytes"]
    layers = path["layers"]
    assert sum(l["forward_flops"] + l["backward_flops"] for l in layers) == path["step_flops"]
    # every moment of a step belongs to some layer: their means lie between the steps' extremes
    total = sum(l["forward_s"] + l["backward_s"] for l in layers)
    assert 0.9 * s["min"] <= total <= 1.01 * s["max"], (total, s)
    assert {"conv2d", "linear", "softmax_loss", "optimizer"} <= {l["op"] for l in layers}
    first = next(l for l in layers if l["op"] == "conv2d")
    assert first["backward_flops"] == first["forward_flops"]  # the images want no gradient
# The reference runs the network as it was built: more calls, the same arithmetic and the same loss.
assert len(b["reference"]["layers"]) > len(b["layers"])
assert b["reference"]["step_flops"] == b["step_flops"]
assert b["reference"]["done_flops"] == b["step_flops"] > b["done_flops"]  # Winograd
assert math.isclose(b["reference"]["first_loss"], b["first_loss"], rel_tol=1e-4)
assert math.isclose(b["speedup"], b["reference"]["step_s"]["median"] / b["step_s"]["median"], rel_tol=1e-9)
json.dump(b, open("training.json", "w"))
EOF2

# Forward alone: less arithmetic, less memory.
# shellcheck disable=SC2086
expect 0 "$SENET_EXP" bench $small --steps 2 --json --eval --no-reference --threads=1
python3 - <<'EOF2' || fail "bench --eval --json"
import json

b, t = json.load(open("out")), json.load(open("training.json"))
assert b["what"] == "evaluation" and b["threads"] == 1 and b["steps"] == 2
assert "reference" not in b and "layers" not in b
assert b["step_flops"] < 0.4 * t["step_flops"] and b["planned_bytes"] < t["planned_bytes"]
EOF2

# An evaluation of 256 images goes through in slices, and its layers add up all the same.
expect 0 "$SENET_EXP" bench resnet8 --steps 2 --layers --json --eval --no-reference train.batch_size=256
python3 - <<'EOF2' || fail "bench --eval --layers --json"
import json

b = json.load(open("out"))
assert sum(l["forward_flops"] + l["backward_flops"] for l in b["layers"]) == b["step_flops"]
EOF2

# bf16: half the memory, nearly the same loss on both paths, its own peak.
# shellcheck disable=SC2086
expect 0 "$SENET_EXP" bench $small --steps 2 --json train.precision=bf16
python3 - <<'EOF2' || fail "bench train.precision=bf16"
import json, math

b, t = json.load(open("out")), json.load(open("training.json"))
assert b["precision"] == "bf16" and b["step_flops"] == t["step_flops"]
assert b["planned_bytes"] < 0.8 * t["planned_bytes"]
for path in (b, b["reference"]):
    assert math.isclose(path["first_loss"], t["first_loss"], rel_tol=0.02)
    assert 0 < path["done_share"] < 1.2
EOF2

# For a person; of an experiment the first point; without a name the usual small network.
# shellcheck disable=SC2086
expect 0 "$SENET_EXP" bench $small --steps 2 --layers
for words in "images a second" "% of the multiply-add peak" "times as fast as the reference" "by op" "layer3.0.conv2"; do
    has out "$words"
done
expect 0 "$SENET_EXP" bench tiny.yaml --steps 2
has err "the first of 2 points: reduction=none"
has out "reduction=none: resnet8, 16 x 16 x 3, batch 32"
expect 0 "$SENET_EXP" bench train.batch_size=2 --steps 1 --no-reference
has out "se-resnet20 (r = 16), 32 x 32 x 3, batch 2"
expect 0 "$SENET_EXP" bench resnet8 train.batch_size=2 --isa portable --steps 1 --no-reference
has out "portable"

# Refused
expect 2 "$SENET_EXP" bench resnet8 train.batchsize=8
has err "did you mean train.batch_size"
expect 2 "$SENET_EXP" bench resnet8 --steps 0
has err "not an integer 1..4096"
expect 2 "$SENET_EXP" bench resnet8 --jobs 2
has err "bench takes no --jobs"
expect 2 "$SENET_EXP" bench missing.yaml
has err "missing.yaml"
expect 2 "$SENET_EXP" bench resnet8 --isa mmx
has err "none of what runs here"
expect 3 "$SENET_EXP" bench resnet50 train.batch_size=60000
has err "the largest train.batch_size that fits is"
