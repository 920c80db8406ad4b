# Read by the cases: a scratch folder, a tiny experiment on made-up images, and how to complain.
set -u
: "${SENET_EXP:?the program to test}"
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

fail() { echo "FAILED: $*" >&2; exit 1; }

# expect STATUS command ...: its output is in out, its complaints in err
expect() {
    want=$1; shift
    "$@" >out 2>err
    got=$?
    [ "$got" = "$want" ] || { cat out err >&2; fail "exit $got, not $want: $*"; }
}
has() { grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "$1 does not say: $2"; }; }
lacks() { ! grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "$1 says: $2"; }; }

# Two variants, two seeds, a fraction of a second each.
cat >tiny.yaml <<'EOF'
experiment: tiny
question: Does anything happen?
dataset: {name: synthetic, size: 16, classes: 4, train: 192, test: 64}
model:
  backbone: resnet8
  width: 0.5
  se: {reduction: none}
train:
  epochs: 2
  batch_size: 32
  optimizer: {lr: 0.05}
sweep:
  model.se.reduction: [none, 4]
baseline: {model.se.reduction: none}
seeds: [1, 2]
EOF

# "id digest" of the final weights of each record in a results folder
digests() {
    for record in "$1"/runs/*.json; do
        [ -e "$record" ] || fail "$1 holds no record"
        printf '%s %s\n' "$(basename "$record" .json)" "$(sed -n 's/^\t"weights_digest":\t*"\(.*\)",*$/\1/p' "$record")"
    done
}
statuses() { sed -n 's/^\t"status":\t*"\(.*\)",*$/\1/p' "$1"/runs/*.json | sort | uniq -c | tr -s ' '; }

# wait_for SECONDS command ...: until it succeeds
wait_for() {
    left=$(($1 * 20)); shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || fail "waited in vain for: $*"
        sleep 0.05
    done
}
