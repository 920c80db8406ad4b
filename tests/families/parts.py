"""What the PyTorch twins of all families are made of."""
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
