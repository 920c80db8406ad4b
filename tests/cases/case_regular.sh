# What is meant to be a regular file is opened so that nothing waits for it, and what is none is
# refused by its name; what a person names as an output is written as it stands.
. "$(dirname "$0")/setup.sh"

mkfifo fifo
soon() { # STATUS command ...: without waiting for anybody
    want=$1; shift
    expect "$want" timeout 20 "$@"
}

printf 'experiment: a\nextends: fifo\n' >a.yaml
soon 2 "$SENET_EXP" plan a.yaml
has err "a.yaml:2:10: error: fifo: a FIFO, not a regular file"
printf 'experiment: a\nextends: /dev/null\n' >a.yaml
soon 2 "$SENET_EXP" plan a.yaml
has err "a.yaml:2:10: error: /dev/null: a device, not a regular file"
printf 'experiment: a\nextends: /dev/zero\n' >a.yaml
soon 2 "$SENET_EXP" plan a.yaml
has err "a.yaml:2:10: error: /dev/zero: a device"
printf 'experiment: a\nextends: .\n' >a.yaml
soon 2 "$SENET_EXP" plan a.yaml
has err "a.yaml:2:10: error: .: a folder, not a regular file"
printf 'experiment: a\nextends: b.yaml\n' >a.yaml
printf 'experiment: b\n\nextends: a.yaml\n' >b.yaml
soon 2 "$SENET_EXP" plan a.yaml
has err "b.yaml:3:10: error: extends: a.yaml extends itself in the end"
truncate -s 300G big.yaml
printf 'experiment: a\nextends: big.yaml\n' >a.yaml
soon 2 "$SENET_EXP" plan a.yaml
has err "a.yaml:2:10: error: big.yaml: "
has err "MB at most"

# Data sets.
mkdir cifar idx images images/train images/val images/train/a images/val/a
for i in 1 2 3 4 5; do ln -s ../fifo cifar/data_batch_$i.bin; done
ln -s /dev/zero cifar/test_batch.bin
for part in train t10k; do for kind in images-idx3 labels-idx1; do mkfifo idx/$part-$kind-ubyte; done; done
mkfifo images/train/a/1.png images/train/a/2.jpg images/val/a/1.png
printf 'experiment: data\ndataset: {name: cifar}\nmodel.backbone: resnet8\ntrain: {epochs: 1, batch_size: 1}\n' >data.yaml
for format in cifar idx images; do
    timeout 20 "$SENET_EXP" run data.yaml dataset.name=$format dataset.path=$format --out data >out 2>err
    case $? in 2 | 3) ;; *) cat err; fail "$format is not refused" ;; esac
    grep -qE 'not a regular file' err || { cat err; fail "$format"; }
done

# Records, designs, checkpoints, locks.
expect 0 "$SENET_EXP" run tiny.yaml --quiet train.epochs=1 seeds=1 --out r
record=$(ls r/runs/*.json | head -n 1)
id=$(basename "$record" .json)
rm -f "$record"; mkfifo "$record"
for command in status export prune; do timeout 20 "$SENET_EXP" $command r >out 2>err; [ $? != 124 ] || fail "$command waits for a record"; done
rm "$record"
rm -f "r/runs/$id/lock"; mkfifo "r/runs/$id/lock"
soon 3 "$SENET_EXP" run tiny.yaml --quiet train.epochs=1 seeds=1 --out r
has err "lock: not a regular file"
rm "r/runs/$id/lock"
mkfifo "r/runs/$id/checkpoint"
timeout 20 "$SENET_EXP" run tiny.yaml --quiet train.epochs=1 seeds=1 --out r >out 2>err
[ $? != 124 ] || fail "a checkpoint is waited for"
for design in r/designs/*.json r/experiment.json; do
    [ -e "$design" ] || continue
    rm "$design"; mkfifo "$design"
done
soon 3 "$SENET_EXP" export r

# Outputs.
expect 0 "$SENET_EXP" run tiny.yaml --quiet train.epochs=1 seeds=1 --out o
expect 0 "$SENET_EXP" export o --format csv
mv out want
timeout 20 cat fifo >got & reader=$!
soon 0 "$SENET_EXP" export o --format csv -o fifo
wait $reader
cmp got want || fail "a FIFO does not get the table"
[ -p fifo ] || fail "the FIFO is replaced"
echo old >target.csv
chmod 640 target.csv
ln -s target.csv link.csv
expect 0 "$SENET_EXP" export o -o link.csv
[ -L link.csv ] || fail "the link is replaced"
cmp target.csv want || fail "the link's target is not written"
[ "$(stat -c %a target.csv)" = 640 ] || fail "mode $(stat -c %a target.csv)"
ln -s nowhere.csv dangling.csv
expect 0 "$SENET_EXP" export o -o dangling.csv
cmp nowhere.csv want || fail "a dangling link's target is not written"
mkdir folder.csv
expect 3 "$SENET_EXP" export o -o folder.csv
expect 0 "$SENET_EXP" export o --format csv -o /dev/stdout
cmp out want || fail "/dev/stdout"

# A limit of file sizes is a message.
(ulimit -f 1 && exec "$SENET_EXP" run tiny.yaml --quiet --out limited) >out 2>err
[ $? = 3 ] || { cat err; fail "ulimit -f"; }
has err "File too large"
