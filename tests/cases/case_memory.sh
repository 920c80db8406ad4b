# What a run takes is known before it begins, and one that cannot have it is refused with the batch
# that can.
. "$(dirname "$0")/setup.sh"

"$SENET_EXP" describe tiny.yaml --json >out || fail "describe --json"
"$SENET_EXP" plan tiny.yaml --json >plan || fail "plan --json"
python3 - <<'EOF' || fail "memory in describe and plan"
import json
points, plan = json.load(open("out")), json.load(open("plan"))
for p, row in zip(points, plan):
    parts = [p[k + "_bytes"] for k in ("step", "batch", "image", "thread", "program")]
    assert sum(parts) == p["memory_bytes"] and min(parts) > 0, p
    assert abs(row["memory_megabytes"] - p["memory_bytes"] / 1e6) < 0.8, row # code in memory differs
    assert p["image_bytes"] == (192 + 64) * 16 * 16 * 3, p
EOF

# A sanitizer's address space is beyond any limit.
(ulimit -v 4000000 && "$SENET_EXP" list backbones >out 2>err) || exit 0

# What is foretold is what a run takes: photographs, where some are at hand, in folders of four classes.
photos=$root/../shared/data/imagenet-samples-100.tar
if [ -e "$photos" ]; then
    mkdir photos && tar xf "$photos" -C photos
    python3 - <<'EOF2' || fail "memory of a run on photographs"
import glob, json, os, shutil, sys
files = sorted(glob.glob("photos/val/*/*"))
for part, images in ("train", 57), ("val", 20):
    for k in range(4):
        os.makedirs(f"four/{part}/{k}")
        for i in range(images):
            shutil.copy(files[(25 * k + i) % len(files)], f"four/{part}/{k}/{i}.jpg")
program, bad = os.environ["SENET_EXP"], 0
with open("photos.yaml", "w") as f:
    f.write("experiment: photos\ndataset: {name: images, path: four}\ntrain: {epochs: 1, batch_size: 32}\n"
            "model: {backbone: resnet18, width: 0.25, se: {reduction: 16}}\n"
            "augment: {random_resized_crop: true, flip: true}\n")
for settings in ["model.input_size=64"], ["model.input_size=64", "dataset.cache_mb=0"], ["model.input_size=160"]:
    for threads in "1", "2":
        described = os.popen(" ".join([program, "describe photos.yaml --json --threads", threads] + settings)).read()
        said = json.loads(described)[0]["memory_bytes"] / 1e6
        child = os.fork()
        if child == 0:
            os.dup2(os.open("log", os.O_WRONLY | os.O_CREAT), 1)
            os.execv(program, [program, "run", "photos.yaml", "-q", "--threads", threads, "--out", "-".join(settings) + threads] + settings)
        _, status, used = os.wait4(child, 0)
        was = used.ru_maxrss * 1024 / 1e6
        scratch = 2.2 * (int(threads) - 1) # a thread that never had the largest pieces of work
        if status or not 0.95 * was < said < 1.05 * was + scratch:
            print(f"{settings}, {threads} threads: {said:.1f} MB foretold, {was:.1f} taken", file=sys.stderr)
            bad = 1
sys.exit(bad)
EOF2
fi

limited() { # OPTIONS: a run within 1,000,000 KiB of address space; one thread, since each takes some
    # shellcheck disable=SC2086
    (ulimit -v 1000000 && exec timeout 60 "$SENET_EXP" run tiny.yaml dataset.size=128 dataset.test=8 model.width=1 \
        model.se.reduction=4 baseline=none train.epochs=1 seeds=[1] --threads 1 $1)
}
expect 3 limited "train.batch_size=192 --out refused"
has err "ulimit -v"
has err "from 192 to "
[ -z "$(ls refused/runs 2>/dev/null)" ] || fail "a run that does not fit has begun"
batch=$(sed -n 's/.*from 192 to \([0-9]*\),.*/\1/p' err)
expect 0 limited "train.batch_size=$batch --out fits"
expect 3 limited "train.batch_size=$((batch + 4)) --out above"
