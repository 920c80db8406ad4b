#!/bin/sh
# Holds every #include to the one direction: a folder may include itself and what stands right of it,
# and no two source files need each other. And keeps the C library's elementary functions, whose last
# bits differ between versions and processors, out of what a run computes: core/base/elementary.h has
# its own. SENET_EXP is the program; beside it stand the objects it was made of.
set -eu
order="cli
experiments/bench experiments/export experiments/run experiments/table experiments/results experiments/design experiments/spec
core/models core/nn core/train core/optim core/graph core/ops core/data
core/kernels/conv/winograd core/kernels/conv/direct core/kernels/conv core/kernels/matmul core/kernels/tiles core/kernels
core/base"
bad=0

# A file is of the first folder in that order which it lies in; simd and vector are of core/kernels.
# shellcheck disable=SC2046
wrong=$(awk -v order="$(echo $order)" '
    BEGIN { n = split(order, folders, " ") }
    function level(file, i) {
        for (i = 1; i <= n; i++) if (index(file, folders[i] "/") == 1) return i
        return 0
    }
    /^#include "/ {
        split($0, part, "\"")
        if (!level(FILENAME)) print FILENAME ": its folder has no place in the order of tests/layers.sh"
        else if (level(part[2]) < level(FILENAME)) print FILENAME " includes " part[2] ": the wrong way"
    }' $(find cli experiments core -name '*.[ch]' -o -name '*.def' | sort))
[ -z "$wrong" ] || { echo "$wrong"; bad=1; }

# Only of the commands does one, help, name all others.
objects=$(dirname "${SENET_EXP:-build/senet-exp}")
if [ -d "$objects/core" ] && command -v nm >/dev/null; then
    circles=$(find "$objects/core" "$objects/experiments" -name '*.o' | while read -r o; do
        c=${o#"$objects"/}
        [ ! -e "${c%.o}.c" ] || nm "$o" | sed "s|^|$c |"
    done | awk '
        $2 == "U" { needs[++n] = $1 " " $3; next }
        $3 ~ /^[TDBRVW]$/ { defines[$4] = $1 }
        END {
            for (i = 1; i <= n; i++) {
                split(needs[i], p, " ")
                if (p[2] in defines) print p[1], defines[p[2]]
            }
        }' | tsort 2>&1 >/dev/null) || true
    [ -z "$circles" ] || { echo "these source files need each other:"; echo "$circles" | grep -v 'contains a loop' | sort -u; bad=1; }
fi

inexact='exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|cbrt|hypot|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|erf|erfc|tgamma|lgamma'
if grep -rnE "(^|[^_a-zA-Z0-9>.])($inexact)[fl]?\(" core --include='*.[ch]' --exclude='elementary.*'; then
    echo "these differ between C libraries: use core/base/elementary.h"
    bad=1
fi
exit $bad
