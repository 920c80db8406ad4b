"""What the drills share: a scratch folder, a tiny experiment, running the program with an eye on how
it ends, and the list of findings."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What nobody wrote to a terminal on purpose: C0 without line feed and tab, DEL, C1, separators, marks of direction.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
SYNTHETIC = "{name: synthetic, size: 16, classes: 4, train: 192, test: 64}"
# Members of a table that differ between runs of the same bits: its notes tell of threads and jobs.
CLOCKS = re.compile("^(seconds|images_per_second|machine|notes)$")


def design(dataset=SYNTHETIC, epochs=3, seeds="[1, 2]"):
    return f"""experiment: drill
dataset: {dataset}
model: {{backbone: resnet8, width: 0.5}}
train: {{epochs: {epochs}, batch_size: 32, optimizer: {{lr: 0.05}}}}
sweep:
  model.se.reduction: [none, 4]
seeds: {seeds}
"""


class Ended:
    """How a command ended: its status (negative: by that signal; None: it hung), what it wrote."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __str__(self):
        return f"status {self.status}: {self.err[-300:].strip()!r}"


class Drill:
    """One drill: draws from a seed of its own, works in a scratch folder, notes what it finds."""

    def __init__(self, name, program, seed, tries):
        self.name, self.program, self.planned = name, program, tries
        self.rng = random.Random(f"{name} {seed}")
        self.dir = tempfile.mkdtemp(prefix=f"senet-drill-{name}-")
        self.tries, self.findings, self.children = 0, [], set()

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def files(self, folder):
        """All that are in it, at any depth, sorted."""
        return sorted(os.path.join(at, name) for at, _, names in os.walk(self.path(folder)) for name in names)

    def copy(self, source, target):
        shutil.rmtree(self.path(target), ignore_errors=True)
        shutil.copytree(self.path(source), self.path(target), symlinks=True)

    def found(self, what):
        self.findings.append(f"{self.name}, try {self.tries}: {what}")

    def start(self, *words, before=()):
        """The command with a process group of its own, so that its workers can be ended with it."""
        child = subprocess.Popen([*before, self.program, *words], cwd=self.dir, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.children.add(child)
        return child

    def end(self, child, timeout=60):
        """Waits for it; whatever it leaves of its group is killed."""
        status = None
        try:
            out, err = child.communicate(timeout=timeout)
            status = child.returncode
        except subprocess.TimeoutExpired:
            self.kill(child)
            out, err = child.communicate()
        self.kill(child)
        self.children.discard(child)
        return Ended(status, out.decode("utf-8", "backslashreplace"), err.decode("utf-8", "backslashreplace"))

    @staticmethod
    def kill(child):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def run(self, *words, before=(), timeout=60):
        return self.end(self.start(*words, before=before), timeout)

    def held(self, ended, what, statuses=(0, 1, 2, 3)):
        """Every command ends by itself, with a status of the list, a message where that is not 0 or 1,
        and no control character on what it writes."""
        if ended.status is None:
            return self.found(f"{what}: hangs")
        if ended.status not in statuses:
            return self.found(f"{what}: {ended}")
        if ended.status > 1 and not ended.err.strip():
            return self.found(f"{what}: status {ended.status} without a message")
        said = CONTROL.search(ended.out + ended.err)
        if said:
            return self.found(f"{what}: writes {said.group()!r}")
        return True

    def digests(self, out):
        """id -> digest of the final weights, of the completed runs. Every record must be whole."""
        digests = {}
        for name in sorted(os.listdir(self.path(out, "runs"))) if os.path.isdir(self.path(out, "runs")) else []:
            if name.endswith(".json"):
                with open(self.path(out, "runs", name), encoding="utf-8") as f:
                    record = json.load(f)
                if record["status"] == "completed":
                    digests[record["id"]] = record["weights_digest"]
        return digests

    def numbers(self, out):
        """The table, without what clocks say and who computed it; None where it is refused."""
        ended = self.run("export", out, "--format", "json")
        self.held(ended, f"export {out}")
        return self.lasting(json.loads(ended.out)) if ended.status == 0 else None

    def lasting(self, value):
        if isinstance(value, dict):
            return {k: self.lasting(v) for k, v in value.items() if not CLOCKS.match(k)}
        return [self.lasting(v) for v in value] if isinstance(value, list) else value

    def close(self):
        for child in list(self.children):
            self.kill(child)
        shutil.rmtree(self.dir, ignore_errors=True)


def damage(rng, data):
    """Some other bytes: flipped bits, new bytes, cut short, lengthened, a stretch of zeros, another digit."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        at = rng.randrange(len(data)) if data else 0
        kind = rng.randrange(8) if data else 3
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data += bytes(rng.randrange(256) for _ in range(rng.choice((1, 9, 700))))
        elif kind == 4:
            data[at:at + 64] = bytes(len(data[at:at + 64]))
        elif kind == 5:
            del data[at:at + rng.randrange(1, 40)]
        else:
            digits = [i for i, c in enumerate(data) if c in b"0123456789"]
            data[rng.choice(digits or [at])] = rng.choice(b"0123456789")
    return bytes(data)


def first_difference(a, b, where=""):
    """Where two values of JSON differ, for a message."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        pairs = [(f"{where}.{k}", a[k], b[k]) for k in a]
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        pairs = [(f"{where}[{i}]", x, y) for i, (x, y) in enumerate(zip(a, b))]
    else:
        return None if a == b else f"{where}: {a!r}, not {b!r}"
    return next(filter(None, (first_difference(x, y, at) for at, x, y in pairs)), None)
