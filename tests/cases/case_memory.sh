# What a run takes is known before it begins, and one that cannot have it is refused with the batch
# that can.
. "$(dirname "$0")/setup.sh"

"$SENET_EXP" describe tiny.yaml --json >out || fail "describe --json"
"$SENET_EXP" plan tiny.yaml --json >plan || fail "plan --json"
python3 - <<'EOF' || fail "memory in describe and plan"
import json
points, plan = json.load(open("out")), json.load(open("plan"))
for p, row in zip(points, plan):
    parts = [p[k + "_bytes"] for k in ("step", "batch", "image", "program")]
    assert sum(parts) == p["memory_bytes"] and min(parts) > 0, p
    assert abs(row["memory_megabytes"] - p["memory_bytes"] / 1e6) < 0.06, row
    assert p["image_bytes"] == (192 + 64) * 16 * 16 * 3, p
EOF

# A sanitizer's address space is beyond any limit.
(ulimit -v 4000000 && "$SENET_EXP" list backbones >out 2>err) || exit 0

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
