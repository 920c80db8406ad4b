#!/usr/bin/env python3
"""Whole networks in PyTorch, in float64: what tests/unit/test_networks.c compares with.

    python3 tests/golden/networks.py tests/golden/networks

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
its kink.
"""
import sys
from itertools import count, product

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MARGIN = 1e-5
BATCH, CLASSES, SMOOTHING = 4, 5, 0.1
CIFAR = {8: (1, 1, 1), 20: (3, 3, 3)}
IMAGENET = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
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


def initial(name, shape):
    n = int(np.prod(shape))
    u = uniform(name, n)
    if len(shape) == 1:
        if not name.endswith(("bn1.weight", "bn2.weight", "bn3.weight", "downsample.1.weight")):
            return (0.2 * u).astype(np.float32)
        v = 1 + 0.5 * u
        if name.endswith("bn3.weight"):  # 16 bottlenecks would amplify rounding
            v = 0.1 * v
        return v.astype(np.float32)
    fan_in = int(np.prod(shape[1:]))
    scale = 1.0 if ".se." in name else 6.0  # half-open gates: a closed one puts all near the kink
    v = (u * np.sqrt(scale / fan_in)).astype(np.float32)
    if len(shape) == 2:
        return v.reshape(shape[1], shape[0]).T
    out, into, kh, kw = shape
    return v.reshape(kh, kw, into, out).transpose(3, 2, 0, 1)


class Kinks:
    """The smallest distance of any decision to its kink. Exact zeros (a closed gate on a sum of
    nothing) are zeros in any precision, and no gradient passes them."""

    def __init__(self):
        self.least = float("inf")

    def see(self, gap, top=None):
        gap = gap.detach().abs()[(gap if top is None else top) != 0]
        self.least = min(self.least, gap.min().item())

    def relu(self, x):
        self.see(x)
        return F.relu(x)

    def maximum(self, x):  # over the last axis
        top = x.detach().topk(2).values
        self.see(top[..., 0] - top[..., 1], top[..., 0])
        return x.max(-1).values

    def max_pool(self, x):
        windows = F.unfold(F.pad(x, (1, 1, 1, 1), value=-1e30), 3, stride=2)
        n, c = x.shape[:2]
        windows = windows.view(n, c, 9, -1).transpose(2, 3)
        side = (x.shape[2] + 1) // 2
        top = windows.detach().topk(2).values
        self.see(top[..., 0] - top[..., 1], top[..., 0])  # a ReLU stops what zeros receive
        return windows.max(-1).values.view(n, c, side, side)


