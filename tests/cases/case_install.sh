# What make install copies works wherever it is put; make uninstall removes all of it.
. "$(dirname "$0")/setup.sh"

command -v make >/dev/null || { echo "make is missing: nothing installed"; exit 0; }
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
built=${SENET_EXP#"$root"/}
install() { make -s -C "$root" B="$(dirname "$built")" -o "$built" PREFIX="$scratch/usr" "$1"; } # the program as it is
expect 0 install install
[ "$(wc -c <usr/bin/senet-exp)" -lt "$(wc -c <"$SENET_EXP")" ] || fail "not stripped"
for file in README.md record.schema.json; do
    cmp "usr/share/senet-exp/results/$file" "$root/results/$file" || fail "results/$file"
done

"$SENET_EXP" list schema | cmp - usr/share/senet-exp/experiment.schema.json || fail "experiment.schema.json"

mv usr moved
mkdir -p here/configs
cd here || exit 1
expect 0 ../moved/bin/senet-exp list presets
has out "$scratch/moved/share/senet-exp/configs/cifar10/table10.yaml"
lacks out "/../"
[ "$(wc -l <out)" = "$(($(find "$root/configs" -name '*.yaml' | wc -l) + 1))" ] || fail "not all presets"
expect 0 ../moved/bin/senet-exp help
start=$(sed -n 's/^Start with: *senet-exp run //p' out)
expect 0 ../moved/bin/senet-exp plan "$start"
has out "results/quickstart"
expect 0 ../moved/bin/senet-exp plan cifar10/table10
expect 2 ../moved/bin/senet-exp plan configs/quickstart.yaml
has err "did you mean quickstart?"
cd .. || exit 1

mv moved usr
expect 0 install uninstall
[ -z "$(find usr -type f)" ] || fail "uninstall leaves $(find usr -type f)"
