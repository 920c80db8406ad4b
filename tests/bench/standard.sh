#!/bin/sh
# The standard set: networks in training and evaluation, then the convolution kernels layer by
# layer, into results/bench/DATE.json: {"networks": [what `bench --json` prints ...], "kernels": [lines of conv_bench]}.
# SENET_EXP and CONV_BENCH are the programs. BENCH_WITH is put before each measurement, such as
# `taskset -c 0,1`.
set -eu
: "${SENET_EXP:?the program to measure}" "${CONV_BENCH:?the program that measures kernels}"
# What OpenBLAS is told in a shell would hold for the reference path alone.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

dir=results/bench
file=$dir/$(date +%F).json
mkdir -p "$dir"
part=$(mktemp "$dir/.XXXXXX")
one=$(mktemp)
trap 'rm -f "$part" "$one"' EXIT

comma='{"networks": ['
network() { # words of `bench`
    echo "bench $*" >&2
    # shellcheck disable=SC2086
    ${BENCH_WITH:-} "$SENET_EXP" bench "$@" --json >"$one"
    printf '%s\n' "$comma" >>"$part"
    cat "$one" >>"$part"
    comma=,
    # shellcheck disable=SC2016
    sed -n 's/^\t"\(images_per_s\|peak_share\|peak_rss_megabytes\|speedup\)":\t\(.*\),$/    \1 \2/p' "$one" >&2
}

precisions="fp32 bf16"
if ! grep -q avx512_bf16 /proc/cpuinfo; then
    precisions=fp32
    echo "bf16 is left out: this processor has no instructions for it, and emulates them slowly" >&2
fi
for precision in $precisions; do
    network se-resnet20 train.precision=$precision --layers
    network se-resnet20 train.precision=$precision --eval
    network se-resnet50 train.precision=$precision --layers
    network se-resnet50 train.precision=$precision --eval
    network resnet50 train.precision=$precision
done
echo "kernels" >&2
# shellcheck disable=SC2086
${BENCH_WITH:-} "$CONV_BENCH" >"$one"
printf '%s\n' '], "kernels": [' >>"$part"
sed 's/.*/"&",/; $s/,$//' "$one" >>"$part"
echo ']}' >>"$part"
chmod 644 "$part"
mv "$part" "$file"
echo "written: $file"
