# Stopped at any moment and started again, a run ends in the bits of one that was never stopped.
. "$(dirname "$0")/setup.sh"

sed -i 's/epochs: 2/epochs: 12/; s/seeds: .*/seeds: [7]/' tiny.yaml
expect 0 "$SENET_EXP" run tiny.yaml --out whole --quiet
digests whole >want
has_checkpoint() { ls "$1"/runs/*/checkpoint >/dev/null 2>&1; }

# stopped FOLDER SIGNAL STATUS: starts, waits for a checkpoint, sends the signal. A hangup that whoever
# runs this ignores (nohup) would be ignored by the program, too.
stopped() {
    env --default-signal=HUP "$SENET_EXP" run tiny.yaml --out "$1" --quiet >out 2>err &
    pid=$!
    wait_for 20 has_checkpoint "$1"
    kill -"$2" $pid
    wait $pid
    status=$?
    [ "$status" = "$3" ] || { cat err >&2; fail "$2: exit $status, not $3"; }
}
for signal in INT TERM HUP; do
    stopped $signal $signal 130
    has err "interrupted; the same command continues each run after the last epoch that it completed"
    [ "$(statuses $signal)" = " 1 interrupted" ] || fail "$signal: statuses: $(statuses $signal)"
    expect 0 "$SENET_EXP" run tiny.yaml --out $signal
    digests $signal | cmp - want || fail "$signal: other weights"
done
stopped killed KILL 137
expect 0 "$SENET_EXP" run tiny.yaml --out killed
digests killed | cmp - want || fail "KILL: other weights"

# Workers stop with their parent.
"$SENET_EXP" run tiny.yaml --out workers --jobs 2 >out 2>err &
pid=$!
wait_for 20 has_checkpoint workers
kill -INT $pid
wait $pid
[ $? = 130 ] || fail "workers: not interrupted"
expect 0 "$SENET_EXP" run tiny.yaml --out workers
digests workers | cmp - want || fail "workers: other weights"

# Only what can still be continued keeps a checkpoint: none of the folders above does. One that a
# killed process left, whole or begun, goes with the next command; one of a stopped run stays.
for folder in whole INT HUP killed workers; do
    ! has_checkpoint $folder || fail "$folder: a completed run kept its checkpoint"
done
stopped kept INT 130
ended=$(ls whole/runs/*.json | head -n 1)
ended=${ended%.json}
touch "$ended/checkpoint" "$ended/checkpoint.123.tmp" "$ended.json.123.tmp"
expect 0 "$SENET_EXP" run tiny.yaml --out whole
has err "2 runs kept"
[ "$(ls "$ended")" = "lock
log
predictions.csv" ] || fail "left: $(ls "$ended")"
expect 0 "$SENET_EXP" run tiny.yaml train.epochs=1 --out kept
has_checkpoint kept || fail "a run that can be continued lost its checkpoint"
