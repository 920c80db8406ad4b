#!/bin/sh
# Every file of bad/ is refused with exactly the text beside it and status 2. NAME.args holds
# assignments of the command line, one a line. A file without a text is a part of another case.
# BLESS=1 writes the texts; read them before they are kept.
set -u
cd "$(dirname "$0")/bad" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0 count=0
for file in *.yaml; do
    name=${file%.yaml}
    [ -n "${BLESS:-}" ] || [ -e "$name.txt" ] || continue
    set --
    if [ -e "$name.args" ]; then
        while IFS= read -r line; do set -- "$@" "$line"; done < "$name.args"
    fi
    "$SENET_EXP" plan "$file" "$@" > "$tmp/out" 2> "$tmp/err"
    status=$?
    count=$((count + 1))
    [ -z "${BLESS:-}" ] || cp "$tmp/err" "$name.txt"
    if [ "$status" != 2 ] || [ -s "$tmp/out" ] || ! diff -u "$name.txt" "$tmp/err"; then
        echo "$name: status $status"
        failed=1
    fi
done
echo "$count files"
[ "$count" -ge 40 ] && [ "$failed" = 0 ]
