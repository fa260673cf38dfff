"""Makes rliable.json: what the package rliable says of fixed scores.

usage: python3 -m venv V && V/bin/pip install rliable==1.2.0 'pandas<3' 'numpy<2.3' &&
       V/bin/python make_rliable.py

Scores are written into the file, so that the test needs neither rliable nor the generator.
Intervals are rliable's stratified percentile bootstrap over runs of each task, with so many
resamples that chance leaves less than 1e-3.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rliable import library, metrics

RESAMPLES = 200_000


def main() -> None:
    rng = np.random.default_rng(20211)
    x = np.round(rng.beta(2, 3, size=(10, 3)), 4)  # runs, tasks
    y = np.round(rng.beta(2, 4, size=(10, 3)), 4)
    functions = {
        "iqm": metrics.aggregate_iqm,
        "mean": metrics.aggregate_mean,
        "optimality_gap": metrics.aggregate_optimality_gap,
    }
    found = {"x": x.tolist(), "y": y.tolist(), "resamples": RESAMPLES}
    for name, function in functions.items():
        estimate, interval = library.get_interval_estimates({"x": x}, function, reps=RESAMPLES)
        found[name] = [float(estimate["x"]), *map(float, interval["x"].ravel())]
    estimate, interval = library.get_interval_estimates(
        {"x,y": (x, y)}, metrics.probability_of_improvement, reps=20_000
    )
    found["improvement"] = [float(estimate["x,y"]), *map(float, interval["x,y"].ravel())]
    for count in (7, 9, 10, 13):
        scores = np.round(rng.normal(size=(count, 1)), 4)
        found[f"iqm of {count}"] = [scores.ravel().tolist(), float(metrics.aggregate_iqm(scores))]
    place = Path(__file__).with_name("rliable.json")
    place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
