"""Look of the figures: colours, sizes, and the file of numbers beside each figure."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

# Okabe and Ito's palette, distinguishable with every common colour blindness; yellow left out
# (too faint on white), indigo and brown added. Grey is for what others are compared with.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#332288", "#8B5E3C")
GREY = "#6b6b6b"

# A method keeps its colour in every figure.
METHOD_COLOURS = {
    "autombpo": PALETTE[0],
    "mbpo": PALETTE[1],
    "sac_1": PALETTE[3],
    "sac_20": PALETTE[6],
    "pbt": PALETTE[2],
    "mf_pbt": PALETTE[7],
    "ror": PALETTE[5],
    "static": PALETTE[4],
    "autombpo_staged": PALETTE[4],
    "autombpo_apply": PALETTE[4],
    "autombpo_r": PALETTE[2],
    "autombpo_m": PALETTE[3],
    "autombpo_p": PALETTE[5],
    "autombpo_l": PALETTE[4],
}
METHOD_NAMES = {
    "autombpo": "AutoMBPO",
    "autombpo_staged": "AutoMBPO (staged)",
    "autombpo_apply": "AutoMBPO (applied)",
    "autombpo_r": "AutoMBPO-R",
    "autombpo_m": "AutoMBPO-M",
    "autombpo_p": "AutoMBPO-P",
    "autombpo_l": "AutoMBPO-L",
    "mbpo": "MBPO",
    "sac_1": "SAC(1)",
    "sac_20": "SAC(20)",
    "pbt": "PBT",
    "mf_pbt": "MF-PBT",
    "ror": "RoR",
    "random": "random schedule",
    "static": "random search",
    "open_loop": "open loop",
    "autombpo_fork": "AutoMBPO (forks)",
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

RC = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 8.0,
    "axes.labelsize": 9.5,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#8a8a8a",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "savefig.dpi": 160,
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,
    "svg.hashsalt": "autombpo",
}


def method_name(method: str) -> str:
    """Name of a method as it is printed."""
    return METHOD_NAMES.get(method, method)


def method_colours(methods: Iterable[str]) -> dict[str, str]:
    """A colour for each method: its own if it has one, else the next that is free."""
    methods = list(dict.fromkeys(methods))
    result: dict[str, str] = {}
    for method in methods:
        own = METHOD_COLOURS.get(method)
        if own is not None and own not in result.values():
            result[method] = own
    free = [colour for colour in PALETTE if colour not in result.values()]
    for method in methods:
        if method not in result:
            result[method] = free.pop(0) if free else PALETTE[len(result) % len(PALETTE)]
    return {method: result[method] for method in methods}


@dataclass
class Drawing:
    """A figure and the numbers in it."""

    figure: Figure
    header: Sequence[str]
    rows: list[Sequence[Any]] = field(default_factory=list)

    def save(self, path: Path) -> list[Path]:
        """Write the figure to `path` and the numbers beside it as CSV; returns both paths."""
        path = Path(path)
        if path.suffix == "":
            path = path.with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context(RC):
            self.figure.savefig(path, bbox_inches="tight", pad_inches=0.12)
        table = path.with_suffix(".csv")
        with table.open("w", newline="", encoding="utf-8") as file:
            self.write(file)
        return [path, table]

    def write(self, file: Any = None) -> None:
        """Write the numbers as CSV; a missing number is an empty field."""
        writer = csv.writer(file or sys.stdout, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows([_cell(value) for value in row] for row in self.rows)


def _cell(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.9g}"
    return value
