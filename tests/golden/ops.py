#!/usr/bin/python3
"""Writes ops.h: outputs, gradients and running statistics of PyTorch for every op.

    python3 tests/golden/ops.py > tests/golden/ops.h

Values come from the rule `value(n)`, which tests/unit/test_ops_golden.c repeats; so do the shapes
(NHWC, weights kh kw in out). A result is named by `what`: 0 the output, 1 + i the gradient of
input i, 10 + i what input i holds afterwards."""
import torch
import torch.nn.functional as F

torch.set_num_threads(2)
torch.manual_seed(0)


def value(n):
    """Multiplicative hashing to [-0.5, 0.5), exact in float32."""
    return ((n * 2654435761) % 2**32 >> 8) / 2**24 - 0.5


def filled(shape, start, rule):
    """rule: plain, positive (0.5 .. 1.5), coarse (quarters, so that ties and zeros occur),
    wide (whole numbers of -8 .. 7), far (around 300), label (class numbers below rule[1])."""
    n = shape[0] * shape[1] * shape[2] * shape[3]
    v = [value(start + i) for i in range(n)]
    if rule == "positive":
        v = [1 + x for x in v]
    elif rule == "coarse":
        v = [int(x * 4) / 4 for x in v]
    elif rule == "wide":
        v = [16 * int(x * 16) / 16 for x in v]
    elif rule == "far":
        v = [300 + x for x in v]
    elif isinstance(rule, tuple):
        v = [float(i * 7 % rule[1]) for i in range(n)]
    return torch.tensor(v, dtype=torch.float32).double().reshape(shape)


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def conv(x, w, b=None, **how):
    return nhwc(F.conv2d(nchw(x), w.permute(3, 2, 0, 1), None if b is None else b.flatten(), **how))


def linear(x, w, b=None):
    y = F.linear(x.flatten(1), w[0, 0].t(), None if b is None else b.flatten())
    return y[:, None, None, :]


def flatten_linear(x, w, b):
    """nn.Flatten of an NCHW map and a linear layer; w is (h, w, c, out)."""
    y = F.linear(nchw(x).flatten(1), w.permute(3, 2, 0, 1).flatten(1), b.flatten())
    return y[:, None, None, :]


