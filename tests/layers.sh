#!/bin/sh
# Holds every #include to the one direction: a folder may include itself and what stands right of it.
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
exit $bad
