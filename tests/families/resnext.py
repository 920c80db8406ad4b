"""ResNeXts: ImageNet's are timm's, CIFAR's are pytorchcv's."""
from pytorchcv.models.resnext_cifar import CIFARResNeXt
from timm.models.resnet import Bottleneck, ResNet
from torch import nn

from parts import PYTORCHCV, Package, put_gate, units, width

CIFAR = {"resnext29-4x16d": (4, 16)}
IMAGENET = {"resnext50-32x4d": (3, 4, 6, 3)}


def cifar(s, kinks):
    groups, each = CIFAR[s["backbone"]]
    scaled = [int(c * s["width"]) for c in (64, 256, 512, 1024)]
    net = CIFARResNeXt([[c] * 3 for c in scaled[1:]], scaled[0], s.get("cardinality", groups), s.get("group_width", each), num_classes=s["classes"])
    net.features.final_pool = nn.AdaptiveAvgPool2d(1)
    for stage, unit in units(net):
        body = unit.body
        into, inner, out = body.conv1.conv.in_channels, body.conv3.conv.in_channels, body.conv3.conv.out_channels
        if not unit.resize_identity and s["placement"] == "identity":
            unit.resize_identity, unit.identity_conv = True, nn.Identity()
        spots = dict(standard=(body, "out", out), pre=(body, "in", into), post=(unit, "out", out), conv3x3=(body.conv3, "in", inner))
        if hasattr(unit, "identity_conv"):
            spots["identity"] = (unit.identity_conv, "out", out)
        put_gate(s, kinks, unit, stage, spots)
    return Package(kinks, net, PYTORCHCV)


def imagenet(s, kinks):
    with width(s["width"], (3, s["classes"])):
        net = ResNet(Bottleneck, IMAGENET[s["backbone"]], s["classes"], cardinality=32, base_width=4, norm_layer=nn.BatchNorm2d)
    if s.get("stem_pool") == "ceil":
        net.maxpool = nn.MaxPool2d(3, 2, ceil_mode=True)
    for stage, layer in enumerate((net.layer1, net.layer2, net.layer3, net.layer4), 2):
        for unit in layer:
            put_gate(s, kinks, unit, stage, dict(standard=(unit.bn3, "out", unit.bn3.num_features)))
    return Package(kinks, net)


def Network(s, kinks):
    return (cifar if s["backbone"] in CIFAR else imagenet)(s, kinks)


SMALL = dict(backbone="resnext29-4x16d", width=0.125, size=8, reduction={2: 4, 3: 4, 4: 4})
LARGE = dict(backbone="resnext50-32x4d", width=0.25, size=32, damped="bn3", margin=3e-6)
CASES = [
    SMALL | s
    for s in (
        dict(reduction={}),
        dict(),
        dict(placement="pre", squeeze="max"),
        dict(placement="post", bias=False),
        dict(placement="identity", reduction={2: 2, 4: 16}),
        dict(placement="conv3x3", squeeze="none"),
        dict(cardinality=2, group_width=24, reduction={}),
        LARGE | dict(stem_pool="ceil", reduction={2: 16, 3: 16, 4: 16, 5: 16}),
    )
]
