#!/usr/bin/python3
"""Writes sgd.h: what torch.optim.SGD makes of known weights and gradients.

    python3 tests/golden/sgd.py > tests/golden/sgd.h

Weight and gradient values come from the rule `value(n)`, which tests/unit/test_optim.c repeats.
The parameters are those of batch norm (3 channels) and a linear layer (3 -> 5)."""
import torch

STEPS = 5
SIZES = [("bn.weight", 3), ("bn.bias", 3), ("fc.weight", 15), ("fc.bias", 5)]
CASES = [  # lr, momentum, nesterov, weight decay, decay_norm_and_bias
    (0.1, 0, False, 0, True),
    (0.1, 0.9, False, 0, True),
    (0.1, 0.9, True, 0, True),
    (0.05, 0.9, False, 0.05, True),
    (0.05, 0.8, True, 0.05, True),
    (0.05, 0.9, True, 0.05, False),
]


def value(n):
    """Multiplicative hashing to [-0.5, 0.5), exact in float32."""
    return ((n * 2654435761) % 2**32 >> 8) / 2**24 - 0.5


def fill(tensor, start):
    with torch.no_grad():
        for i in range(tensor.numel()):
            tensor[i] = value(start + i)


def run(lr, momentum, nesterov, decay, everywhere):
    params, at = {}, 0
    for name, size in SIZES:
        params[name] = torch.zeros(size, requires_grad=True)
        fill(params[name], at)
        at += size
    groups = [{"params": [p], "weight_decay": decay if everywhere or n == "fc.weight" else 0}
              for n, p in params.items()]
    sgd = torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov)
    for step in range(1, STEPS + 1):
        at = 1000 * step
        for name, size in SIZES:
            params[name].grad = torch.zeros(size)
            fill(params[name].grad, at)
            at += size
        # The rate falls as under a schedule: by a tenth of lr a step.
        for group in sgd.param_groups:
            group["lr"] = lr * (1 - 0.1 * (step - 1))
        sgd.step()
    return torch.cat(list(params.values())).tolist()


print("/* Made by tests/golden/sgd.py with PyTorch", torch.__version__ + ". */")
print("static const struct sgd_golden {")
print("    double lr, momentum;\n    bool nesterov;\n    double weight_decay;")
print("    bool decay_norm_and_bias;\n    float weights[26];\n} sgd_golden[] = {")
for lr, momentum, nesterov, decay, everywhere in CASES:
    flags = (str(nesterov).lower(), str(everywhere).lower())
    print(f"    {{ {lr}, {momentum}, {flags[0]}, {decay}, {flags[1]},\n      {{ ", end="")
    values = [f"{v:.9g}f" if "." in f"{v:.9g}" or "e" in f"{v:.9g}" else f"{v:.9g}.0f"
              for v in run(lr, momentum, nesterov, decay, everywhere)]
    for i in range(0, len(values), 6):
        print(", ".join(values[i:i + 6]), end=",\n        " if i + 6 < len(values) else " } },\n")
print("};")
