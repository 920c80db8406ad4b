#!/usr/bin/env python3
"""Whole networks in PyTorch, in float64: what tests/unit/test_networks.c compares with.

    python3 tests/golden/networks.py tests/golden/networks [FAMILY ...]

writes FAMILY.txt for those families, or for all and se_PLACEMENT.txt for all SE blocks. Families
whose networks come from packages (timm, pytorchcv: from PyPI) need those. A family is
tests/families/FAMILY.py with Network(s, kinks), a module whose parameters are named as the program's,
and CASES, a list of settings s: a case at least at each placement that the family has. Every choice
that has a kink goes through `kinks`, and SE blocks are those of parts.py. Settings have the keys of DEFAULT and the
family's options; `damped`: norms with it in their names begin ten times smaller.

Weights and inputs follow from (name, index) by a small integer hash that the C test computes as
well, so a golden file holds only results. For each network:

    network KEY=VALUE ...      the settings, and `seed`, which names the images
    loss TRAINING EVALUATION   of one training step, and then with the running statistics
    NAME NORM DOT DOT DOT      of each parameter's gradient: its L2 norm, and dot products with
                               three vectors of +1 and -1 (the same hash, NAME#0 .. NAME#2)

The mean square of a difference between dots estimates the squared L2 norm of a difference between
gradients, so that three of them notice an error in any element.

A kink (ReLU, maximum) that float32 and float64 pass on different sides would change gradients by
more than rounding. The seed is the first whose images keep every such decision MARGIN away from
its kink, or `margin` of a case: a large network has too many for MARGIN.
"""
import sys
from importlib import import_module
from itertools import count, product
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FAMILIES = Path(__file__).resolve().parent.parent / "families"
sys.path.insert(0, str(FAMILIES))
from parts import Kinks  # noqa: E402

MARGIN = 1e-5
BATCH, CLASSES, SMOOTHING = 4, 5, 0.1
MASK = (1 << 64) - 1


def hashes(name, n):
    """n 64-bit values of a name: FNV-1a of the name, then SplitMix64 by index."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(h) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(name, n):
    """n numbers on [-1, 1), exact in double."""
    return (hashes(name, n) >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1


def signs(name, n):
    return np.where(hashes(name, n) >> np.uint64(63), 1.0, -1.0)


def to_hwio(a):
    """Our layout of weights: (kh, kw, in, out), or (in, out)."""
    return a.transpose(2, 3, 1, 0) if a.ndim == 4 else a.T


def scales(net):
    """The names of the weights of norms."""
    return {f"{name}.weight" for name, m in net.named_modules() if isinstance(m, nn.BatchNorm2d)}


def initial(name, shape, scale, damped):
    n = int(np.prod(shape))
    u = uniform(name, n)
    if len(shape) == 1:
        if not scale:
            return (0.2 * u).astype(np.float32)
        v = 1 + 0.5 * u
        return (0.1 * v if damped and damped in name else v).astype(np.float32)
    fan_in = int(np.prod(shape[1:]))
    scale = 1.0 if ".se." in name else 6.0  # half-open gates: a closed one puts all near the kink
    v = (u * np.sqrt(scale / fan_in)).astype(np.float32)
    if len(shape) == 2:
        return v.reshape(shape[1], shape[0]).T
    out, into, kh, kw = shape
    return v.reshape(kh, kw, into, out).transpose(3, 2, 0, 1)


def step(family, s, seed, least):
    """None where some decision is nearer to its kink than `least`."""
    kinks = Kinks()
    net = family.Network(s | dict(classes=CLASSES), kinks).double()
    with torch.no_grad():
        norms = scales(net)
        for name, p in net.named_parameters():
            v = initial(name, tuple(p.shape), name in norms, s.get("damped"))
            p.copy_(torch.from_numpy(v.astype(np.float64).copy()))
    size = s["size"]
    images = uniform(f"images{seed}", BATCH * size * size * 3).astype(np.float32).astype(np.float64)
    images = torch.from_numpy(images.reshape(BATCH, size, size, 3)).permute(0, 3, 1, 2)
    labels = torch.tensor([(3 * i + 1) % CLASSES for i in range(BATCH)])
    loss = F.cross_entropy(net(images), labels, label_smoothing=SMOOTHING)
    margin = kinks.least
    if margin < least:
        return None
    loss.backward()
    net.eval()
    with torch.no_grad():
        evaluation = F.cross_entropy(net(images), labels, label_smoothing=SMOOTHING)
    return net, margin, loss.item(), evaluation.item()


def word(value):
    if isinstance(value, dict):
        return ",".join(f"{k}:{r}" for k, r in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def write(f, family, s):
    s = DEFAULT | s
    least = s.pop("margin", MARGIN)
    for seed in count():
        found = step(family, s, seed, least)
        if found:
            break
        if seed == 200:
            sys.exit(f"no images {least} away from every kink: {s}")
    net, margin, loss, evaluation = found
    keys = " ".join(f"{k}={word(v)}" for k, v in s.items())
    f.write(f"network {keys} seed={seed}\n")
    f.write(f"loss {loss:.9e} {evaluation:.9e}\n")
    for name, p in net.named_parameters():
        g = to_hwio(p.grad.numpy()).ravel()
        dots = [float(g @ signs(f"{name}#{k}", g.size)) for k in range(3)]
        f.write(f"{name} {np.linalg.norm(g):.6e} " + " ".join(f"{d:.6e}" for d in dots) + "\n")
    print(f.name, keys, f"seed {seed} margin {margin:.1e}", flush=True)


DEFAULT = dict(backbone="", width=1, size=32, squeeze="avg", excitation="sigmoid", placement="standard", bias=True, reduction={})


def write_file(path, family, cases):
    with open(path, "w") as f:
        for s in cases:
            write(f, family, s)


def write_family(folder, name):
    try:
        family = import_module(name)
    except ModuleNotFoundError as e:
        print(f"{name}: there is no {e.name} here, its golden file stays")
        return
    write_file(f"{folder}/{name}.txt", family, family.CASES)


def write_se_blocks(folder):
    resnet = import_module("resnet")
    for placement in ("standard", "pre", "post", "identity", "conv3x3"):
        kinds = product(("avg", "max", "none"), ("sigmoid", "tanh", "relu"))
        cases = [resnet.SMALL | dict(squeeze=q, excitation=x, placement=placement) for q, x in kinds]
        write_file(f"{folder}/se_{placement}.txt", resnet, cases)


def main(folder, *families):
    torch.set_num_threads(1)
    for name in families or sorted(p.stem for p in FAMILIES.glob("*.py") if p.stem != "parts"):
        write_family(folder, name)
    if not families:
        write_se_blocks(folder)


main(*sys.argv[1:])
