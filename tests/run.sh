#!/bin/sh
# Runs the tests: layers, units (Check), command-line cases. An argument T keeps those with T in
# their name. SENET_EXP is the program, UNITS the unit-test programs; `make check` sets both.
set -u
T=${1:-}
here=$(dirname "$0")
passed=0 failed=0 bad=
one() { # name, command ...
    name=$1; shift
    case $name in *"$T"*) ;; *) return ;; esac
    printf '== %s\n' "$name"
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); bad="$bad $name"; fi
}
one layers "$here/layers.sh"
for unit in $UNITS; do one "$(basename "$unit")" "$unit"; done
for case in "$here"/cases/case_*.sh; do
    [ -e "$case" ] && one "$(basename "$case" .sh)" sh "$case"
done
[ -z "$bad" ] || echo "failed:$bad"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
