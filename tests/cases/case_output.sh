# On a pipe: plain dated lines and no control characters. On a terminal: one live line.
. "$(dirname "$0")/setup.sh"

expect 0 "$SENET_EXP" run tiny.yaml
grep -q '^20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9:]* \[1/4\] reduction=none seed 1: epoch 1' err || { cat err; fail "no dated line"; }
for file in out err results/tiny/table.md results/tiny/table.csv; do
    ! LC_ALL=C grep -q "$(printf '[\001-\010\013\014\016-\037]')" "$file" || fail "control characters in $file"
done
expect 0 "$SENET_EXP" run tiny.yaml --out quiet --quiet
[ ! -s err ] || fail "--quiet says: $(cat err)"
expect 0 "$SENET_EXP" run tiny.yaml --json
python3 -c 'import json; json.load(open("out"))' || fail "run --json"

command -v script >/dev/null || { echo "script(1) is missing: live lines not tested"; exit 0; }
TERM=xterm script -qec "\"$SENET_EXP\" run tiny.yaml --out live" typescript >out 2>&1 </dev/null || fail "on a terminal"
grep -q "$(printf '\033')\[1m" typescript || fail "no colour on a terminal"
grep -q 'test error' typescript || fail "no line that stays"
TERM=xterm NO_COLOR=1 script -qec "\"$SENET_EXP\" run tiny.yaml --out plain" typescript >out 2>&1 </dev/null || fail "NO_COLOR"
! grep -q "$(printf '\033')\[1m" typescript || fail "colour in spite of NO_COLOR"
