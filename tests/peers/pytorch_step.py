#!/usr/bin/env python3
"""Times PyTorch on what `senet-exp bench` times: one training step (or one evaluation pass) of a
ResNet with or without SE blocks, or single convolution layers. Prints one JSON object.

The networks are those of senet-exp at its defaults: the stride of a bottleneck in its first 1x1
convolution, projections where a shortcut changes shape, gates with biases. Input is made up; the
optimiser is SGD with momentum 0.9 and weight decay 1e-4.
"""
import argparse
import json
import os
import statistics
import sys
import time

# glibc returns large blocks to the system after every step and faults them in again in the next.
# With these PyTorch keeps them, which makes it up to twice as fast on large networks.
KEEP = {"MALLOC_MMAP_THRESHOLD_": str(1 << 31), "MALLOC_TRIM_THRESHOLD_": str(1 << 33),
        "MALLOC_TOP_PAD_": str(1 << 26)}
WARM_UP = 2  # steps that nobody times: allocation, compilation

# channels, size of the input, stride, how often a network has it; as in tests/conv_layers.h
GROUPED = [(128, 56, 1), (256, 56, 2), (256, 28, 1), (512, 28, 2), (512, 14, 1), (1024, 14, 2), (1024, 7, 1)]
DEPTHWISE = [(32, 112, 1), (64, 112, 2), (128, 56, 1), (128, 56, 2), (256, 28, 1), (256, 28, 2),
             (512, 14, 1), (512, 14, 2), (1024, 7, 1)]
STAGES = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--net", default="se-resnet20", help="[se-]resnetN: N of 8, 14, 20, ... or 50, 101, 152")
    p.add_argument("--layers", choices=["grouped", "depthwise"], help="time convolution layers instead")
    p.add_argument("--batch", type=int, help="default: 128 small images, 16 large ones")
    p.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="bf16: autocast")
    p.add_argument("--layout", choices=["channels_last", "contiguous"], default="channels_last")
    p.add_argument("--compile", action="store_true")
    p.add_argument("--eval", action="store_true")
    p.add_argument("--malloc", choices=["keep", "default"], default="keep")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--steps", type=int, default=5)
    return p.parse_args()


a = arguments()
if a.malloc == "keep" and any(k not in os.environ for k in KEEP):
    os.execve(sys.executable, [sys.executable] + sys.argv, {**os.environ, **KEEP})

import torch  # noqa: E402  (after the environment is right)
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

LAYOUT = getattr(torch, a.layout + "_format" if a.layout == "contiguous" else a.layout)


class Gate(nn.Module):
    """x times sigmoid(expand(relu(reduce(mean of x))))"""

    def __init__(self, channels, reduction=16):
        super().__init__()
        hidden = max(1, channels // reduction)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.expand = nn.Conv2d(hidden, channels, 1)

    def forward(self, x):
        squeezed = F.adaptive_avg_pool2d(x, 1)
        return x * self.expand(self.reduce(squeezed).relu_()).sigmoid()


def conv_norm(c, k, size, stride=1):
    return [nn.Conv2d(c, k, size, stride, size // 2, bias=False), nn.BatchNorm2d(k)]


class Residual(nn.Module):
    def __init__(self, c, width, stride, bottleneck, gated):
        super().__init__()
        out = width * 4 if bottleneck else width
        if bottleneck:
            path = conv_norm(c, width, 1, stride) + [nn.ReLU(inplace=True)]
            path += conv_norm(width, width, 3) + [nn.ReLU(inplace=True)] + conv_norm(width, out, 1)
        else:
            path = conv_norm(c, width, 3, stride) + [nn.ReLU(inplace=True)] + conv_norm(width, width, 3)
        self.path = nn.Sequential(*path, *([Gate(out)] if gated else []))
        self.shortcut = nn.Sequential(*(conv_norm(c, out, 1, stride) if stride > 1 or c != out else []))
        self.out = out

    def forward(self, x):
        return (self.path(x) + self.shortcut(x)).relu_()


def resnet(name):
    """The network, the size of its images, its classes."""
    gated, depth = name.startswith("se-"), int(name.split("resnet")[1])
    large = depth in STAGES
    blocks = STAGES[depth] if large else ((depth - 2) // 6,) * 3
    c = 64 if large else 16
    layers = conv_norm(3, c, 7, 2) if large else conv_norm(3, c, 3)
    layers += [nn.ReLU(inplace=True)] + ([nn.MaxPool2d(3, 2, 1)] if large else [])
    width = c
    for stage, count in enumerate(blocks):
        for i in range(count):
            layers.append(Residual(c, width << stage, 2 if stage and not i else 1, large, gated))
            c = layers[-1].out
    size, classes = (224, 1000) if large else (32, 10)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes)), size, classes


def autocast():
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.precision == "bf16")


def timed(step):
    """Seconds of each step after the warm-up, sorted."""
    seconds = []
    for _ in range(WARM_UP + a.steps):
        begin = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begin)
    return sorted(seconds[WARM_UP:])


def spread(seconds):
    return {"median": statistics.median(seconds), "min": seconds[0], "max": seconds[-1]}


def resident_megabytes():
    """The most that was resident at once. getrusage would count what ran before this program."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) * 1024 / 1e6


def time_network():
    net, size, classes = resnet(a.net)
    batch = a.batch or (16 if size == 224 else 128)
    net = net.to(memory_format=LAYOUT).train(not a.eval)
    images = torch.randn(batch, 3, size, size).to(memory_format=LAYOUT)
    labels = torch.randint(classes, (batch,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    run = torch.compile(net) if a.compile else net

    def evaluate():
        with torch.inference_mode(), autocast():
            run(images)

    def train():
        optimizer.zero_grad(set_to_none=True)
        with autocast():
            loss = F.cross_entropy(run(images), labels)
        loss.backward()
        optimizer.step()

    seconds = timed(evaluate if a.eval else train)
    return {"net": a.net, "batch_size": batch, "parameters": sum(p.numel() for p in net.parameters()),
            "step_s": spread(seconds), "images_per_s": batch / statistics.median(seconds)}


def time_layer(channels, size, stride):
    batch, groups = a.batch or 16, 32 if a.layers == "grouped" else channels
    conv = nn.Conv2d(channels, channels, 3, stride, 1, groups=groups, bias=False).to(memory_format=LAYOUT)
    x = torch.randn(batch, channels, size, size).to(memory_format=LAYOUT).requires_grad_()
    run = torch.compile(conv) if a.compile else conv
    with autocast():
        dy = torch.randn_like(run(x))
    out = []

    def forward():
        with autocast():
            out[:] = [run(x)]

    def both():
        x.grad = conv.weight.grad = None
        forward()
        out[0].backward(dy)

    return {"channels": channels, "size": size, "stride": stride,
            "forward_s": timed(forward)[0], "forward_backward_s": timed(both)[0]}


torch.manual_seed(0)
torch.set_num_threads(a.threads)
if a.layers:
    result = {"layers": [time_layer(*shape) for shape in (GROUPED if a.layers == "grouped" else DEPTHWISE)]}
else:
    result = time_network()
print(json.dumps({"peer": "PyTorch " + torch.__version__, "precision": a.precision, "layout": a.layout,
                  "compile": a.compile, "malloc": a.malloc, "threads": a.threads,
                  "what": "evaluation" if a.eval else "training", **result, "peak_rss_megabytes": resident_megabytes()}))
