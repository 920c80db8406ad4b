#!/usr/bin/python3
"""Trains in PyTorch what tests/golden/curve_dump.c trained, from the same initial weights, on the
same batches, with the same learning rates, and compares the losses of every step.

    python3 tests/golden/curve.py DIR            prints the curves and their largest difference
    python3 tests/golden/curve.py DIR --golden   writes tests/golden/curve_small.h to stdout

The network is written here from its definition (He et al. 2016, section 4.2; Hu et al. 2018,
figure 3), with the parameter names of torchvision and timm."""
import json
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(2)
directory = sys.argv[1]
curve = json.load(open(f"{directory}/curve.json"))


class Gate(nn.Module):
    def __init__(self, channels, hidden, bias):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, hidden, 1, bias=bias)
        self.fc2 = nn.Conv2d(hidden, channels, 1, bias=bias)

    def forward(self, x):
        z = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(functional.relu(self.fc1(z))))


class Block(nn.Module):
    def __init__(self, before, channels, stride, hidden):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.se = Gate(channels, hidden, True)
        self.downsample = nn.Identity()
        if stride != 1 or before != channels:
            self.downsample = nn.Sequential(nn.Conv2d(before, channels, 1, stride, bias=False),
                                            nn.BatchNorm2d(channels))

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.se(self.bn2(self.conv2(y)))
        return functional.relu(y + self.downsample(x))


class SEResNet(nn.Module):
    def __init__(self, blocks, inputs, classes, hidden):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        before = 16
        for stage in (1, 2, 3):
            channels, layers = 8 << stage, []
            for i in range(blocks):
                stride = 2 if stage > 1 and i == 0 else 1
                layers.append(Block(before, channels, stride, hidden[stage]))
                before = channels
            setattr(self, f"layer{stage}", nn.Sequential(*layers))
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def network():
    """With our initial weights, brought into PyTorch's layouts."""
    shape = {p["name"]: p["shape"] for p in curve["params"]}
    hidden = {s: shape[f"layer{s}.0.se.fc1.weight"][3] for s in (1, 2, 3)}
    net = SEResNet(curve["blocks"], curve["channels"], shape["fc.weight"][3], hidden)
    theirs = {k: v for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    assert set(theirs) == set(shape), set(theirs) ^ set(shape)
    flat, at = numpy.fromfile(f"{directory}/weights.f32", "<f4"), 0
    for p in curve["params"]:
        value = flat[at:at + numpy.prod(p["shape"])].reshape(p["shape"])  # kh, kw, in, out
        at += value.size
        target = theirs[p["name"]]
        value = value.transpose(3, 2, 0, 1) if target.dim() > 1 else value
        target.copy_(torch.tensor(value.copy()).reshape(target.shape))
    assert at == flat.size
    return net


def batches():
    n, s, c = curve["batch"], curve["size"], curve["channels"]
    step = n * s * s * c + n
    flat = numpy.memmap(f"{directory}/batches.f32", "<f4", "r")
    assert flat.size == step * len(curve["losses"])
    for i in range(len(curve["losses"])):
        one = torch.tensor(flat[i * step:(i + 1) * step])
        real = int(curve["images"][i])
        images, labels = one[:-n].reshape(n, s, s, c)[:real], one[-n:][:real].long()
        yield images.permute(0, 3, 1, 2).contiguous(), labels


def train(dtype):
    net = network().to(dtype)
    sgd = torch.optim.SGD(net.parameters(), lr=0, momentum=curve["momentum"], nesterov=True,
                          weight_decay=curve["weight_decay"])
    losses = []
    for (images, labels), lr in zip(batches(), curve["lr"]):
        sgd.param_groups[0]["lr"] = lr
        loss = functional.cross_entropy(net(images.to(dtype)), labels,
                                        label_smoothing=curve["label_smoothing"])
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    return losses


def difference(a, b):
    return max((abs(x - y) / abs(y), i + 1) for i, (x, y) in enumerate(zip(a, b)))


def golden(losses):
    print("/* Made by tests/golden/curve.py with PyTorch " + torch.__version__ + ": losses of the run"
          "\n * curve_small, and a digest of the batches that they belong to. */")
    print(f"static const uint64_t curve_inputs = UINT64_C(0x{curve['inputs']});")
    print("static const double curve_losses[] = {")
    for i in range(0, len(losses), 6):
        print("    " + " ".join(f"{x:.9g}," for x in losses[i:i + 6]))
    print("};")


theirs = train(torch.float32)
if "--golden" in sys.argv:
    golden(theirs)
else:
    exact = train(torch.float64)
    for i, (a, b, c) in enumerate(zip(curve["losses"], theirs, exact)):
        if i < 5 or i % 10 == 9:
            print(f"step {i + 1:4d}   ours {a:.7f}   PyTorch {b:.7f}   in float64 {c:.7f}")
    for what, a, b in (("ours and PyTorch", curve["losses"], theirs),
                       ("ours and PyTorch in float64", curve["losses"], exact),
                       ("PyTorch and PyTorch in float64", theirs, exact)):
        worst, step = difference(a, b)
        print(f"largest relative difference of {what}: {worst:.2e} at step {step}")
