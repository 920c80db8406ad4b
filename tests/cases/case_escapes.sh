# Texts of experiment files, names of files, words of the command line and foreign results folders
# move no cursor and turn no line around: what does is written out, on the terminal and in a file.
. "$(dirname "$0")/setup.sh"

cat >harmless.py <<'EOF2'
import sys
bad = lambda c: ord(c) < 32 and c not in "\t\n\r" or 0x7f <= ord(c) < 0xa0 or c in "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
for name in sys.argv[1:]:
    data = open(name, "rb").read()
    text = data.decode("utf-8", "surrogateescape")
    found = [f"{c!r} in {line!r}" for line in text.split("\n") for c in line
             if bad(c) or 0xdc80 <= ord(c) <= 0xdcff]
    found += ["a carriage return"] if "\r" in text.replace("\r\n", "") else []
    if found: sys.exit(f"{name}: {found[0]}")
EOF2
harmless() { python3 harmless.py "$@" || fail "harm in $*"; }
shown() { # STATUS command ...
    expect "$@"
    harmless out err
}

cat >hostile.yaml <<'EOF2'
extends: tiny.yaml
experiment: hostile
question: "clear \e[2J bell \a back \b csi \u009b2J del \x7f line \u2028 turn \u202e end \u2066"
sweep: {}
baseline: none
variants:
  "a \u009b31mred \u202e \u2028": {model.se.reduction: 4}
  "plain": {model.se.reduction: none}
EOF2
for options in "" --json; do
    # shellcheck disable=SC2086
    shown 0 "$SENET_EXP" plan hostile.yaml $options
    shown 0 "$SENET_EXP" describe hostile.yaml $options
done
shown 0 "$SENET_EXP" plan hostile.yaml
has out 'clear \x1b[2J bell \x07 back \x08 csi \u009b2J del \x7f line \u2028 turn \u202e end \u2066'
shown 0 "$SENET_EXP" run hostile.yaml seeds=1 train.epochs=1
has err '\u009b31mred \u202e'
harmless results/hostile/table.md results/hostile/table.csv results/hostile/runs/*.json results/hostile/runs/*/log \
    results/hostile/designs/*.json
shown 0 "$SENET_EXP" status results/hostile
for format in md csv json; do shown 0 "$SENET_EXP" export results/hostile --format $format; done
shown 0 "$SENET_EXP" export results/hostile --format csv
has out 'a \u009b31mred'

# Words, and names of files.
esc=$(printf '\033[2J\302\2332J\007\010\177\342\200\256\342\200\250\351')
shown 2 "$SENET_EXP" "$esc"
has err '\x1b[2J\u009b2J\x07\x08\x7f\u202e\u2028\xe9'
shown 2 "$SENET_EXP" plan "$esc.yaml"
shown 2 "$SENET_EXP" plan tiny.yaml "$esc=1"
shown 2 "$SENET_EXP" plan tiny.yaml "train.epochs=$esc"
shown 2 "$SENET_EXP" plan tiny.yaml "--$esc"
shown 2 "$SENET_EXP" help "$esc"
shown 3 "$SENET_EXP" status "$esc"
shown 3 "$SENET_EXP" export "$esc"
shown 0 "$SENET_EXP" run tiny.yaml --out "$esc" seeds=1 train.epochs=1
shown 0 "$SENET_EXP" plan tiny.yaml --out "$esc"
shown 0 "$SENET_EXP" status "$esc"

# Carets point right behind what is written out.
printf 'extends: tiny.yaml\ndataset: {path: "\342\200\256\342\201\246", nmae: cifar}\n' >caret.yaml
shown 2 "$SENET_EXP" plan caret.yaml
python3 - <<'EOF2' || fail "the caret is not below nmae"
import sys
lines = open("err").read().split("\n")
at = next((i for i, l in enumerate(lines) if l.startswith("      | ") and "^" in l), 0)
sys.exit(not at or lines[at].index("^") != lines[at - 1].find("nmae"))
EOF2

# What a foreign folder holds: its design is read as it stands, and its records are not believed.
cp -r results/hostile foreign
for record in foreign/runs/*.json foreign/experiment.json; do
    [ -f "$record" ] || continue
    python3 - "$record" <<'EOF2'
import sys
s = open(sys.argv[1], encoding="utf-8").read().replace("\\u202e", "\u202e").replace("\\u009b", "\u009b").replace("\\u007f", "\x7f")
open(sys.argv[1], "w", encoding="utf-8").write(s)
EOF2
done
for command in status export "export --format csv" "export --format json" prune; do
    # shellcheck disable=SC2086
    "$SENET_EXP" $command foreign >out 2>err
    harmless out err
done
