"""Pre-activation ResNets, which are pytorchcv's. A CIFAR bottleneck's stride goes to its first
layer, where He et al. have it; pytorchcv has it in the second."""
from pytorchcv.models.preresnet import PreResNet
from pytorchcv.models.preresnet_cifar import CIFARPreResNet
from torch import nn
from torch.nn import functional as F

from parts import PYTORCHCV, Package, put_gate, units

CIFAR = {"preact-resnet20": (3, 1), "preact-resnet29": (3, 4)}  # units a stage, expansion
IMAGENET = {"preact-resnet200": (3, 24, 36, 3)}


class Raw(nn.Module):
    """What passes by a unit, which gives its shortcut the activated input: the input itself,
    subsampled and with zero channels where shapes change."""

    def __init__(self, body, out, stride):
        super().__init__()
        self.out, self.stride = out, stride
        body.register_forward_pre_hook(lambda _, x: setattr(self, "x", x[0]))

    def forward(self, activated):
        x = self.x[:, :, :: self.stride, :: self.stride]
        more = self.out - x.shape[1]
        return F.pad(x, (0, 0, 0, 0, more // 2, more - more // 2))


def spots(s, unit):
    body = unit.body
    layers = [m.conv for m in body.children()]
    into, inner, out, stride = layers[0].in_channels, layers[-1].in_channels, layers[-1].out_channels, max(m.stride[0] for m in layers)
    if len(layers) == 3 and s.get("stride_in", "conv1x1") == "conv1x1":
        layers[0].stride, layers[1].stride = (stride, stride), (1, 1)
    if s.get("shortcut") == "identity" or not unit.resize_identity:
        unit.resize_identity, unit.identity_conv = True, Raw(body, out, stride)
    return dict(
        standard=(layers[-1], "out", out),
        pre=(body, "in", into),
        post=(unit, "out", out),
        identity=(unit.identity_conv, "out", out),
        conv3x3=(layers[-1], "in", inner),
    )


def twin(s, kinks, net):
    net.features.final_pool = nn.AdaptiveAvgPool2d(1)
    for stage, unit in units(net):
        put_gate(s, kinks, unit, stage, spots(s, unit))
    return Package(kinks, net, PYTORCHCV)


def Network(s, kinks):
    scaled = lambda c: int(c * s["width"])
    if s["backbone"] in CIFAR:
        n, expansion = CIFAR[s["backbone"]]
        channels = [[scaled(c * expansion)] * n for c in (16, 32, 64)]
        net = CIFARPreResNet(channels, scaled(16), expansion > 1, num_classes=s["classes"])
    else:
        s = s | dict(stride_in=s.get("stride_in", "conv3x3"))
        channels = [[scaled(c)] * n for c, n in zip((256, 512, 1024, 2048), IMAGENET[s["backbone"]])]
        net = PreResNet(channels, scaled(64), True, False, num_classes=s["classes"])
        if s.get("stem_pool") == "ceil":
            net.features.init_block.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    return twin(s, kinks, net)


SMALL = dict(backbone="preact-resnet20", width=0.25, size=12, reduction={2: 2, 3: 4, 4: 4})
BOTTLENECKS = dict(backbone="preact-resnet29", size=8)
LARGE = dict(backbone="preact-resnet200", width=0.0625, size=32, damped="bn3")
CASES = [
    SMALL | s
    for s in (
        dict(reduction={}),
        dict(),
        dict(placement="pre"),
        dict(placement="pre", shortcut="identity", squeeze="max"),
        dict(placement="post", bias=False),
        dict(placement="identity", reduction={3: 4, 4: 2}),
        dict(placement="identity", shortcut="identity"),
        dict(placement="conv3x3", squeeze="none"),
        BOTTLENECKS | dict(),
        BOTTLENECKS | dict(placement="conv3x3", stride_in="conv3x3"),
        LARGE | dict(reduction={2: 16, 3: 16, 4: 16, 5: 16}),
    )
]
