# Tables on a terminal are drawn for people: they fit its width and hold no Markdown; a pipe gets
# what it always got.
. "$(dirname "$0")/setup.sh"
command -v script >/dev/null || { echo "script(1) is missing: terminals not tested"; exit 0; }

# on COLUMNS ...: the program with these arguments on a terminal of so many columns; what it shows
# goes to out
on() {
    columns=$1; shift
    TERM=${term:-xterm} script -qec "stty cols $columns; \"$SENET_EXP\" $*" typescript >typed 2>&1 </dev/null
    sed 's/\r$//' typed >out
}
# No line of out is wider than so many columns, escape sequences aside.
fits() {
    python3 - "$1" <<'EOF' || fail "a line of more than $1 columns"
import re, sys, unicodedata
wide = lambda s: sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s)
for line in open("out", encoding="utf-8"):
    line = re.sub("\x1b\\[[0-9;]*m", "", line.rstrip("\n"))
    if wide(line) > int(sys.argv[1]): sys.exit(line)
EOF
}

cat >wide.yaml <<'EOF'
extends: tiny.yaml
experiment: wide
mirrors: table14
question: Does anything happen where the name of a place is long, and where it is 日本語?
sweep: {}
baseline: none
variants:
  "日本語の比較": {model.se.reduction: 4, model.se.placement: pre}
  "a_long_name that is *not* | narrow": {model.se.reduction: 2}
EOF
expect 0 "$SENET_EXP" run tiny.yaml --quiet
expect 0 "$SENET_EXP" run wide.yaml --quiet
cp out piped
cmp piped results/wide/table.md || fail "a pipe does not get the Markdown of table.md"
expect 0 "$SENET_EXP" export results/wide
cmp out piped || fail "export to a pipe is not what run prints"

# Several designs, and a run that none of them names.
expect 0 "$SENET_EXP" run wide.yaml --quiet train.epochs=1 seeds=1
rm "$(grep -l '"epochs":[[:space:]]*1,' results/wide/designs/*.json | head -n 1)" || fail "no design of one epoch"
expect 0 "$SENET_EXP" run wide.yaml --quiet seeds=1
expect 0 "$SENET_EXP" export results/wide
cp out piped
for columns in 60 80 200; do
    for line in "export results/wide" "export results/tiny" "run tiny.yaml --quiet" "plan wide.yaml" \
        "status results/wide" "prune results/wide" "list settings" "list presets" "list backbones" "list datasets"; do
        # shellcheck disable=SC2086
        on $columns $line
        fits $columns
        ! grep -qE '^(\|.*\|$|#|- )' out || { cat out; fail "Markdown on a terminal"; }
        lacks out '**'
        lacks out '\|'
    done
done
on 80 'export results/wide --format md 2>/dev/null'
grep -v '^Script' out | cmp - piped || fail "--format md on a terminal is not Markdown"
on 80 export results/wide -o file.md
cmp file.md piped || fail "export -o on a terminal"

# Bold is bold where it can be, and a mark where not.
expect 0 "$SENET_EXP" run tiny.yaml --quiet 'seeds=[1,2,3,4,5,6]' --out six
grep -q '\*\*' six/table.md || fail "no row of six seeds is bold"
on 80 export six
grep -q "$(printf '\033')\[1m[0-9]" out || fail "no bold number on a terminal"
NO_COLOR=1; export NO_COLOR
on 80 export six
has out '▸ '
! grep -q "$(printf '\033')" out || fail "escape sequences in spite of NO_COLOR"
unset NO_COLOR
term=dumb
on 80 export six
! grep -q "$(printf '\033')" out || fail "escape sequences on a dumb terminal"

# A part of the settings.
expect 0 "$SENET_EXP" list settings train.optimizer
has out train.optimizer.lr
lacks out train.epochs
expect 0 "$SENET_EXP" list settings train.epochs --json
python3 -c 'import json; (row,) = json.load(open("out")); assert row["key"] == "train.epochs"' || fail "one setting as JSON"
expect 2 "$SENET_EXP" list settings model.see
has err 'did you mean model.se'
expect 2 "$SENET_EXP" list settings train.epoch
has err 'did you mean train.epochs'
expect 2 "$SENET_EXP" list presets train
has err 'only settings have parts'
