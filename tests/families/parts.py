"""What the PyTorch twins of all families are made of. Where a package that others wrote has the
network (torchvision, timm, pytorchcv: from PyPI), the twin is that network: built at a part of its
width, its parameters under the program's names, SE blocks hooked in at their places."""
import contextlib
import re

import torch
from torch import nn
from torch.nn import functional as F


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
        if x.shape[-1] > 1:
            top = x.detach().topk(2).values
            self.see(top[..., 0] - top[..., 1], top[..., 0])
        return x.max(-1).values

    def max_pool(self, x, size=3, stride=2, pad=1, side=None):  # square; side: of the result
        side = side or (x.shape[2] + 2 * pad - size) // stride + 1
        more = (side - 1) * stride + size - x.shape[2] - pad  # cells behind the map
        windows = F.unfold(F.pad(x, (pad, more, pad, more), value=-1e30), size, stride=stride)
        n, c = x.shape[:2]
        windows = windows.view(n, c, size * size, -1).transpose(2, 3)[:, :, : side * side]
        top = windows.detach().topk(2).values
        self.see(top[..., 0] - top[..., 1], top[..., 0])  # a ReLU stops what zeros receive
        return windows.max(-1).values.view(n, c, side, side)

    @contextlib.contextmanager
    def watching(self):
        """Inside, torch's own functions tell of their kinks: the networks of packages call them."""
        kept = F.relu, F.hardtanh, F.max_pool2d

        def relu(x, inplace=False):
            self.see(x)
            return kept[0](x)

        def hardtanh(x, low=-1.0, high=1.0, inplace=False):
            self.see(x - low), self.see(x - high)
            return kept[1](x, low, high)

        def max_pool2d(x, size, stride=None, padding=0, dilation=1, ceil_mode=False, **more):
            y = kept[2](x, size, stride, padding, dilation, ceil_mode)
            return self.max_pool(x, size, stride or size, padding, y.shape[2])

        F.relu, F.hardtanh, F.max_pool2d = relu, hardtanh, max_pool2d
        try:
            yield
        finally:
            F.relu, F.hardtanh, F.max_pool2d = kept


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


@contextlib.contextmanager
def width(share, keep):
    """Layers that a package builds inside have this share of their channels, which must be whole;
    counts in `keep` (colours, classes) stay. Depthwise layers stay depthwise."""
    kept = nn.Conv2d, nn.BatchNorm2d, nn.Linear

    def scaled(channels):
        if channels in keep:
            return channels
        assert channels * share == int(channels * share), f"{channels} channels times {share}"
        return int(channels * share)

    class Conv2d(kept[0]):
        def __init__(self, in_channels, out_channels, *rest, groups=1, **more):
            groups = scaled(groups) if groups == in_channels else groups
            super().__init__(scaled(in_channels), scaled(out_channels), *rest, groups=groups, **more)

    class BatchNorm2d(kept[1]):
        def __init__(self, num_features, *rest, **more):
            super().__init__(scaled(num_features), *rest, **more)

    class Linear(kept[2]):
        def __init__(self, in_features, out_features, *rest, **more):
            super().__init__(scaled(in_features), scaled(out_features), *rest, **more)

    nn.Conv2d, nn.BatchNorm2d, nn.Linear = Conv2d, BatchNorm2d, Linear
    try:
        yield
    finally:
        nn.Conv2d, nn.BatchNorm2d, nn.Linear = kept


class Package(nn.Module):
    """A package's network as a twin: `rules`, (pattern, replacement) in this order, make the
    program's names of the package's."""

    def __init__(self, kinks, net, rules=()):
        super().__init__()
        self.kinks, self.package = kinks, [net]  # in a list: not known as a child
        for path, module in net.named_modules():
            if not module._parameters:
                continue
            for pattern, replacement in (*rules, (r"\.gate\.", ".se.")):
                path = re.sub(pattern, replacement, path)
            at, (*way, last) = self, path.split(".")
            for part in way:
                if part not in at._modules:
                    at.add_module(part, nn.Module())
                at = at._modules[part]
            assert last not in at._modules, path
            at.add_module(last, module)

    def train(self, mode=True):
        self.package[0].train(mode)
        return super().train(mode)

    def forward(self, x):
        with self.kinks.watching():
            return self.package[0](x)


def put_gate(s, kinks, unit, stage, spots):
    """An SE block on a package's unit, as s asks; its parameters are `gate` there. spots: where
    each placement is, (module, "in" or "out", channels): on what it reads, on what it makes."""
    if stage not in s["reduction"]:
        return
    module, side, channels = spots[s["placement"]]
    unit.gate = gate = SE(s, kinks, channels, stage)
    if side == "in":
        module.register_forward_pre_hook(lambda _, x: (gate(x[0]), *x[1:]))
    else:
        module.register_forward_hook(lambda _, x, y: gate(y))


def before(match):
    """For rules: stage1.unit1 is layer1.0."""
    return f"layer{match[1]}.{int(match[2]) - 1}."


PYTORCHCV = (  # residual networks
    (r"^features\.init_block(\.conv)*$", "conv1"),
    (r"^features\.init_block(\.conv)*\.bn$", "bn1"),
    (r"^features\.stage(\d+)\.unit(\d+)\.", before),
    (r"body\.conv(\d+)\.(conv|bn)$", r"\2\1"),
    (r"identity_conv(\.conv)?$", "downsample.0"),
    (r"identity_conv\.bn$", "downsample.1"),
    (r"^features\.post_activ\.bn$", "norm"),
    (r"^output$", "fc"),
)


def units(net):
    """(stage of the paper, unit) of a pytorchcv network."""
    for path, module in net.named_modules():
        found = re.fullmatch(r"features\.stage(\d+)\.unit\d+", path)
        if found:
            yield int(found[1]) + 1, module
