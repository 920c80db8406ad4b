#!/bin/sh
# clang-tidy on one source file, with the flags of its instruction set where it has one.
case $1 in
*/isa_avx512*) isa="-mavx512f -mavx512vl -mavx512bw -mavx512dq -mfma" ;;
*/isa_avx2*) isa="-mavx2 -mfma" ;;
*) isa= ;;
esac
case $1 in */isa_avx512_bf16*) isa="$isa -mavx512bf16" ;; esac
# shellcheck disable=SC2086
exec clang-tidy --quiet "$1" -- -std=c11 -D_GNU_SOURCE -I. $isa 2>/dev/null
