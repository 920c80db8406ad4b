# While runs go on: live lines that fit the terminal, also after it changed its size; a log in each
# run's folder; status of what runs. Afterwards: where the results are, and what to do next.
. "$(dirname "$0")/setup.sh"

cat >long.yaml <<'EOF'
extends: tiny.yaml
experiment: long
dataset: {name: synthetic, size: 16, classes: 4, train: 960, test: 64, validation: 64}
train: {epochs: 1000}
variants:
  "日本語の比較とその説明": {model.se.reduction: 4}
  "a variant of a name that is longer than others": {model.se.reduction: 2}
sweep: {}
baseline: none
EOF

# A terminal of 80 columns that becomes one of 50 and then of 130. What is drawn within half a second
# of a change may be of the size before.
cat >watch.py <<'EOF'
import fcntl, os, pty, re, select, signal, struct, sys, termios, time, unicodedata
def width(s): return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s)
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[1], sys.argv[1:])

def frames(seconds):
    """The live lines of each drawing in the next so many seconds."""
    text, until = b"", time.time() + seconds
    while time.time() < until:
        if select.select([fd], [], [], 0.1)[0]: text += os.read(fd, 65536)
    for frame in text.split(b"\r\x1b[J")[1:-1]:
        lines = re.sub("\x1b\\[[0-9;]*[mA]", "", frame.decode()).split("\r\n")
        yield [line for line in lines if " left" in line]

shown = set()
for columns in 80, 50, 130:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    list(frames(0.6))
    drawn = []
    for _ in range(100):
        drawn += [f for f in frames(0.2) if f]
        if len(drawn) >= 3: break
    assert drawn, "nothing is drawn on %d columns" % columns
    for line in sum(drawn, []):
        assert width(line) < columns, "%d columns: %r" % (columns, line)
        if "for all" in line: shown.add("all 4 runs" if "all 4 runs" in line else line)
        elif columns >= 80: assert re.match(r"\[\d/4\] .* left, epoch \d+/1000", line), line
        if "validation" in line: shown.add("validation")
        if columns == 130 and width(line) > 80: shown.add("wide")
os.kill(pid, signal.SIGINT)
try:
    while os.read(fd, 65536): pass
except OSError: pass
os.waitpid(pid, 0)
assert shown == {"all 4 runs", "validation", "wide"}, shown
EOF
for jobs in 1 2; do
    python3 watch.py "$SENET_EXP" run long.yaml --out live$jobs --jobs $jobs >out 2>err || { cat out err; fail "live lines, $jobs at a time"; }
done

# The log of a run that goes on, and what status says of it.
"$SENET_EXP" run long.yaml --out on --jobs 2 --quiet >out 2>err &
pid=$!
has_epochs() { [ "$(cat on/runs/*/log 2>/dev/null | grep -c 'epoch [12],')" = 4 ]; }
wait_for 60 has_epochs
has_progress() { [ "$(ls on/runs/*/progress.json 2>/dev/null | wc -l)" = 2 ]; }
wait_for 60 has_progress
log=$(ls on/runs/*/log | head -n 1)
head -n 1 "$log" | grep -qE '^20[0-9-]* [0-9:]* .* seed 1 begins$' || fail "log begins: $(head -n 1 "$log")"
grep -qE '^20[0-9-]* [0-9:]* epoch 2, loss [0-9.]*, error [0-9.]* %, validation error [0-9.]* %, [0-9]* images/s$' "$log" || fail "log: $(cat "$log")"
expect 0 "$SENET_EXP" status on
grep -qE 'running .*left, epoch [0-9]+/1000 [0-9]+ %, error [0-9.]* %.*, loss [0-9.]*, [0-9]+ images/s' out || fail "status of a running run: $(cat out)"
grep -qE '4 runs: 2 running, 2 waiting; time left, 2 runs at a time: [0-9]' out || fail "time left: $(cat out)"
expect 0 "$SENET_EXP" status on --json
python3 - <<'EOF' || fail "status --json of a running run: $(cat out)"
import json
rows = json.load(open("out"))
assert [r["status"] for r in rows].count("running") == 2, rows
for r in rows:
    running = r["status"] == "running"
    for key in "epoch", "epoch_done", "train_loss", "train_error", "images_per_second", "seconds_left":
        assert (r[key] is not None) == running, key
    assert r["why"] is None and r["top1"] is None
    if running: assert 0 < r["epoch"] <= 1000 and 0 < r["epoch_done"] <= 1 and r["jobs"] == 2 and r["seconds_left"] > 0
EOF
kill -9 $pid
wait $pid 2>/dev/null
no_worker() { ! "$SENET_EXP" status on | grep -q ' running'; }
wait_for 20 no_worker
expect 0 "$SENET_EXP" status on --json
python3 -c 'import json; assert all(r["epoch"] is None for r in json.load(open("out")))' || fail "a killed process still speaks"

# A run that continues says so in its log, one that ended leaves no progress.
sed -i 's/epochs: 2/epochs: 40/' tiny.yaml
"$SENET_EXP" run tiny.yaml --out next --quiet 'seeds=[1]' >out 2>err &
pid=$!
has_checkpoint() { ls next/runs/*/checkpoint >/dev/null 2>&1; }
wait_for 20 has_checkpoint
kill -INT $pid
wait $pid
expect 0 "$SENET_EXP" run tiny.yaml --out next 'seeds=[1]'
has err 'This table is in next/table.md and table.csv. The runs are in next/runs. Total time: '
has err "1 seed cannot separate any rows; 6 can:"
cat next/runs/*/log >log
grep -q ' interrupted' log || fail "log of an interrupted run: $(cat log)"
grep -qE ' continues after epoch [0-9]+$' log || fail "log of a continued run: $(cat log)"
[ "$(grep -c ' test error ' log)" = 2 ] || fail "outcomes: $(cat log)"
! ls next/runs/*/progress.json >/dev/null 2>&1 || fail "progress.json of a run that ended"
expect 0 "$SENET_EXP" status next --json
python3 -c '
import json
for r in json.load(open("out")):
    assert r["why"] is None and r["seconds"] != round(r["seconds"])' || fail "status --json: $(cat out)"

# What run says below its table is a command that works.
sed -i 's/epochs: 40/epochs: 1/' tiny.yaml
expect 0 "$SENET_EXP" run tiny.yaml --out 'a folder' seeds=2 --jobs 2
has err "2 seeds cannot separate any rows; 6 can:"
command=$(tail -n 1 err)
expect 0 sh -c "$command"
has err "4 runs kept"
lacks err "cannot separate"
grep -q '^| 4 .*| *6 |' 'a folder/table.md' || fail "not six seeds: $(cat 'a folder/table.md')"
expect 0 "$SENET_EXP" run tiny.yaml --out 'a folder' seeds=2 --quiet
[ ! -s err ] || fail "--quiet says: $(cat err)"
expect 1 "$SENET_EXP" run tiny.yaml --out bad train.optimizer.lr=1e6
has err "did not complete: "
has err "status bad\` says why"

# A log that cannot be written stops nothing, and is said once a run.
expect 0 "$SENET_EXP" run tiny.yaml --out whole seeds=1 --quiet
for folder in whole/runs/*/; do
    mkdir -p "none/runs/$(basename "$folder")/log"
done
expect 0 "$SENET_EXP" run tiny.yaml --out none seeds=1 --quiet
[ "$(grep -c 'senet-exp: warning: .*/log: cannot be written: Is a directory; the run goes on without' err)" = 2 ] || fail "no log: $(cat err)"
digests whole >want
digests none | cmp - want || fail "without a log: other weights"
