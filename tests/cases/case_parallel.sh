# Threads, jobs and processes on one folder change no bit and train nothing twice.
. "$(dirname "$0")/setup.sh"

expect 0 "$SENET_EXP" run tiny.yaml --out one --threads 1
digests one >want
for options in "--threads 3" "--jobs 2" "--jobs auto --threads 4" "--jobs 3 --threads 1"; do
    # shellcheck disable=SC2086
    expect 0 "$SENET_EXP" run tiny.yaml --out many $options
    digests many | cmp - want || fail "$options: other weights"
    [ "$(grep -c 'test error' err)" = 4 ] || fail "$options: not four runs reported"
    rm -r many
done

for i in 1 2; do "$SENET_EXP" run tiny.yaml --out shared >out$i 2>err$i & eval "pid$i=$!"; done
# shellcheck disable=SC2154
wait "$pid1" || fail "first process: $(cat err1)"
# shellcheck disable=SC2154
wait "$pid2" || fail "second process: $(cat err2)"
digests shared | cmp - want || fail "two processes: other weights"
[ "$(cat err1 err2 | grep -c 'test error')" = 4 ] || fail "two processes: a run was trained twice, or not at all"
cmp out1 out2 || fail "two processes print different tables"
