#!/bin/sh
# Holds every #include to the one direction: a folder may include itself and what stands right of it.
# And keeps the C library's elementary functions, whose last bits differ between versions and
# processors, out of what a run computes: core/base/elementary.h has its own.
set -eu
order="cli experiments core/models core/nn core/train core/optim core/graph core/ops core/data core/kernels core/base"
bad=0
for f in $(find cli experiments core -name '*.[ch]'); do
    below= seen=
    for d in $order; do
        case $f in $d/*) seen=1 ;; esac
        if [ "$seen" ]; then below="$below $d"; fi
    done
    for inc in $(sed -n 's/^#include "\(.*\)".*$/\1/p' "$f"); do
        ok=
        for d in $below; do case $inc in $d/*) ok=1 ;; esac; done
        if [ -z "$ok" ]; then echo "$f includes $inc: the wrong way"; bad=1; fi
    done
done
inexact='exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|cbrt|hypot|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|erf|erfc|tgamma|lgamma'
if grep -rnE "(^|[^_a-zA-Z0-9>.])($inexact)[fl]?\(" core --include='*.[ch]' --exclude='elementary.*'; then
    echo "these differ between C libraries: use core/base/elementary.h"
    bad=1
fi
exit $bad
