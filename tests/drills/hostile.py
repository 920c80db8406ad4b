"""Hostile experiment files and command lines: answered in time, without a signal, and without a
control character on what is written."""
from rig import damage, design

TRIES = 2000
NASTY = ["\x1b[31m", "\x07", "\b", "\x7f", "\x9b", "\u202e", "\u2028", "\ufeff", "\udcff", "\r", "~", "-", "1e999", "nan",
         "0x1p9", "9" * 400, "x" * 5000, "{", "[", "&a", "*a", "<<", "!!binary", "%", "'", '"', "null", "auto", "", "é", "日本"]
KEYS = ["experiment", "question", "mirrors", "extends", "dataset", "dataset.name", "dataset.path", "model", "model.backbone",
        "model.se", "model.se.reduction", "train", "train.epochs", "train.batch_size", "sweep", "variants", "seeds", "baseline"]
COMMANDS = ["plan", "describe", "list", "status", "export", "prune", "help", "run", "sweep", "bench"]
OPTIONS = ["--out", "--threads", "--jobs", "--isa", "--json", "--quiet", "--design", "--format", "--rows", "-o", "-q", "-y",
           "--", "-", "--help", "--version", "--nothing", "--out=", "--threads=0", "--jobs=auto"]


def scalar(d):
    text = d.rng.choice(NASTY) if d.rng.random() < 0.7 else "".join(chr(d.rng.randrange(1, 0x250)) for _ in range(d.rng.randrange(40)))
    if d.rng.random() < 0.4:
        text = '"' + "".join(f"\\x{ord(c):02x}" if ord(c) < 256 else c for c in text) + '"'
    return text


def value(d, depth):
    kind = d.rng.randrange(6)
    if kind == 0 and depth:
        return "[" + ", ".join(value(d, depth - 1) for _ in range(d.rng.randrange(6))) + "]"
    if kind == 1 and depth:
        return "{" + ", ".join(f"{d.rng.choice(KEYS)}: {value(d, depth - 1)}" for _ in range(d.rng.randrange(6))) + "}"
    return scalar(d)


def keys(d):
    return "".join(f"{d.rng.choice(KEYS) if d.rng.random() < 0.8 else scalar(d)}: {value(d, 4)}\n" for _ in range(d.rng.randrange(1, 12)))


def nested(d):
    depth = d.rng.choice((50, 1000, 20000))
    opening = d.rng.choice(("[", "{a: ", "- ", "? ", "{? ", "[{"))
    return "sweep: " * d.rng.randrange(2) + "\n" * d.rng.randrange(2) + opening * depth + d.rng.choice(("", "]" * depth))


def anchors(d):
    depth = d.rng.choice((5, 30))
    return "a0: &a0 [x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [*a{i}, *a{i}, *a{i}]\n" for i in range(depth))


def thousands(d):
    n = d.rng.choice((1000, 20000))
    form = d.rng.choice(("key{}: 1\n", "train.epochs: {}\n", "? {}\n", "model.se.reduction{}: none\n", "# {}\n"))
    return design() + "".join(form.format(i) for i in range(n))


def huge(d):
    return f"experiment: {d.rng.choice('a0[é')}".ljust(d.rng.choice((3000, 200000, 1100000)), d.rng.choice("a0[: "))


def altered(d):
    """A sound file with other bytes in it, or nasty words between its own."""
    text = design()
    if d.rng.random() < 0.5:
        return damage(d.rng, text.encode())
    at = d.rng.choice([i for i, c in enumerate(text) if c in " \n"])
    return text[:at + 1] + scalar(d) + text[at + 1:]


def file_tried(d):
    text = d.rng.choice((keys, keys, altered, altered, altered, nested, anchors, thousands, huge))(d)
    d.write("hostile.yaml", text)
    ended = d.run("plan", "hostile.yaml", timeout=20)
    if not d.held(ended, "plan", (0, 2, 3)):
        d.findings[-1] += f"; the file begins {text[:200]!r}"


def line_tried(d):
    """Nothing that trains: what `run`, `sweep` and `bench` are given is refused before, by a word that nobody knows."""
    command = d.rng.choice(COMMANDS)
    words = [command] if d.rng.random() < 0.9 else [scalar(d)]
    for _ in range(d.rng.randrange(6)):
        words.append(d.rng.choice((d.rng.choice(OPTIONS), scalar(d), f"{d.rng.choice(KEYS)}={scalar(d)}", "good.yaml", "results")))
    if command in ("run", "sweep", "bench"):
        words.append("--no-such-option")
    words = [w.replace("\0", "").encode("utf-8", "surrogateescape") for w in words]
    ended = d.run(*words, timeout=20)
    if not d.held(ended, "command line", (0, 2, 3)):
        d.findings[-1] += f"; {[w[:60] for w in words]}"


def drill(d):
    d.write("good.yaml", design())
    d.held(d.run("run", "good.yaml", "--out", "results"), "sound", (0,))
    while d.tries < d.planned:
        d.tries += 1
        (file_tried if d.tries % 2 else line_tried)(d)
