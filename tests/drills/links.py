"""Links, FIFOs and folders in a results folder that somebody else prepared, in the place of each of
its files and folders: nothing outside of it is made or written, and no command waits for ever."""
import os
import shutil

from rig import design

TRIES = 100


def outside(d):
    """What stands outside, with its bytes."""
    found = {}
    for at, folders, names in os.walk(d.path("outside")):
        found.update({os.path.join(at, f): None for f in folders})
        for name in names:
            with open(os.path.join(at, name), "rb") as f:
                found[os.path.join(at, name)] = f.read()
    return found


def entries(d):
    """Files and folders of the results, and names that will be written beside them."""
    found = ["."]
    for at, folders, names in os.walk(d.path("whole")):
        found += [os.path.relpath(os.path.join(at, n), d.path("whole")) for n in folders + names]
    runs = [f for f in found if f.startswith("runs/") and f.endswith(".json")]
    return sorted(found[1:] + [r[:-5] + "/checkpoint" for r in runs])


def replaced(d, target):
    kind = d.rng.choice(("link", "dangling", "fifo", "folder"))
    path, stand_in = d.path("out", target), d.path("outside", "thing")
    was_folder = os.path.isdir(path)
    if was_folder:
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)
    if kind == "link":
        d.copy(os.path.join("whole", target), "outside/thing") if was_folder else d.write("outside/thing", "not yours\n")
        os.symlink(stand_in, path)
    elif kind == "dangling":
        os.symlink(stand_in, path)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        os.mkdir(path)
    return f"{kind} for {target}"


def drill(d):
    d.write("links.yaml", design(epochs=1, seeds="[1]"))
    d.held(d.run("run", "links.yaml", "--out", "whole"), "sound", (0,))
    table, names = d.numbers("whole"), entries(d)
    while d.tries < d.planned:
        target = names[d.tries % len(names)]
        d.tries += 1
        shutil.rmtree(d.path("outside"), ignore_errors=True)
        os.makedirs(d.path("outside"))
        d.copy("whole", "out")
        # Half of the folders lack a record, so that there is something to train and to write.
        if d.rng.random() < 0.5:
            os.remove(d.path("out", d.rng.choice([n for n in names if n.startswith("runs/") and n.endswith(".json")])))
        what, before = replaced(d, target), outside(d)
        for words in (["status", "out"], ["export", "out"], ["run", "links.yaml", "--out", "out", "--quiet"],
                      ["prune", "out", "--yes"]):
            ended = d.run(*words, timeout=10)
            d.held(ended, f"{what}: {words[0]}")
            if ended.status is None:
                break
            if words[0] == "run" and ended.status == 0 and d.numbers("out") != table:
                d.found(f"{what}: run ends with 0 and other numbers")
        after = outside(d)
        changed = [n for n in {**before, **after} if before.get(n, 0) != after.get(n, 0)]
        if changed:
            d.found(f"{what}: something outside was written: {changed}")
