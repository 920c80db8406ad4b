"""An error of every system call that a run makes, in turn: the run says what is wrong and ends with
a status, or goes on; its records are whole and right; given again, the command ends in the right bits."""
import os
import re

from rig import design

TRIES = 400
ERRORS = ("ENOSPC", "EIO", "ENOMEM", "EINTR", "EMFILE")
# What libc ends the process for (a futex that fails otherwise than the kernel's can), what never returns, and what
# only tells the kernel an address.
NOT_FAILED = {"futex", "exit", "exit_group", "execve", "rt_sigreturn", "arch_prctl", "set_tid_address",
              "set_robust_list", "rseq", "sched_yield"}


def calls_of(d, words):
    """name -> how often, in the thread of the run that makes it most often: strace counts by thread"""
    d.held(d.run(*words, "--out", "whole", before=["strace", "-f", "-qq", "-o", "trace"], timeout=120), "traced", (0,))
    counts, by_thread = {}, {}
    with open(d.path("trace"), errors="replace") as f:
        for line in f:
            call = re.match(r"(\d+) +([a-z_0-9]+)\(", line)
            if call and call.group(2) not in NOT_FAILED:
                by_thread[call.groups()] = by_thread.get(call.groups(), 0) + 1
                counts[call.group(2)] = max(counts.get(call.group(2), 0), by_thread[call.groups()])
    return counts


def failed(d, call, error, when, words, want):
    out = f"out{d.tries}"
    what = f"{call} number {when} fails with {error} ({words[-1]} jobs)"
    # The kernel's brk has no error: what did not fit, it answers with the old end, and 0 is below any end.
    outcome = "retval=0" if call == "brk" else f"error={error}"
    inject = ["strace", "-f", "-qq", "-o", "injected", "-e", f"trace={call}", "-e",
              f"inject={call}:{outcome}:when={when}"]
    ended = d.run(*words, "--out", out, before=inject, timeout=120)
    if b"(INJECTED)" in d.read("injected"):
        d.injected += 1
    # 127: the dynamic loader's, before the program begins. 130: only a signal to stop interrupts a call of the program's.
    d.held(ended, what, (0, 1, 2, 3, 127) + ((130,) if error == "EINTR" else ()))
    empty = [path for path in d.files(out) if not os.path.getsize(path) and not re.search("/(lock|log)$|[.]tmp$", path)]
    if empty:
        d.found(f"{what}: left empty: {empty}")
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
    words = {jobs: ["run", "calls.yaml", "--quiet", "--threads", "2", "--jobs", jobs] for jobs in ("1", "2")}
    counts = {jobs: calls_of(d, words[jobs]) for jobs in words}
    want = d.digests("whole")
    calls = sorted(set(counts["1"]) | set(counts["2"])) + ["write", "fsync", "rename", "openat", "read", "close"] * 2
    d.injected = 0
    while d.tries < d.planned:
        call = calls[d.tries % len(calls)]
        jobs = d.rng.choice([j for j in words if call in counts[j]])
        d.tries += 1
        when = d.rng.randrange(1, counts[jobs][call] + 1)
        failed(d, call, d.rng.choice(ERRORS), when, words[jobs], want)
    if d.injected < d.tries // 2:
        d.found(f"of {d.tries} errors only {d.injected} were met")
