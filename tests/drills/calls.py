"""An error of every system call that a run makes, in turn: the run says what is wrong and ends with
a status, or goes on; its records are whole and right; given again, the command ends in the right bits."""
import re

from rig import design

TRIES = 150
ERRORS = ("ENOSPC", "EIO", "ENOMEM", "EINTR", "EMFILE")
# What libc ends the process for (a futex that fails otherwise than the kernel's can), what never returns, and what
# only tells the kernel an address.
NOT_FAILED = {"futex", "exit", "exit_group", "execve", "rt_sigreturn", "arch_prctl", "set_tid_address",
              "set_robust_list", "rseq", "sched_yield"}


def calls_of(d, words):
    """name -> how often, over all processes of the run"""
    d.held(d.run(*words, "--out", "whole", before=["strace", "-f", "-qq", "-o", "trace"], timeout=120), "traced", (0,))
    counts = {}
    with open(d.path("trace"), errors="replace") as f:
        for line in f:
            call = re.match(r"\d+ +([a-z_0-9]+)\(", line)
            if call and call.group(1) not in NOT_FAILED:
                counts[call.group(1)] = counts.get(call.group(1), 0) + 1
    return counts


def failed(d, call, error, when, words, want):
    out = f"out{d.tries}"
    what = f"{call} number {when} fails with {error} ({words[-1]} jobs)"
    inject = ["strace", "-f", "-qq", "-e", "trace=none", "-o", "/dev/null", "-e", f"inject={call}:error={error}:when={when}"]
    ended = d.run(*words, "--out", out, before=inject, timeout=120)
    # 127: the dynamic loader's, before the program begins
    d.held(ended, what, (0, 1, 2, 3, 127))
    digests = d.digests(out)
    if any(want.get(run) != digest for run, digest in digests.items()):
        d.found(f"{what}: a wrong digest")
    if ended.status == 0 and digests != want:
        d.found(f"{what}: status 0, and not all runs are done")
    d.held(d.run(*words, "--out", out), f"{what}: the same command again", (0,))
    if d.digests(out) != want:
        d.found(f"{what}: {d.digests(out)} after the same command again, not {want}")


def drill(d):
    d.write("calls.yaml", design(epochs=2, seeds="[1]"))
    words = {jobs: ["run", "calls.yaml", "--threads", "2", "--jobs", jobs] for jobs in ("1", "2")}
    counts = {jobs: calls_of(d, words[jobs]) for jobs in words}
    want = d.digests("whole")
    calls = sorted(set(counts["1"]) | set(counts["2"]))
    while d.tries < d.planned:
        call = calls[d.tries % len(calls)]
        jobs = d.rng.choice([j for j in words if call in counts[j]])
        d.tries += 1
        when = d.rng.randrange(1, counts[jobs][call] + 1)
        failed(d, call, d.rng.choice(ERRORS), when, words[jobs], want)
