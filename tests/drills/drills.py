"""Bad luck and bad intent, at random from a seed: `make drills`. Prints what was tried and found.
usage: drills.py PROGRAM [DRILL ...]   DRILL_SEED draws other tries, DRILL_TRIES makes them more or fewer"""
import importlib
import os
import sys
import time
import traceback

sys.dont_write_bytecode = True
from rig import Drill  # noqa: E402

DRILLS = ("kills", "calls", "state", "data", "hostile", "links")


def drilled(name, program, seed, tries):
    part = importlib.import_module(name)
    d = Drill(name, program, seed, tries or part.TRIES)
    try:
        part.drill(d)
    except Exception:  # a drill that breaks has found something
        d.found(traceback.format_exc())
    finally:
        d.close()
    return d


def main():
    program, chosen = os.path.abspath(sys.argv[1]), sys.argv[2:] or DRILLS
    seed, tries = os.environ.get("DRILL_SEED") or "1", int(os.environ.get("DRILL_TRIES") or 0)
    rows, findings = [], []
    for name in chosen:
        began = time.monotonic()
        d = drilled(name, program, seed, tries)
        rows.append(f"{name:8} {d.tries:6} {len(d.findings):9} {time.monotonic() - began:8.0f}")
        findings += d.findings
        print(rows[-1], file=sys.stderr)
    print("\n".join(findings + [f"seed {seed}", "drill     tries  findings  seconds"] + rows))
    sys.exit(bool(findings))


main()
