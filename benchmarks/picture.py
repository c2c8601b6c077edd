"""Draws results.json as results.svg: each line's ratio on a logarithmic axis, its spread, its goal."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

from benchmarks.measure import RESULTS

PICTURE = Path(__file__).parent / "results.svg"
INK, ACCENT, MISSED, LINE = "#1b2430", "#0b6e99", "#b3401f", "#c9d1da"


def draw() -> None:
    """Write the picture of what was measured last."""
    lines = json.loads(RESULTS.read_text())
    matplotlib.rcParams |= {
        "font.size": 9,
        "text.color": INK,
        "svg.hashsalt": "atlas",
        "font.family": "sans-serif",
    }
    figure, axes = pyplot.subplots(figsize=(8, 0.42 * len(lines) + 1.1))
    for at, line in enumerate(reversed(lines)):
        reached = line["ratio"] >= line["goal"]
        axes.barh(at, line["ratio"], height=0.55, color=ACCENT if reached else MISSED)
        if len(line["ratios"]) > 1:
            axes.plot([min(line["ratios"]), max(line["ratios"])], [at, at], color=INK, linewidth=1)
        if line["goal"]:
            axes.plot([line["goal"]] * 2, [at - 0.4, at + 0.4], color=INK, linewidth=2)
        axes.annotate(
            f"× {line['ratio']:.2f}   {line['ours']:g} : {line['peer']:g} {line['unit']}",
            (max([line["ratio"], *line["ratios"], line["goal"]]), at),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(range(len(lines)), [line["name"] for line in reversed(lines)])
    axes.set_xscale("log")
    axes.axvline(1, color=LINE, zorder=0)
    axes.set_xlim(0.1, max(line["ratio"] for line in lines) * 12)
    axes.set_xlabel("Atlas against its peer or limit: above 1, Atlas is better; the stroke is the goal")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(PICTURE, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
