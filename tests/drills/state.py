"""Damaged files of a results folder (designs, records, predictions, tables, a checkpoint): refused by
name or without effect; never a crash, a hang, or another number in a table."""
import os
import re
import time

from rig import SYNTHETIC, damage, design

TRIES = 150
RECORD = re.compile("runs/[0-9a-f]{16}[.]json")  # of predictions and progress, no part of the program reads anything


def prepared(d):
    """A folder with completed runs and one that was killed behind a checkpoint."""
    d.write("state.yaml", design(SYNTHETIC.replace("train: 192", "train: 960"), epochs=3))
    d.held(d.run("run", "state.yaml", "--out", "whole"), "uninterrupted", (0,))
    d.held(d.run("run", "state.yaml", "seeds=[1]", "--out", "begun"), "one seed", (0,))
    child = d.start("run", "state.yaml", "--out", "begun", "--threads", "1")
    for _ in range(2000):
        if any("checkpoint" in names for _, _, names in os.walk(d.path("begun", "runs"))):
            break
        time.sleep(0.005)
    d.kill(child)
    d.end(child)


def targets(d):
    found = [os.path.relpath(path, d.path("begun")) for path in d.files("begun")]
    return [name for name in found if os.path.basename(name) not in ("lock", "log")]


def harmless(d, target, data, table):
    """Tables of the damaged folder, then the command again."""
    what = f"damaged {target}"
    d.held(d.run("status", "out"), f"{what}: status")
    before, now = d.numbers("begun"), d.numbers("out")
    design_lost = target.startswith("designs/")  # then an older design of the folder may be the newest
    if now is not None and now != before and not design_lost:
        d.found(f"{what}: other numbers are exported")
    ended = d.run("run", "state.yaml", "--out", "out")
    d.held(ended, f"{what}: run")
    if ended.status == 0 and d.numbers("out") != table:
        d.found(f"{what}: run ends with 0 and other numbers")
    if ended.status == 0 and RECORD.fullmatch(target) and d.read(f"out/{target}") == data:
        d.found(f"{what}: run ends with 0 and believes it")
    if ended.status and os.path.basename(target).split(".")[0] not in ended.err:
        d.found(f"{what}: run is refused without its name: {ended}")
    if any(d.want.get(run) != digest for run, digest in whole_digests(d).items()):
        d.found(f"{what}: a wrong digest in a record that is believed")


def whole_digests(d):
    """Of the records that the program believes."""
    ended = d.run("export", "out", "--format", "json", "--rows", "runs")
    return d.digests("out") if ended.status == 0 else {}


def drill(d):
    prepared(d)
    d.want, table = d.digests("whole"), d.numbers("whole")
    names = targets(d)
    while d.tries < d.planned:
        target = names[d.tries % len(names)]
        d.tries += 1
        d.copy("begun", "out")
        data = damage(d.rng, d.read(os.path.join("out", target)))
        d.write(os.path.join("out", target), data)
        if data != d.read(os.path.join("begun", target)):
            harmless(d, target, data, table)