class SE(nn.Module):
    def __init__(self, s, kinks, channels, stage):
        super().__init__()
        self.s, self.kinks = s, kinks
        hidden = max(channels // s["reduction"][stage], 1)
        self.fc1 = nn.Conv2d(channels, hidden, 1, bias=s["bias"])
        self.fc2 = nn.Conv2d(hidden, channels, 1, bias=s["bias"])

    def forward(self, x):
        z = x
        if self.s["squeeze"] == "avg":
            z = x.mean((2, 3), keepdim=True)
        elif self.s["squeeze"] == "max":
            z = self.kinks.maximum(x.flatten(2))[..., None, None]
        z = self.fc2(self.kinks.relu(self.fc1(z)))
        gate = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": self.kinks.relu}[self.s["excitation"]]
        return x * gate(z)


class Unit(nn.Module):
    def __init__(self, s, kinks, stage, into, channels, out, stride, bottleneck):
        super().__init__()
        self.s, self.kinks, self.out, self.stride = s, kinks, out, stride
        self.layers = 3 if bottleneck else 2
        s1, s2 = (stride, 1) if s["stride_in"] == "conv1x1" or not bottleneck else (1, stride)
        if bottleneck:
            self.conv1 = nn.Conv2d(into, channels, 1, s1, bias=False)
            self.conv2 = nn.Conv2d(channels, channels, 3, s2, 1, bias=False)
            self.conv3 = nn.Conv2d(channels, out, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(out)
        else:
            self.conv1 = nn.Conv2d(into, channels, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(channels, out, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        if (stride != 1 or into != out) and s["shortcut"] == "projection":
            self.downsample = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        if stage in s["reduction"]:
            at = {"pre": into, "conv3x3": channels}.get(s["placement"], out)
            self.se = SE(s, kinks, at, stage)

    def gate(self, x, placement):
        return self.se(x) if hasattr(self, "se") and self.s["placement"] == placement else x

    def shortcut(self, x):
        if hasattr(self, "downsample"):
            return self.downsample(x)
        x = x[:, :, :: self.stride, :: self.stride]
        more = self.out - x.shape[1]
        return F.pad(x, (0, 0, 0, 0, more // 2, more - more // 2)) if more else x

    def forward(self, x):
        relu = self.kinks.relu
        y = relu(self.bn1(self.conv1(self.gate(x, "pre"))))
        if self.layers == 3:
            y = self.gate(relu(self.bn2(self.conv2(y))), "conv3x3")
            y = self.bn3(self.conv3(y))
        else:
            y = self.bn2(self.conv2(self.gate(y, "conv3x3")))
        y = self.gate(y, "standard") + self.gate(self.shortcut(x), "identity")
        return self.gate(relu(y), "post")


class ResNet(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.kinks = Kinks()
        depth = int(s["backbone"][6:])
        self.imagenet = depth in IMAGENET
        blocks, bottleneck = (IMAGENET if self.imagenet else CIFAR)[depth], depth >= 50
        base, scaled = 64 if self.imagenet else 16, lambda c: max(1, int(c * s["width"] + 0.5))
        into = scaled(base)
        self.conv1 = nn.Conv2d(3, into, *((7, 2, 3) if self.imagenet else (3, 1, 1)), bias=False)
        self.bn1 = nn.BatchNorm2d(into)
        self.stages = []
        for k, n in enumerate(blocks):
            channels = base << k
            out = channels * 4 if bottleneck else channels
            units = []
            for i in range(n):
                units.append(Unit(s, self.kinks, k + 2, into, scaled(channels), scaled(out), 2 if k and not i else 1, bottleneck))
                into = scaled(out)
            self.stages.append(f"layer{k + 1}")
            self.add_module(self.stages[-1], nn.Sequential(*units))
        self.fc = nn.Linear(into, CLASSES)

    def forward(self, x):
        x = self.kinks.relu(self.bn1(self.conv1(x)))
        if self.imagenet:
            x = self.kinks.max_pool(x)
        for stage in self.stages:
            x = getattr(self, stage)(x)
        return self.fc(x.mean((2, 3)))


def step(s, seed):
    net = ResNet(s).double()
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(torch.from_numpy(initial(name, tuple(p.shape)).astype(np.float64).copy()))
    size = s["size"]
    images = uniform(f"images{seed}", BATCH * size * size * 3).astype(np.float32).astype(np.float64)
    images = torch.from_numpy(images.reshape(BATCH, size, size, 3)).permute(0, 3, 1, 2)
    labels = torch.tensor([(3 * i + 1) % CLASSES for i in range(BATCH)])
    loss = F.cross_entropy(net(images), labels, label_smoothing=SMOOTHING)
    margin = net.kinks.least
    loss.backward()
    net.eval()
    with torch.no_grad():
        evaluation = F.cross_entropy(net(images), labels, label_smoothing=SMOOTHING)
    return net, margin, loss.item(), evaluation.item()


def write(f, s):
    for seed in count():
        net, margin, loss, evaluation = step(s, seed)
        if margin >= MARGIN:
            break
        if seed == 200:
            sys.exit(f"no images {MARGIN} away from every kink: {s}")
    reduction = ",".join(f"{k}:{r}" for k, r in s["reduction"].items())
    keys = " ".join(f"{k}={s[k]}" for k in ("backbone", "width", "size", "squeeze", "excitation", "placement", "stride_in", "shortcut"))
    f.write(f"network {keys} bias={int(s['bias'])} reduction={reduction} seed={seed}\n")
    f.write(f"loss {loss:.9e} {evaluation:.9e}\n")
    for name, p in net.named_parameters():
        g = to_hwio(p.grad.numpy()).ravel()
        dots = [float(g @ signs(f"{name}#{k}", g.size)) for k in range(3)]
        f.write(f"{name} {np.linalg.norm(g):.6e} " + " ".join(f"{d:.6e}" for d in dots) + "\n")
    print(f.name, keys, f"seed {seed} margin {margin:.1e}", flush=True)


PLAIN = dict(backbone="resnet8", width=0.5, size=12, squeeze="avg", excitation="sigmoid", placement="standard",
             stride_in="conv1x1", shortcut="projection", bias=True, reduction={2: 4, 3: 4, 4: 4})
ALL5 = {k: 4 for k in (2, 3, 4, 5)}
OTHERS = [
    dict(reduction={}),
    dict(shortcut="identity"),
    dict(shortcut="identity", placement="identity", squeeze="max"),
    dict(bias=False),
    dict(reduction={2: 2, 4: 16}),
    dict(reduction={3: 100}),
    dict(backbone="resnet20", width=0.25, placement="post"),
    dict(backbone="resnet18", width=0.125, size=64, reduction=ALL5),
    dict(backbone="resnet50", width=0.0625, size=64, reduction=ALL5, placement="conv3x3"),
    dict(backbone="resnet50", width=0.0625, size=64, reduction=ALL5, placement="pre", stride_in="conv3x3", squeeze="none"),
]


def main(folder):
    torch.set_num_threads(1)
    for placement in ("standard", "pre", "post", "identity", "conv3x3"):
        with open(f"{folder}/{placement}.txt", "w") as f:
            for squeeze, excitation in product(("avg", "max", "none"), ("sigmoid", "tanh", "relu")):
                write(f, PLAIN | dict(squeeze=squeeze, excitation=excitation, placement=placement))
    with open(f"{folder}/others.txt", "w") as f:
        for s in OTHERS:
            write(f, PLAIN | s)


main(sys.argv[1])
