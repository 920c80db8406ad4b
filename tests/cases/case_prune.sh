# What no design names can be listed and removed; what a process is at work on stays.
. "$(dirname "$0")/setup.sh"

folder=results/tiny
tree() { (cd "$folder" && find . | grep -v /lock$ | sort); }
expect 0 "$SENET_EXP" run tiny.yaml --quiet
cp out main.md
tree >before
expect 0 "$SENET_EXP" prune $folder
[ "$(cat out)" = "nothing to remove in $folder" ] || fail "something to remove: $(cat out)"
expect 3 "$SENET_EXP" prune nowhere --yes
has err "nowhere is not a results folder"
[ ! -e nowhere ] || fail "prune made a folder"

# A trial that shares a run with the main design: dry, nothing goes; with --yes, what only it has.
expect 0 "$SENET_EXP" sweep tiny.yaml model.se.reduction=none,8 seeds=[1] --quiet
trial=$(cat $folder/designs/newest)
tree >both
expect 0 "$SENET_EXP" prune $folder --design "$trial"
has out "design  designs/$trial"
has out "reduction=8 seed 1, completed"
lacks out "reduction=none"
has out "nothing was removed"
tree | cmp - both || fail "a dry prune removed something"
expect 0 "$SENET_EXP" prune $folder --design "$trial" --yes --json
python3 -c 'import json; assert sorted(i["what"] for i in json.load(open("out"))) == ["design", "run"]' || fail "prune --json"
tree | cmp - before || fail "left, or gone: $(tree | diff - before)"
expect 0 "$SENET_EXP" export $folder
cmp out main.md || fail "the main design is not the newest one that is left"

# Without its design, a run is listed by status, and removed.
expect 0 "$SENET_EXP" run tiny.yaml train.epochs=1 seeds=[1] --quiet
rm $folder/designs/"$(cat $folder/designs/newest)".*
echo "$(cat $folder/designs/main)" >$folder/designs/newest
expect 0 "$SENET_EXP" status $folder
has out "Runs that no design names"
has out "reduction=4 seed 1, completed"
expect 0 "$SENET_EXP" prune $folder -y
tree | cmp - before || fail "left, or gone: $(tree | diff - before)"
expect 0 "$SENET_EXP" status $folder
lacks out "no design names"

# What killed processes left; not what one may be writing now.
run=$(ls -d $folder/runs/*/ | head -n 1)
run=${run%/}
touch "$run/checkpoint" "$run/checkpoint.00000000000000ab.tmp" "$run.json.00000000000000ab.tmp" \
    $folder/table.md.00000000000000ab.tmp
touch -d '2 hours ago' $folder/designs/newest.00000000000000ab.tmp $folder/table.csv.00000000000000ab.tmp
expect 0 "$SENET_EXP" prune $folder --yes
[ "$(grep -c '^temporary file' out)" = 4 ] && [ "$(grep -c '^checkpoint' out)" = 1 ] || fail "listed: $(cat out)"
rm $folder/table.md.00000000000000ab.tmp || fail "a fresh file is gone"
tree | cmp - before || fail "left, or gone: $(tree | diff - before)"

# A damaged design: its runs might be anybody's.
cp $folder/designs/"$(cat $folder/designs/main)".json whole
echo >>$folder/designs/"$(cat $folder/designs/main)".json
expect 3 "$SENET_EXP" prune $folder --yes
has err "edited or cut"
cp whole $folder/designs/"$(cat $folder/designs/main)".json
tree | cmp - before || fail "gone: $(tree | diff - before)"

# A run that is being trained stays, and its design.
"$SENET_EXP" sweep tiny.yaml train.epochs=1,100000 model.se.reduction=none baseline=none seeds=[1] --out busy --quiet >out1 2>err1 &
pid=$!
wait_for 20 sh -c 'ls busy/runs/*/checkpoint >/dev/null 2>&1'
expect 0 "$SENET_EXP" prune busy --yes --design main
has out "a process is at work on it: it stays"
[ -e busy/designs/"$(cat busy/designs/main)".json ] || fail "the design of a live process is gone"
[ "$(statuses busy)" = " 1 completed" ] || fail "a run of the design of a live process is gone"
mkdir away && mv busy/designs/*.json away
expect 0 "$SENET_EXP" run tiny.yaml train.epochs=1 --out busy --quiet
expect 0 "$SENET_EXP" prune busy --yes
has out "a process is at work on it: it stays"
ls busy/runs/*/checkpoint >/dev/null || fail "the run of a live process is gone"
kill -INT $pid
wait $pid
[ $? = 130 ] || fail "not interrupted: $(cat err1)"
expect 0 "$SENET_EXP" prune busy --yes
! ls busy/runs/*/checkpoint >/dev/null 2>&1 || fail "a run that no process is at work on stayed"

# Where the last design goes, the tables go, and a run makes all of it again.
expect 0 "$SENET_EXP" prune $folder --yes --design main
[ ! -e $folder/table.md ] && [ -z "$(ls $folder/runs)" ] || fail "left: $(tree)"
expect 3 "$SENET_EXP" status $folder
expect 0 "$SENET_EXP" run tiny.yaml --quiet
tree | cmp - before || fail "not made again: $(tree | diff - before)"
