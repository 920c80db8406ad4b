"""Wide ResNets, which are pytorchcv's. Their units are those of pre-activation ResNets."""
from pytorchcv.models.wrn_cifar import CIFARWRN

from preact_resnet import twin

MEMBERS = {"wrn16-4": (16, 4)}


def Network(s, kinks):
    depth, widening = MEMBERS[s["backbone"]]
    n, k = (s.get("depth", depth) - 4) // 6, s.get("widening", widening) * s["width"]
    return twin(s, kinks, CIFARWRN([[int(c * k)] * n for c in (16, 32, 64)], int(16 * s["width"]), num_classes=s["classes"]))


SMALL = dict(backbone="wrn16-4", width=0.125, size=12, reduction={2: 2, 3: 4, 4: 4})
CASES = [
    SMALL | s
    for s in (
        dict(reduction={}),
        dict(),
        dict(placement="pre", squeeze="max"),
        dict(placement="post", bias=False),
        dict(placement="identity", reduction={2: 2, 4: 16}),
        dict(placement="conv3x3", squeeze="none"),
        dict(depth=22, widening=2, reduction={}),
    )
]