def shuffle(x, groups):
    """F.channel_shuffle, which knows no gradient."""
    n, h, w, c = x.shape
    y = x.reshape(n, h, w, groups, c // groups).transpose(3, 4).reshape(x.shape)
    assert torch.equal(y, nhwc(F.channel_shuffle(nchw(x.detach()), groups)))
    return y


def norm(training):
    def run(x, scale, shift, mean, var):
        return nhwc(F.batch_norm(nchw(x), mean.view(-1), var.view(-1), scale.flatten(),
                                 shift.flatten(), training=training))
    return run


def loss(smoothing):
    def run(x, labels):
        return F.cross_entropy(x.flatten(1), labels.flatten().long(),
                               label_smoothing=smoothing).reshape(1, 1, 1, 1)
    return run


def option_a(x, channels, stride):
    before = (channels - x.shape[3]) // 2
    return F.pad(x[:, ::stride, ::stride], (before, channels - x.shape[3] - before))


def vec(c):
    return (1, 1, 1, c)


NORM = [vec(5), vec(5), vec(5), vec(5)]
NORM_RULES = ["positive", "plain", "plain", "positive"]
# name, shapes, rules of inputs (plain where none), function
CASES = [
    ("add", [(2, 2, 2, 3)] * 2, [], lambda a, b: a + b),
    ("add_scaled", [(2, 2, 2, 3)] * 2, [], lambda a, b: a + 0.17 * b),
    ("avg_pool_ceil", [(2, 6, 5, 3)], [],
     lambda x: nhwc(F.avg_pool2d(nchw(x), 3, 2, 0, ceil_mode=True))),
    ("avg_pool_ceil_padded", [(1, 4, 6, 3)], [],
     lambda x: nhwc(F.avg_pool2d(nchw(x), 3, 2, 1, ceil_mode=True))),
    ("avg_pool_exclude", [(2, 4, 5, 3)], [],
     lambda x: nhwc(F.avg_pool2d(nchw(x), 3, 1, 1, count_include_pad=False))),
    ("avg_pool", [(2, 4, 5, 3)], [], lambda x: nhwc(F.avg_pool2d(nchw(x), 3, 2, 1))),
    ("avg_pool_2", [(1, 4, 5, 3)], [], lambda x: nhwc(F.avg_pool2d(nchw(x), 2))),
    ("batch_norm", [(3, 2, 3, 5)] + NORM, ["plain"] + NORM_RULES, norm(True)),
    ("batch_norm_far", [(3, 2, 3, 5)] + NORM, ["far"] + NORM_RULES, norm(True)),
    ("batch_norm_eval", [(3, 2, 3, 5)] + NORM, ["plain"] + NORM_RULES, norm(False)),
    ("channel_shuffle", [(2, 2, 1, 12)], [], lambda x: shuffle(x, 3)),
    ("concat", [(2, 2, 1, 3), (2, 2, 1, 1), (2, 2, 1, 2)], [], lambda *x: torch.cat(x, 3)),
    ("conv2d", [(2, 5, 4, 3), (3, 3, 3, 4), vec(4)], [],
     lambda x, w, b: conv(x, w, b, stride=2, padding=1)),
    ("conv2d_1x1", [(2, 3, 2, 5), (1, 1, 5, 6)], [], conv),
    ("conv2d_7x7", [(1, 8, 7, 3), (7, 7, 3, 2)], [],
     lambda x, w: conv(x, w, stride=2, padding=3)),
    ("conv2d_groups", [(1, 4, 4, 6), (3, 3, 3, 4), vec(4)], [],
     lambda x, w, b: conv(x, w, b, padding=1, groups=2)),
    ("conv2d_depthwise", [(1, 4, 5, 5), (3, 3, 1, 5)], [],
     lambda x, w: conv(x, w, stride=2, padding=1, groups=5)),
    ("flatten", [(2, 2, 3, 5)], [], lambda x: x.reshape(2, 1, 1, 30)),
    ("flatten_linear", [(2, 2, 3, 5), (2, 3, 5, 4), vec(4)], [], flatten_linear),
    ("global_avg_pool", [(2, 3, 2, 5)], [], lambda x: x.mean((1, 2), keepdim=True)),
    ("global_max_pool", [(2, 3, 2, 5)], ["coarse"],
     lambda x: nhwc(F.adaptive_max_pool2d(nchw(x), 1))),
    ("linear", [(3, 1, 1, 6), (1, 1, 6, 5), vec(5)], [], linear),
    ("linear_no_bias", [(2, 1, 1, 4), (1, 1, 4, 3)], [], linear),
    ("max_pool", [(2, 5, 4, 3)], ["coarse"], lambda x: nhwc(F.max_pool2d(nchw(x), 3, 2, 1))),
    ("max_pool_overlap", [(1, 4, 4, 3)], ["coarse"], lambda x: nhwc(F.max_pool2d(nchw(x), 2, 1))),
    ("max_pool_ceil", [(2, 5, 6, 3)], ["coarse"],
     lambda x: nhwc(F.max_pool2d(nchw(x), 3, 2, 0, ceil_mode=True))),
    ("maximum", [(2, 3, 2, 5)] * 2, ["coarse", "coarse"], torch.maximum),
    ("pad_channels", [(2, 5, 3, 3)], [], lambda x: option_a(x, 8, 2)),
    ("relu", [(2, 3, 2, 5)], ["coarse"], torch.relu),
    ("relu6", [(2, 3, 2, 5)], ["wide"], F.relu6),
    ("scale_channels", [(2, 2, 3, 5), (2, 1, 1, 5)], [], lambda x, g: x * g),
    ("scale_channels_map", [(2, 2, 3, 5), (2, 2, 3, 5)], [], lambda x, g: x * g),
    ("shake_eval", [(2, 3, 2, 5)] * 2, [], lambda a, b: (a + b) / 2),
    ("sigmoid", [(2, 3, 2, 5)], [], torch.sigmoid),
    ("softmax_loss", [(4, 1, 1, 7), (4, 1, 1, 1)], ["plain", ("label", 7)], loss(0)),
    ("softmax_loss_smooth", [(4, 1, 1, 7), (4, 1, 1, 1)], ["plain", ("label", 7)], loss(0.1)),
    ("tanh", [(2, 3, 2, 5)], [], torch.tanh),
]


def write(name, what, tensor):
    values = [f"{v:.9g}" for v in tensor.detach().reshape(-1).tolist()]
    values = [(v if "." in v or "e" in v else v + ".0") + "f" for v in values]
    print(f'    {{ "{name}", {what}, {len(values)},\n      (const float[]){{ ', end="")
    for i in range(0, len(values), 6):
        print(", ".join(values[i:i + 6]), end=",\n        " if i + 6 < len(values) else " } },\n")


def run(name, shapes, rules, f):
    x = []
    for i, shape in enumerate(shapes):
        rule = rules[i] if i < len(rules) else "plain"
        x.append(filled(shape, 1000 * i, rule))
        x[i].requires_grad = not isinstance(rule, tuple) and not (i > 2 and "norm" in name)
    y = f(*x)
    y.backward(filled(tuple(y.shape), 9000, "plain"))
    write(name, 0, y)
    for i, t in enumerate(x):
        if t.requires_grad:
            write(name, 1 + i, t.grad)
        elif "norm" in name:
            write(name, 10 + i, t)


print("/* Made by tests/golden/ops.py with PyTorch", torch.__version__ + ", in float64. */")
print("static const struct op_golden {")
print("    const char *name;\n    int what;\n    size_t len;\n    const float *values;")
print("} op_golden[] = {")
for case in CASES:
    run(*case)
print("};")
