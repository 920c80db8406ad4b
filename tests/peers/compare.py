#!/usr/bin/env python3
"""senet-exp beside PyTorch in the same minutes: step time, evaluation, memory, the cost of SE
blocks, grouped and depthwise layers. Prints a table of ratios and writes JSON.

Every task is measured in rounds, senet-exp and PyTorch in turn. The first round tries all of
PyTorch's variants (interpreter, layout, eager or compiled, malloc); later ones the fastest two. A
figure is the median over the rounds. Names of Python interpreters come from PEER_PYTHON, separated
by spaces or colons; those without torch are left out, and without any nothing is measured.
"""
import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
STEP = os.path.join(HERE, "pytorch_step.py")

# name, backbone, settings of ours, net of theirs, evaluation
NETWORKS = [
    ("SE-ResNet-20 b128", "resnet20", [], "se-resnet20", False),
    ("SE-ResNet-20 b128, evaluation", "resnet20", [], "se-resnet20", True),
    ("SE-ResNet-50 b16", "resnet50", [], "se-resnet50", False),
    ("SE-ResNet-50 b16, evaluation", "resnet50", [], "se-resnet50", True),
    ("ResNet-50 b16", "resnet50", ["model.se.reduction=none"], "resnet50", False),
]
LAYERS = [("grouped", "resnext50"), ("depthwise", "mobilenet")]
# What OpenBLAS is told here would hold for the reference path only, and nobody else sets it.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="build/senet-exp")
    p.add_argument("--layers-program", default="build/tests/bench/conv_bench")
    p.add_argument("--threads", type=int, default=0, help="of both; default: all CPUs of this process")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--steps", type=int, default=5, help="timed steps of each measurement")
    p.add_argument("--only", default="", help="tasks with this in their name, any case")
    p.add_argument("--prefix", default="", help="a command before each measurement, such as `taskset -c 0,1`")
    p.add_argument("-o", "--output", help="write the figures to this file as JSON")
    return p.parse_args()


a = arguments()
a.threads = a.threads or len(os.sched_getaffinity(0))


