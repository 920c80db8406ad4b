"""MobileNets: with ReLU pytorchcv's, with ReLU6 timm's. A stem of stride 1 is CIFAR's."""
from pytorchcv.models.mobilenet import get_mobilenet
from timm.models.efficientnet import _gen_mobilenet_v1
from torch import nn

from parts import Package, put_gate

GROUPS = 5
PYTORCHCV = (
    (r"^features\.init_block\.conv$", "conv_stem"),
    (r"^features\.init_block\.bn$", "bn1"),
    (r"^features\.stage(\d+)\.unit(\d+)\.", lambda m: f"blocks.{int(m[1]) - 1}.{int(m[2]) - 1}."),
    (r"\.(dw|pw)_conv\.conv$", r".conv_\1"),
    (r"\.dw_conv\.bn$", ".bn1"),
    (r"\.pw_conv\.bn$", ".bn2"),
    (r"^output$", "classifier"),
)


def put_gates(s, kinks, groups, layers):
    for stage, group in enumerate(groups, 1):
        for block in group:
            depthwise, pointwise, after_depthwise = layers(block)
            channels = pointwise.in_channels
            spots = dict(
                standard=(block, "out", pointwise.out_channels),
                pre=(block, "in", depthwise.in_channels),
                conv3x3=(after_depthwise, "out", channels),
            )
            put_gate(s, kinks, block, stage, spots)


def relu(s, kinks):
    net = get_mobilenet(s["width"], num_classes=s["classes"])
    features = net.features
    features.final_pool = nn.AdaptiveAvgPool2d(1)
    if s["backbone"] == "mobilenet-cifar":
        features.init_block.conv.stride = (1, 1)
    groups = [getattr(features, f"stage{k}") for k in range(1, GROUPS + 1)]
    put_gates(s, kinks, groups, lambda b: (b.dw_conv.conv, b.pw_conv.conv, b.dw_conv))
    return Package(kinks, net, PYTORCHCV)


def relu6(s, kinks):
    net = _gen_mobilenet_v1("mobilenetv1_100", channel_multiplier=s["width"], num_classes=s["classes"])
    put_gates(s, kinks, net.blocks, lambda b: (b.conv_dw, b.conv_pw, b.bn1))
    return Package(kinks, net)


def Network(s, kinks):
    return (relu6 if s.get("activation") == "relu6" else relu)(s, kinks)


# The norm behind a depthwise layer takes away what all images' gates have in common: in the first
# blocks that leaves little of the gradient of the gate's biases, and much of its rounding.
SMALL = dict(backbone="mobilenet-cifar", width=0.125, size=32, bias=False, reduction={1: 2, 2: 2, 3: 4, 4: 16, 5: 16})
CASES = [
    SMALL | s
    for s in (
        dict(reduction={}),
        dict(),
        dict(reduction={3: 4, 4: 4, 5: 8}, bias=True),
        dict(squeeze="max", reduction={4: 8, 5: 4}),
        dict(placement="pre"),
        dict(placement="conv3x3", reduction={1: 2, 4: 8}),
        dict(backbone="mobilenet", size=64, squeeze="none", reduction={5: 4}),
        dict(backbone="mobilenet", size=64, width=0.25, activation="relu6", reduction={5: 4}),
    )
]
