"""Shared run directories; written once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from synthetic import write_run


@pytest.fixture(scope="session")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two methods, five seeds each, on one task."""
    root = tmp_path_factory.mktemp("campaign")
    for seed in range(5):
        write_run(root / f"autombpo/s{seed}", seed=seed, n_epochs=20, skill=0.9)
        write_run(root / f"mbpo/s{seed}", method="mbpo", seed=seed, n_epochs=20, skill=0.1,
                  with_decisions=False)  # fmt: skip
    return root


@pytest.fixture(scope="session")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that trains a controller: three stages of two hyper-episodes."""
    path = tmp_path_factory.mktemp("training") / "run"
    return write_run(path, stages=3, per_stage=2, n_epochs=4, skill_gain=0.2, transitions=250)
