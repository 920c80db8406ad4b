# Commands that multiply nothing load no OpenBLAS: where memory for its threads is not had, they run.
. "$(dirname "$0")/setup.sh"

(ulimit -v 4000000 && "$SENET_EXP" --version >out 2>err) || { echo "a sanitizer: limits of memory not tested"; exit 0; }
for limit in "-v 60000" "-v 100000" "-v 150000" "-v 170000" "-d 20000"; do
    for command in --version "plan tiny.yaml" "list backbones" "describe resnet20"; do
        # shellcheck disable=SC2086
        (ulimit $limit && exec timeout 20 "$SENET_EXP" $command) >out 2>err
        got=$?
        [ $got = 0 ] || { cat out err; fail "ulimit $limit: $command: exit $got"; }
    done
done
expect 0 "$SENET_EXP" run tiny.yaml --quiet train.epochs=1 seeds=1
! grep -q openblas results/tiny/runs/*.json || fail "a run loads OpenBLAS"
expect 0 "$SENET_EXP" bench tiny.yaml --steps 1 --json
has out '"openblas"'
