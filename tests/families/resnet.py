"""Residual networks, CIFAR's and ImageNet's: the settings of tests/golden/networks.py and two options."""
from torch import nn
from torch.nn import functional as F

from parts import SE

CIFAR = {8: (1, 1, 1), 20: (3, 3, 3)}
IMAGENET = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}


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


class Network(nn.Module):
    def __init__(self, s, kinks):
        super().__init__()
        self.kinks = kinks
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
        self.fc = nn.Linear(into, s["classes"])

    def forward(self, x):
        x = self.kinks.relu(self.bn1(self.conv1(x)))
        if self.imagenet:
            x = self.kinks.max_pool(x)
        for stage in self.stages:
            x = getattr(self, stage)(x)
        return self.fc(x.mean((2, 3)))


SMALL = dict(backbone="resnet8", width=0.5, size=12, stride_in="conv1x1", shortcut="projection", reduction={2: 4, 3: 4, 4: 4})
LARGE = dict(backbone="resnet18", width=0.125, size=64, reduction={k: 4 for k in (2, 3, 4, 5)})
DEEP = LARGE | dict(backbone="resnet50", width=0.0625, damped="bn3")  # 16 bottlenecks would amplify rounding
CASES = [
    SMALL | s
    for s in (
        dict(reduction={}),
        dict(shortcut="identity"),
        dict(shortcut="identity", placement="identity", squeeze="max"),
        dict(bias=False),
        dict(reduction={2: 2, 4: 16}),
        dict(reduction={3: 100}),
        dict(backbone="resnet20", width=0.25, placement="post"),
        LARGE,
        DEEP | dict(placement="conv3x3"),
        DEEP | dict(placement="pre", stride_in="conv3x3", squeeze="none"),
    )
]
