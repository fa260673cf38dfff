"""Exports; each test needs the optional library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autombpo_analysis import export, load


def test_pandas_has_a_row_for_each_epoch_and_decision(training: Path):
    pytest.importorskip("pandas")
    runs = load(training)
    epochs = runs.to_pandas()
    assert len(epochs) == 6 * 4
    assert epochs.groupby("hyper_episode")["eval_return_mean"].mean()[3] == pytest.approx(
        runs[0].episodes[3].score
    )
    decisions = runs.to_pandas("decisions")
    assert len(decisions) == 6 * 32
    assert "hyperparameters_real_ratio" in decisions and "state_progress" in decisions
    with pytest.raises(ValueError, match="expected epochs or decisions"):
        runs.to_pandas("other")


def test_tensorboard_has_a_directory_for_each_hyper_episode(training: Path, tmp_path: Path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs = load(training)
    written = export.to_tensorboard(runs, tmp_path)
    assert len(written) == 6
    events = EventAccumulator(str(written[0]), size_guidance={"scalars": 0})
    events.Reload()
    points = events.Scalars("epoch/eval_return_mean")
    epochs = runs[0].episodes[0].epochs
    assert [p.step for p in points] == epochs["env_step"].tolist()
    # TensorBoard stores float32.
    assert np.allclose([p.value for p in points], epochs["eval_return_mean"], rtol=1e-6)


def test_minari_loads_what_was_exported(training: Path, tmp_path: Path, monkeypatch):
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    episode = load(training)[0].episodes[0]
    export.to_minari(episode, "autombpo/hopper-v0")
    dataset = minari.load_dataset("autombpo/hopper-v0")
    data = episode.transitions()
    assert dataset.total_steps == 250 and dataset.total_episodes == 3
    first = next(iter(dataset.iterate_episodes([0])))
    assert np.array_equal(first.observations[:-1], data["observations"][:100])
    assert np.array_equal(first.observations[-1], data["final_observations"][0])
    assert first.terminations[-1] and not first.truncations.any()


def test_minari_needs_logged_transitions(campaign: Path):
    pytest.importorskip("minari")
    with pytest.raises(ValueError, match="log.transitions"):
        export.to_minari(load(campaign)[0].episodes[0], "autombpo/x-v0")
