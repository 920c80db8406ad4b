"""The shortest of SENet-154's kind, which is pytorchcv's. Of SENet-154 itself, 50 bottlenecks deep, a
step in float32 is only within 5e-4 of one in float64, in PyTorch too: it is counted, not compared."""
from pytorchcv.models.senet import SENet
from torch import nn

from parts import PYTORCHCV, Package, put_gate, units

NAMES = ((r"^features\.init_block\.conv(\d+)\.(conv|bn)$", r"layer0.\2\1"), (r"^output\.fc$", "last_linear"), *PYTORCHCV)


def Network(s, kinks):
    scaled = [int(c * s["width"]) for c in (128, 256, 512, 1024, 2048)]
    net = SENet([[c] for c in scaled[1:]], scaled[0], 32, 4, num_classes=s["classes"])
    net.features.final_pool, net.output.dropout = nn.AdaptiveAvgPool2d(1), nn.Identity()
    if s.get("stem_pool") != "padded":
        net.features.init_block.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    for stage, unit in units(net):
        body, unit.se = unit.body, nn.Identity()
        into, inner, out = body.conv1.conv.in_channels, body.conv3.conv.in_channels, body.conv3.conv.out_channels
        spots = dict(standard=(body, "out", out), pre=(body, "in", into), post=(unit, "out", out), conv3x3=(body.conv3, "in", inner))
        spots["identity"] = (unit.identity_conv, "out", out)  # every stage has one unit
        put_gate(s, kinks, unit, stage, spots)
    return Package(kinks, net, NAMES)


SMALL = dict(backbone="senet16", width=0.5, size=32, damped="bn3", margin=5e-6, reduction={k: 16 for k in (2, 3, 4, 5)})
CASES = [
    SMALL | s
    for s in (
        dict(reduction={}, stem_pool="padded"),
        dict(),
        dict(placement="pre", squeeze="none"),
        dict(placement="post", squeeze="max", bias=False),
        dict(placement="identity", reduction={3: 4, 5: 16}),
        dict(placement="conv3x3"),
    )
]
