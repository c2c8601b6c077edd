"""`python -m benchmarks [--only stow,frames] [--full]`: measures, prints, and writes results.json."""

import argparse
import importlib
import os
import pkgutil

from benchmarks import lines, measure, picture

parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
parser.add_argument("--only", default="", help="names of lines, with commas between")
parser.add_argument("--full", action="store_true", help="at the size of the whole atlas; takes an hour")
options = parser.parse_args()

names = sorted(module.name for module in pkgutil.iter_modules(lines.__path__))
wanted = [name for name in options.only.split(",") if name] or names
unknown = set(wanted) - set(names)
if unknown:
    parser.error(f"There is no line {', '.join(sorted(unknown))}; there are {', '.join(names)}.")
if options.full:
    os.environ["ATLAS_BENCH_FULL"] = "1"

missed = 0
for name in wanted:
    results = importlib.import_module(f"benchmarks.lines.{name}").run()
    for result in results:
        print(result.sentence(), flush=True)
        missed += not result.is_reached
    measure.write(results)
picture.draw()
if missed:
    raise SystemExit(f"{missed} of the lines missed their goal.")