def measure(command, seconds=900):
    """The JSON that a command prints, or None after saying why there is none."""
    env = {k: v for k, v in os.environ.items() if k not in UNSET}
    try:
        done = subprocess.run(shlex.split(a.prefix) + command, env=env, capture_output=True, text=True,
                              timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        print(f"  no answer in {seconds} s: {' '.join(command)}", file=sys.stderr)
        return None
    if done.returncode == 0:
        return json.loads(done.stdout)
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    print(f"  status {done.returncode}: {' '.join(command)}: {last}", file=sys.stderr)
    return None


def interpreters():
    """Those of PEER_PYTHON that have torch, with its version."""
    found = []
    for python in re.split(r"[ :]+", os.environ.get("PEER_PYTHON") or "/usr/bin/python3"):
        try:
            ask = subprocess.run([python, "-c", "import torch; print(torch.__version__)"],
                                 capture_output=True, text=True, check=False)
        except OSError:
            continue
        if python and ask.returncode == 0:
            found.append((python, ask.stdout.strip()))
    return found


def variants(pythons):
    """Lists of options, each a way to run PyTorch."""
    for python, version in pythons:
        for layout in ("channels_last", "contiguous"):
            base = [python, STEP, "--layout", layout, "--threads", str(a.threads), "--steps", str(a.steps)]
            yield base
            yield base + ["--malloc", "default"]
            if int(version.split(".")[0]) >= 2:
                yield base + ["--compile"]


def variant_name(r):
    return " ".join([r["peer"].replace("PyTorch ", ""), r["layout"], "compiled" if r["compile"] else "eager"] +
                    (["malloc default"] if r["malloc"] == "default" else []))


def medians(results):
    """Of several measurements of one thing: the median speed, the smallest memory peak."""
    return {"images_per_s": statistics.median(r["images_per_s"] for r in results),
            "step_s": statistics.median(r["step_s"]["median"] for r in results),
            "peak_rss_mib": min(r["peak_rss_mib"] for r in results), "rounds": len(results)}


def compare_network(task, precision, ways):
    """Rounds of one network in one precision; None where either side has no figure."""
    _, backbone, settings, net, evaluation = task
    ours = [a.program, "bench", backbone, *settings, f"train.precision={precision}", "--no-reference", "--json",
            "--threads", str(a.threads), "--steps", str(3 * a.steps if "20" in backbone else a.steps)]
    theirs = ["--net", net, "--precision", precision]
    if evaluation:
        ours.append("--eval")
        theirs.append("--eval")
    mine, peers = [], {}
    trying = list(range(len(ways)))
    for round_number in range(a.rounds):
        mine.append(measure(ours))
        for i in trying:
            r = measure(ways[i] + theirs)
            if r:
                peers.setdefault(i, []).append(r)
        if round_number == 0:
            trying = sorted(peers, key=lambda i: -peers[i][0]["images_per_s"])[:2]
    mine = [m for m in mine if m]
    if not mine or not peers:
        return None
    figures = [dict(medians(r), variant=variant_name(r[0])) for r in peers.values()]
    best = max((f for f in figures if f["rounds"] == max(g["rounds"] for g in figures)),
               key=lambda f: f["images_per_s"])
    return {"ours": dict(medians(mine), peak_share=statistics.median(m["peak_share"] for m in mine)),
            "best": best, "lowest_rss_mib": min(f["peak_rss_mib"] for f in figures), "variants": figures}


LAYER_LINE = re.compile(r"(?:g(\d+)|dw) 3x3 (?:s(\d) )?(\d+) @(\d+) +direct +"
                        r"([\d.]+) \( *\d+ %\) +([\d.]+) \( *\d+ %\) +([\d.]+) \( *\d+ %\)")


def our_layers(network, batch=16):
    """Seconds forward, and forward with both gradients, from what conv_bench prints in GFLOP/s."""
    env = {k: v for k, v in os.environ.items() if k not in UNSET}
    text = subprocess.run(shlex.split(a.prefix) + [a.layers_program, "-t", str(a.threads), network, "direct"],
                          env=env, capture_output=True, text=True, check=True).stdout
    layers = {}
    for groups, stride, channels, size, *rates in LAYER_LINE.findall(text):
        channels, size, stride = int(channels), int(size), int(stride or 1)
        out = (size - 1) // stride + 1
        gflop = 2e-9 * batch * out * out * channels * 9 * channels / int(groups or channels)
        seconds = [gflop / float(rate) for rate in rates]
        layers[channels, size, stride] = (seconds[0], sum(seconds))
    if not layers:
        sys.exit(f"{a.layers_program} prints nothing that looks like layers of {network}")
    return layers


def fastest(into, layers):
    for key, seconds in layers.items():
        old = into.get(key, (1e9, 1e9))
        into[key] = (min(old[0], seconds[0]), min(old[1], seconds[1]))


def compare_layers(kind, network, ways):
    """Forward, and forward with both gradients, of each layer: the fastest of all runs on both
    sides. Our weights are packed beforehand, as a step of ours does it; theirs are not."""
    mine, theirs = {}, {}
    for round_number in range(min(2, a.rounds)):
        fastest(mine, our_layers(network))
        for way in ways:
            if round_number and "--compile" in way:
                continue
            r = measure(way + ["--layers", kind])
            fastest(theirs, {(x["channels"], x["size"], x["stride"]): (x["forward_s"], x["forward_backward_s"])
                             for x in (r["layers"] if r else [])})
    return [{"layer": f"{kind} 3x3 {k[0]} @{k[1]}" + (f" stride {k[2]}" if k[2] > 1 else ""),
             "ours_ms": [1e3 * s for s in mine[k]], "theirs_ms": [1e3 * s for s in theirs[k]],
             "ratios": [theirs[k][i] / mine[k][i] for i in (0, 1)]} for k in mine if k in theirs]


def table(title, rows):
    widths = [max(len(str(r[i])) for r in rows) for i in range(len(rows[0]))]
    print(f"\n{title}\n")
    for i, r in enumerate(rows):
        print("| " + " | ".join(str(x).ljust(w) for x, w in zip(r, widths)) + " |")
        if i == 0:
            print("|" + "|".join("-" * (w + 2) for w in widths) + "|")


def print_networks(done):
    rows = [("network", "precision", "senet-exp, images/s", "% of peak", "PyTorch's best", "ratio",
             "best of any precision", "MiB", "PyTorch's lowest", "ratio")]
    for (name, precision), r in done.items():
        any_best = max(o["best"]["images_per_s"] for (n, _), o in done.items() if n == name)
        ours, best = r["ours"], r["best"]
        rows.append((name, precision, f"{ours['images_per_s']:.1f}", f"{100 * ours['peak_share']:.0f}",
                     f"{best['images_per_s']:.1f} ({best['variant']})",
                     f"{ours['images_per_s'] / best['images_per_s']:.2f}",
                     f"{ours['images_per_s'] / any_best:.2f}", f"{ours['peak_rss_mib']:.0f}",
                     f"{r['lowest_rss_mib']:.0f}", f"{ours['peak_rss_mib'] / r['lowest_rss_mib']:.2f}"))
    table("Networks, medians of the rounds; a ratio above 1: senet-exp is faster", rows)


def print_se_cost(done):
    rows = [("precision", "senet-exp", "PyTorch")]
    for precision in ("fp32", "bf16"):
        se, plain = done.get(("SE-ResNet-50 b16", precision)), done.get(("ResNet-50 b16", precision))
        if se and plain:
            cost = [100 * (se[who]["step_s"] / plain[who]["step_s"] - 1) for who in ("ours", "best")]
            rows.append((precision, f"{cost[0]:+.1f} %", f"{cost[1]:+.1f} %"))
    if len(rows) > 1:
        table("SE-ResNet-50 against ResNet-50: what the blocks add to a training step", rows)


def print_layers(layers):
    rows = [("layer", "forward, ms", "PyTorch", "ratio", "with gradients, ms", "PyTorch", "ratio")]
    for r in layers:
        cells = [(f"{r['ours_ms'][i]:.2f}", f"{r['theirs_ms'][i]:.2f}", f"{r['ratios'][i]:.2f}") for i in (0, 1)]
        rows.append((r["layer"], *cells[0], *cells[1]))
    table("Layers in fp32, batch 16, the fastest of all runs", rows)


def main():
    pythons = interpreters()
    if not pythons:
        print("no Python with torch: nothing is compared. Install python3-torch, or name an interpreter "
              "that has torch in PEER_PYTHON")
        return
    ways = list(variants(pythons))
    done, layers = {}, []
    for task in NETWORKS:
        for precision in ("fp32", "bf16"):
            if a.only.lower() not in f"{task[0]} {precision}".lower():
                continue
            print(f"{task[0]}, {precision} ...", file=sys.stderr)
            r = compare_network(task, precision, ways)
            if r:
                done[task[0], precision] = r
    for kind, network in LAYERS:
        if a.only.lower() in f"layers {kind}":
            print(f"layers: {kind} ...", file=sys.stderr)
            layers += compare_layers(kind, network, ways)
    if done:
        print_networks(done)
        print_se_cost(done)
    if layers:
        print_layers(layers)
    if a.output:
        os.makedirs(os.path.dirname(a.output) or ".", exist_ok=True)
        with open(a.output + ".part", "w") as f:
            json.dump({"threads": a.threads, "rounds": a.rounds, "peers": [v for _, v in pythons],
                       "networks": [{"name": n, "precision": p, **r} for (n, p), r in done.items()],
                       "layers": layers}, f, indent=1)
        os.replace(a.output + ".part", a.output)
        print(f"\nwritten: {a.output}")


main()
