# What a run computes depends on the instruction set in its record alone, not on the kernels that
# OpenBLAS would pick for the processor or is told to.
. "$(dirname "$0")/setup.sh"

unset OPENBLAS_CORETYPE
expect 0 "$SENET_EXP" run tiny.yaml --out picked
digests picked >want
[ "$(wc -l <want)" = 4 ] || fail "not four records"
for core in Haswell Nehalem Prescott; do
    expect 0 env OPENBLAS_CORETYPE=$core "$SENET_EXP" run tiny.yaml --out $core
    digests $core | cmp - want || fail "OPENBLAS_CORETYPE=$core: other weights"
done
