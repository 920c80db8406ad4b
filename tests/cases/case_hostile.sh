# Any experiment file of up to 1 MB is answered in two seconds of CPU time and 200 MB, or refused
# with the limit that it breaks. (The test allows twice that, since other programs slow this one down;
# under a sanitizer ten times, and any memory.)
. "$(dirname "$0")/setup.sh"

sanitized=0
(ulimit -v 4000000 && "$SENET_EXP" list backbones >out 2>err) || sanitized=1
cat >hostile.py <<'EOF2'
import os, sys
program, sanitized = sys.argv[1], sys.argv[2] == "1"
base = "experiment: h\ndataset: {name: synthetic}\nmodel.backbone: resnet8\n"
many = lambda n, form="{}", between=", ", first=1: between.join(form.format(i) for i in range(first, first + n))
sweep = lambda key, n, form="{}", first=1: f"  {key}: [{many(n, form, first=first)}]\n"
unknown = many(980, "key{}: 1", "\n") + "".join(f"\n{s}:\n" + many(980, "  odd{}: 1", "\n") for s in ("augment", "train", "model.se"))
files = [
    # what is in the file, and what it is told; "": it is planned
    (base + "sweep:\n" + sweep("model.se.reduction", 99000), "is swept over 99000 values; 10000 are the most"),
    (base + "sweep:\n" + sweep("train.epochs", 10001), "is swept over 10001 values; 10000 are the most"),
    (base + "sweep:\n" + sweep("train.epochs", 10000), ""),
    (base + "sweep:\n" + sweep("dataset.train", 10000, first=1000), ""),
    (base + "sweep:\n" + sweep("train.epochs", 10000) + "seeds: 1000\n", "10000000 runs; 100000 are the most"),
    (base + unknown + "\nsweep:\n" + sweep("train.epochs", 1000), "there is no setting key1"),
    (base + "seeds: [" + many(90000, "7") + "]\n", "7 is given twice"),
    (base + "seeds:\n" + many(90000, "- 7", "\n") + "\n", "7 is given twice"),
    (base + "sweep:\n  train.epochs: [" + many(10000, "3") + "]\n", "this value is swept twice"),
    (base + "sweep:\n" + sweep("train.batch_size", 10000, "a{}"), '"a1" is not an integer'),
    ("train.epochs: x\nmodel.width: x\n" + base + "sweep:\n" + sweep("dataset.train", 10000, first=1000), '"x" is not'),
    ("experiment: h\ndataset: {name: synthetic}\nmodel.backbone: resnet152\nsweep:\n" + sweep("model.se.reduction", 100) + sweep("train.batch_size", 100),
     "more than 500000 layers together"),
    ("experiment: h\ndataset: {name: cifar, classes: 10}\nmodel.backbone: resnet8\nsweep:\n" + sweep("dataset.path", 100, "p" * 1990 + "{}") + sweep("train.epochs", 100), ""),
    (base + "variants:\n" + many(9000, "- {{name: v{}, train.epochs: {}, model.se.reduction: none, model.se.bias: true}}".replace("{}", "{0}"), "\n") + "\n",
     "model.se.bias has no effect"),
    (base + "sweep:\n  model.se.stages: [[" + many(90000, "2") + "]]\n" + sweep("train.epochs", 1000), "stage 2 is listed twice"),
    (base + "question: " + "?" * 900000 + "\n", "a text of more than 2,000 bytes"),
    ("\n" * 900000 + base + "bogus: 1\n", "900004:1: error: there is no setting bogus"),
    (base + "#" * 1000000 + "\n", "an experiment file has 1 MB at most"),
]
bad = 0
for number, (text, told) in enumerate(files):
    with open("hostile.yaml", "w") as f:
        f.write(text)
    child = os.fork()
    if child == 0:
        for stream, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        os.execv(program, [program, "plan", "hostile.yaml"])
    _, status, used = os.wait4(child, 0)
    seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6
    said, want = open("err", errors="replace").read(), 2 if told else 0
    good = os.WIFEXITED(status) and os.WEXITSTATUS(status) == want and told in said and len(said) < 100000
    if not good or seconds > (20 if sanitized else 4) or (megabytes > 200 and not sanitized):
        bad += 1
        print(f"file {number}: status {status}, {seconds:.1f} s, {megabytes:.0f} MB: {said[:300]}", file=sys.stderr)
sys.exit(bad > 0)
EOF2
python3 hostile.py "$SENET_EXP" $sanitized || fail "hostile files"

# Words that nobody reads to their end are shortened; the reason behind them stays.
word=$(printf '%060000d' 0 | tr 0 x)
expect 2 "$SENET_EXP" "$word"
has err "xxx...xxx"
has err "senet-exp help"
[ "$(wc -c <err)" -lt 1000 ] || fail "a message of $(wc -c <err) bytes"
expect 2 "$SENET_EXP" plan tiny.yaml "model.se.squeeze=$(printf '%01900d' 0)"
has err "is not one of avg, max, none"
[ "$(wc -c <err)" -lt 2000 ] || fail "a message of $(wc -c <err) bytes"
