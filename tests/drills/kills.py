"""Runs of random threads, jobs and one or two processes, killed at random moments and started again
until they are done: the weights are those of a run that nobody stopped, and nothing is left over."""
import time

from rig import SYNTHETIC, design, first_difference

TRIES = 60


def words(d, out):
    threads = d.rng.choice((1, 2, 3, 5))
    return ["run", "kills.yaml", "--out", out, "--quiet", "--threads", str(threads),
            "--jobs", str(d.rng.randrange(1, threads + 1))]


def killed(d, out, longest):
    """Kills one or two processes, with their workers or before them."""
    group = [d.start(*words(d, out)) for _ in range(d.rng.choice((1, 1, 2)))]
    time.sleep(d.rng.uniform(0, longest))
    for child in group:
        if d.rng.random() < 0.5:
            child.kill()
            time.sleep(d.rng.uniform(0, 0.05))
        d.kill(child)
    for child in group:
        d.end(child)


def drill(d):
    d.write("kills.yaml", design(SYNTHETIC.replace("train: 192", "train: 640"), epochs=6))
    began = time.monotonic()
    d.held(d.run("run", "kills.yaml", "--out", "whole", "--threads", "1"), "uninterrupted", (0,))
    longest = time.monotonic() - began
    want, table = d.digests("whole"), d.numbers("whole")
    while d.tries < d.planned and not d.findings:
        out = f"out{d.tries}"
        for _ in range(d.rng.randrange(1, 5)):
            d.tries += 1
            killed(d, out, longest)
            if any(want.get(run) != digest for run, digest in d.digests(out).items()):
                d.found(f"a wrong digest after a kill in {out}")
        pair = [d.start(*words(d, out)) for _ in range(d.rng.choice((1, 2)))]
        for child in pair:
            d.held(d.end(child, 120), "to the end", (0,))
        other = first_difference(d.digests(out), want) or first_difference(d.numbers(out), table)
        if other:
            d.found(f"after {out} was resumed: {other}")
        d.held(d.run(*words(d, out)), "once more", (0,))
        left = [path for path in d.files(out) if path.endswith(".tmp") or "/checkpoint" in path]
        if left:
            d.found(f"left over: {left}")
