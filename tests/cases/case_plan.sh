# Every experiment file plans where its data is not at hand, and large designs plan quickly.
. "$(dirname "$0")/setup.sh"

n=0
for config in "$root"/configs/*.yaml "$root"/configs/*/*.yaml; do
    expect 0 "$SENET_EXP" plan "$config"
    has out "multiply-adds"
    head -n 1 "$config" | grep -q '^# .*?' || fail "$config does not open with a question"
    n=$((n + 1))
done
[ $n -ge 17 ] || fail "only $n experiment files"
[ ! -e results ] || fail "plan made a results folder"

# 10 x 10 x 10 points; two seconds where nothing slows it down, ten times that for sanitizers
begin=$(date +%s)
cat >big.yaml <<'EOF'
experiment: big
dataset: {name: synthetic}
model: {backbone: resnet20}
sweep:
  model.se.reduction: [1, 2, 3, 4, 5, 6, 7, 8, 16, none]
  train.optimizer.lr: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
  train.epochs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
seeds: [1, 2]
EOF
expect 0 "$SENET_EXP" plan big.yaml
has out "1000 points x 2 seeds: 2000 runs, 2000 of them"
expect 0 "$SENET_EXP" plan tiny.yaml seeds=5 model.se.reduction=4 baseline=none
has out "1 point x 5 seeds: 5 runs"
expect 0 "$SENET_EXP" plan tiny.yaml seeds=7,9
has out "2 points x 2 seeds: 4 runs"
expect 0 "$SENET_EXP" plan tiny.yaml seeds=1 model.se.reduction=4 baseline=none
has out "1 point x 1 seed: 1 run,"
took=$(($(date +%s) - begin))
[ $took -le 20 ] || fail "1,000 points took $took s"
