#!/usr/bin/env python3
"""senet-exp beside PyTorch in the same minutes: step time, evaluation, memory, the cost of SE
blocks, grouped and depthwise layers. Prints tables of ratios and writes JSON.

Every task is measured in rounds, senet-exp and PyTorch in turn, in both precisions. The first round
tries all of PyTorch's variants (interpreter, layout, eager or compiled, malloc); later ones the
fastest two. A figure is the median over the rounds. Each task's row is printed, and the JSON written
again, as soon as that task is done: an interrupted run keeps what it has. Names of Python
interpreters come from PEER_PYTHON, separated by spaces or colons; those without torch are left out,
and without any nothing is measured.
"""
import argparse
import json
import os
import re
import shlex
import signal
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
STEP = os.path.join(HERE, "pytorch_step.py")

# name, backbone, settings of ours, net of theirs, evaluation
NETWORKS = [
    ("SE-ResNet-20 b128", "se-resnet20", [], "se-resnet20", False),
    ("SE-ResNet-20 b128, evaluation", "se-resnet20", [], "se-resnet20", True),
    ("SE-ResNet-50 b16", "se-resnet50", [], "se-resnet50", False),
    ("SE-ResNet-50 b16, evaluation", "se-resnet50", [], "se-resnet50", True),
    ("ResNet-50 b16", "resnet50", [], "resnet50", False),
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
    p.add_argument("--precision", choices=["fp32", "bf16", "all"],
                   help="of networks; default: all, but of PyTorch fp32 where the CPU has no bf16 instructions")
    p.add_argument("--patience", type=float, default=300, metavar="SECONDS", help="for each measurement")
    p.add_argument("--only", default="", help="tasks with this in their name, any case")
    p.add_argument("--prefix", default="", help="a command before each measurement, such as `taskset -c 0,1`")
    p.add_argument("-o", "--output", help="write the figures to this file as JSON")
    return p.parse_args()


a = arguments()
a.threads = a.threads or len(os.sched_getaffinity(0))


def say(line):
    print(line, flush=True)


def has_bf16():
    """Whether the CPU multiplies bf16."""
    with open("/proc/cpuinfo") as f:
        flags = next((line.split() for line in f if line.startswith("flags")), [])
    return "avx512_bf16" in flags or "amx_bf16" in flags


def precisions():
    """Ours, and PyTorch's: where the CPU does not multiply bf16, PyTorch is many times slower in it, so
    that its best is in fp32."""
    if a.precision in ("fp32", "bf16"):
        return [a.precision], [a.precision]
    if a.precision is None and not has_bf16():
        say("this CPU has no bf16 instructions: PyTorch in fp32 only (--precision all tries bf16 too)")
        return ["fp32", "bf16"], ["fp32"]
    return ["fp32", "bf16"], ["fp32", "bf16"]


def answer(command):
    """What a command prints, or None after saying why there is nothing. It leads a process group,
    which is ended as a whole: a prefix or a compiler may have processes of its own."""
    env = {k: v for k, v in os.environ.items() if k not in UNSET}
    with subprocess.Popen(shlex.split(a.prefix) + command, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as child:
        try:
            out, messages = child.communicate(timeout=a.patience)
        except BaseException as e:
            os.killpg(child.pid, signal.SIGKILL)
            if not isinstance(e, subprocess.TimeoutExpired):
                raise
            say(f"  no answer in {a.patience:g} s: {' '.join(command)}")
            return None
    if child.returncode == 0:
        return out
    last = (messages.strip().splitlines() or ["no message"])[-1]
    say(f"  status {child.returncode}: {' '.join(command)}: {last}")
    return None


def measure(command):
    """The JSON that a command prints, or None."""
    out = answer(command)
    return json.loads(out) if out is not None else None


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
            "peak_rss_megabytes": min(r["peak_rss_megabytes"] for r in results), "rounds": len(results)}


def our_command(task, precision):
    _, backbone, settings, _, evaluation = task
    return [a.program, "bench", backbone, *settings, f"train.precision={precision}", "--no-reference", "--json",
            "--threads", str(a.threads), "--steps", str(3 * a.steps if "20" in backbone else a.steps),
            *(["--eval"] if evaluation else [])]


def their_figures(measured):
    """Of the variants {number: results}: each, the best of those measured in every round, memory."""
    figures = [dict(medians(r), variant=variant_name(r[0])) for r in measured.values()]
    best = max((f for f in figures if f["rounds"] == max(g["rounds"] for g in figures)),
               key=lambda f: f["images_per_s"])
    return {"best": best, "lowest_rss_megabytes": min(f["peak_rss_megabytes"] for f in figures), "variants": figures}


def compare_network(task, which, their, ways):
    """Rounds of one network: {precision: figures}, without those of which either side has none. A
    precision of ours that PyTorch is not measured in stands beside PyTorch's fp32."""
    _, _, _, net, evaluation = task
    mine, peers = {p: [] for p in which}, {p: {} for p in their}
    trying = {p: list(range(len(ways))) for p in their}
    for _ in range(a.rounds):
        for p in which:
            mine[p].append(measure(our_command(task, p)))
            for i in trying.get(p, []):
                r = measure(ways[i] + ["--net", net, "--precision", p] + (["--eval"] if evaluation else []))
                if r:
                    peers[p].setdefault(i, []).append(r)
            if p in trying:
                trying[p] = sorted(peers[p], key=lambda i, p=p: -peers[p][i][0]["images_per_s"])[:2]
    done = {}
    for p in which:
        against = p if p in peers else "fp32"
        measured = [m for m in mine[p] if m]
        if measured and peers.get(against):
            share = statistics.median(m["peak_share"] for m in measured)
            done[p] = {"ours": dict(medians(measured), peak_share=share), "their_precision": against,
                       **their_figures(peers[against])}
    return done


LAYER_LINE = re.compile(r"(?:g(\d+)|dw) 3x3 (?:s(\d) )?(\d+) @(\d+) +(?:winograd|direct) +"
                        r"([\d.]+) \( *\d+ %\) +([\d.]+) \( *\d+ %\) +([\d.]+) \( *\d+ %\)")


def our_layers(network, batch=16):
    """Seconds forward, and forward with both gradients, from what conv_bench prints in GFLOP/s."""
    text = answer([a.layers_program, "-t", str(a.threads), network, "best"])
    if text is None:
        return {}
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


NETWORK_HEAD = ("network", "precision", "senet-exp, images/s", "% of peak", "PyTorch's best", "ratio", "MB",
                "PyTorch's lowest", "ratio")
NETWORK_WIDTHS = (29, 9, 19, 9, 49, 5, 6, 16, 5)
LAYER_HEAD = ("layer", "forward, ms", "PyTorch", "ratio", "with gradients, ms", "PyTorch", "ratio")
LAYER_WIDTHS = (34, 11, 8, 5, 18, 8, 5)


def row(widths, cells):
    say("| " + " | ".join(str(c).ljust(w) for c, w in zip(cells, widths)) + " |")


def head(title, widths, cells):
    say(f"\n{title}\n")
    row(widths, cells)
    say("|" + "|".join("-" * (w + 2) for w in widths) + "|")


def network_row(name, precision, r):
    ours, best = r["ours"], r["best"]
    row(NETWORK_WIDTHS, (name, precision, f"{ours['images_per_s']:.1f}", f"{100 * ours['peak_share']:.0f}",
                         f"{best['images_per_s']:.1f} ({r['their_precision']} {best['variant']})",
                         f"{ours['images_per_s'] / best['images_per_s']:.2f}", f"{ours['peak_rss_megabytes']:.0f}",
                         f"{r['lowest_rss_megabytes']:.0f}", f"{ours['peak_rss_megabytes'] / r['lowest_rss_megabytes']:.2f}"))


def print_any_precision(done):
    """Who computes in one precision only may still choose the faster one."""
    names = [n for n, p in done if p == "bf16" and (n, "fp32") in done]
    widths = (29, 19, 14, 5)
    if names:
        head("The best of any precision on either side", widths,
             ("network", "senet-exp, images/s", "PyTorch", "ratio"))
    for name in names:
        best = [max(done[name, p][who]["images_per_s"] for p in ("fp32", "bf16")) for who in ("ours", "best")]
        row(widths, (name, f"{best[0]:.1f}", f"{best[1]:.1f}", f"{best[0] / best[1]:.2f}"))


def print_se_cost(done):
    rows = []
    for precision in ("fp32", "bf16"):
        se, plain = done.get(("SE-ResNet-50 b16", precision)), done.get(("ResNet-50 b16", precision))
        if se and plain:
            cost = [100 * (se[who]["step_s"] / plain[who]["step_s"] - 1) for who in ("ours", "best")]
            theirs = f"{cost[1]:+.1f} %" if se["their_precision"] == precision else "-"
            rows.append((precision, f"{cost[0]:+.1f} %", theirs))
    if rows:
        head("SE-ResNet-50 against ResNet-50: what the blocks add to a training step", (9, 9, 9),
             ("precision", "senet-exp", "PyTorch"))
    for r in rows:
        row((9, 9, 9), r)


def layer_rows(layers):
    for r in layers:
        cells = [(f"{r['ours_ms'][i]:.2f}", f"{r['theirs_ms'][i]:.2f}", f"{r['ratios'][i]:.2f}") for i in (0, 1)]
        row(LAYER_WIDTHS, (r["layer"], *cells[0], *cells[1]))


def write(pythons, done, layers):
    """All figures so far, in place of those of before."""
    if not a.output:
        return
    os.makedirs(os.path.dirname(a.output) or ".", exist_ok=True)
    with open(a.output + ".part", "w") as f:
        json.dump({"threads": a.threads, "rounds": a.rounds, "peers": [v for _, v in pythons],
                   "networks": [{"name": n, "precision": p, **r} for (n, p), r in done.items()],
                   "layers": layers}, f, indent=1)
    os.replace(a.output + ".part", a.output)


def main():
    pythons = interpreters()
    if not pythons:
        print("no Python with torch: nothing is compared. Install python3-torch, or name an interpreter "
              "that has torch in PEER_PYTHON")
        return
    ways = list(variants(pythons))
    done, layers = {}, []
    which, their = precisions()
    tasks = [task for task in NETWORKS if a.only.lower() in task[0].lower()]
    kinds = [k for k in LAYERS if a.only.lower() in f"layers {k[0]}"]
    if not tasks and not kinds:
        sys.exit(f"no task has {a.only!r} in its name")
    if tasks:
        head("Networks, medians of the rounds; a ratio above 1: senet-exp is faster", NETWORK_WIDTHS, NETWORK_HEAD)
    for task in tasks:
        figures = compare_network(task, which, their, ways)
        for p in which:
            if p not in figures:
                say(f"  {task[0]}, {p}: no figures of both sides")
                continue
            done[task[0], p] = figures[p]
            network_row(task[0], p, figures[p])
        write(pythons, done, layers)
    print_any_precision(done)
    print_se_cost(done)
    if kinds:
        head("Layers in fp32, batch 16, the fastest of all runs", LAYER_WIDTHS, LAYER_HEAD)
    for kind, network in kinds:
        more = compare_layers(kind, network, ways)
        layer_rows(more)
        layers += more
        write(pythons, done, layers)
    if a.output and (done or layers):
        say(f"\nwritten: {a.output}")


main()
