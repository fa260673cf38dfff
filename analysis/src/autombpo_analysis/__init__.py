"""Reads, tabulates and plots the results of autombpo.

>>> import autombpo_analysis as aa
>>> runs = aa.load("runs/hopper-v2")
>>> steps, returns = runs.curve("eval_return_mean")
"""

from .io import Episode, FormatError, Policy
from .run import Run, SkippedFileWarning
from .runs import Runs, load
from .stats import (
    area_under_curve,
    bootstrap_interval,
    iqm,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
)

__version__ = "0.2.0"

__all__ = [
    "Episode",
    "FormatError",
    "Policy",
    "Run",
    "Runs",
    "SkippedFileWarning",
    "area_under_curve",
    "bootstrap_interval",
    "iqm",
    "load",
    "optimality_gap",
    "performance_profile",
    "probability_of_improvement",
]
