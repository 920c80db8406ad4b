"""Damaged data sets (IDX, CIFAR binary and python, JPEG, PNG): refused by name or trained on as they
are, under an id of their own; with sound data again, the runs are the old ones."""
import os

from rig import ROOT, damage, design

TRIES = 300


def word(n):
    return n.to_bytes(4, "big")


def idx(d):
    for part, n in (("train", 64), ("t10k", 32)):
        pixels, labels = d.rng.randbytes(n * 256), bytes(i % 4 for i in range(n))
        d.write(f"idx/{part}-images-idx3-ubyte", word(0x803) + word(n) + word(16) + word(16) + pixels)
        d.write(f"idx/{part}-labels-idx1-ubyte", word(0x801) + word(n) + labels)


CIFAR = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]


def cifar(d):
    for name in CIFAR:
        d.write(f"cifar/{name}.bin", b"".join(bytes([i % 10]) + d.rng.randbytes(3072) for i in range(20)))
    d.write("cifar/batches.meta.txt", "\n".join(f"class{i}" for i in range(10)) + "\n")


def seed_of(kind, name):
    with open(os.path.join(ROOT, "tests/fuzz/seeds", kind, name), "rb") as f:
        return f.read()


def pickle(d):
    for name in CIFAR:
        d.write(f"pickle/{name}", seed_of("pickle", "python3_cifar10"))
    d.write("pickle/batches.meta", seed_of("pickle", "python3_meta10"))


def pictures(d, out, kind, suffix):
    """Of libFuzzer's seeds; three bytes stand before each picture."""
    names = sorted(os.listdir(os.path.join(ROOT, "tests/fuzz/seeds", kind)))
    for part in ("train", "test"):
        for at, name in enumerate(names * (3 if len(names) < 12 else 1)):
            d.write(f"{out}/{part}/class{at % 2}/{at}.{suffix}", seed_of(kind, name)[3:])


def jpeg(d):
    pictures(d, "jpeg", "images", "jpg")


def png(d):
    pictures(d, "png", "png", "png")


SETS = {"idx": ("idx", idx), "cifar": ("cifar", cifar), "pickle": ("cifar", pickle),
        "jpeg": ("images", jpeg), "png": ("images", png)}


def prepared(d):
    """The sets that a run can be made of, with what comes out."""
    want = {}
    for name, (layout, make) in SETS.items():
        make(d)
        d.write(f"{name}.yaml", design(f"{{name: {layout}, path: {name}}}", epochs=1, seeds="[1]")
                .replace("width: 0.5", "width: 0.5, input_size: 16" if layout == "images" else "width: 0.5")
                .replace("batch_size: 32", "batch_size: 4"))
        if d.held(d.run("run", f"{name}.yaml", "--out", f"out-{name}"), f"sound {name}", (0,)):
            want[name] = d.digests(f"out-{name}"), d.numbers(f"out-{name}")
    return want


def damaged(d, name, want):
    target = os.path.relpath(d.rng.choice(d.files(name)), d.dir)
    data = d.read(target)
    d.write(target, damage(d.rng, data))
    for command in (["plan"], ["run", "--out", f"out-{name}"]):
        ended = d.run(command[0], f"{name}.yaml", *command[1:])
        d.held(ended, f"damaged {target}: {command[0]}")
        if ended.status in (2, 3) and name + "/" not in ended.err and name + ":" not in ended.err:
            d.found(f"damaged {target}: {command[0]} does not name it: {ended}")
    d.write(target, data)
    d.held(d.run("run", f"{name}.yaml", "--out", f"out-{name}"), f"{target} as it was", (0,))
    digests = d.digests(f"out-{name}")
    if {run: digests.get(run) for run in want[0]} != want[0] or d.numbers(f"out-{name}") != want[1]:
        d.found(f"{target} was damaged and mended: other numbers than before")


def drill(d):
    want = prepared(d)
    while d.tries < d.planned and want:
        d.tries += 1
        name = sorted(want)[d.tries % len(want)]
        damaged(d, name, want[name])
