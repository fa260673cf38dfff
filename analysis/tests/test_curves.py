"""From hyper-episodes to plotted arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import sealed, write_episode, write_policy, write_run

from autombpo_analysis import Episode, FormatError, load
from autombpo_analysis import compare as cmp
from autombpo_analysis import curves as cv
from autombpo_analysis import plots


def episode(path: Path, **options) -> Episode:
    return Episode.read(write_episode(path, **options))


def test_trials_of_different_length_share_a_grid(tmp_path: Path):
    trials = [episode(tmp_path / f"{i}.h5", index=i, n_epochs=4 + i) for i in range(2)]
    with pytest.warns(UserWarning, match="only the 4 of 5"):
        curves = cv.learning_curves(trials)
    assert curves.steps.tolist() == [6000, 7000, 8000, 9000]
    assert np.array_equal(curves.values[1], trials[1].epochs["eval_return_mean"][:4])


def shifted(path: Path, index: int, shift: int, **options) -> Episode:
    write_episode(path, index=index, **options)
    with sealed(path) as file:
        file["epochs/env_step"][:] += shift
    return Episode.read(path)


def test_trials_some_samples_apart_are_aligned_by_epoch(tmp_path: Path):
    # Exploration ends with a whole episode: 5,012 or 5,500 samples instead of 5,000.
    trials = [shifted(tmp_path / f"{i}.h5", i, d, n_epochs=4) for i, d in enumerate((12, 500))]
    curves = cv.learning_curves(trials)
    assert curves.steps.tolist() == [6256, 7256, 8256, 9256]
    assert np.array_equal(curves.values[1], trials[1].epochs["eval_return_mean"])
    # A method that reached a little less than another does not lose its last evaluation.
    assert curves.count_until(9000) == 4 and curves.count_until(8500) == 3


def test_trials_further_apart_are_interpolated(tmp_path: Path):
    trials = [shifted(tmp_path / f"{i}.h5", i, d, n_epochs=5) for i, d in enumerate((0, 1500))]
    with pytest.warns(UserWarning, match="interpolated"):
        curves = cv.learning_curves(trials)
    assert curves.steps.tolist() == [7500, 8500, 9500]
    first = trials[0].epochs["eval_return_mean"]
    assert curves.values[0] == pytest.approx((first[1:4] + first[2:5]) / 2)
    trials[1] = shifted(tmp_path / "2.h5", 2, 90_000, n_epochs=5)
    with pytest.raises(FormatError, match="in common"), pytest.warns(UserWarning):
        cv.learning_curves(trials)


def test_diverged_trials_are_left_out_and_counted(tmp_path: Path):
    trials = [
        episode(tmp_path / "0.h5", n_epochs=3),
        episode(tmp_path / "1.h5", n_epochs=2, status="diverged"),
    ]
    curves = cv.learning_curves(trials)
    assert curves.values.shape == (1, 3) and curves.diverged == 1
    with pytest.raises(FormatError, match="none of 1"):
        cv.learning_curves(trials[1:])


def test_final_return_is_the_mean_of_the_last_tenth(tmp_path: Path):
    e = episode(tmp_path / "0.h5", n_epochs=25)
    expected = e.epochs["eval_return_mean"][-2:].mean()
    assert cv.final_returns([e]) == pytest.approx([expected])
    # Up to 10,000 real samples there are five evaluations: the last of them.
    assert cv.final_returns([e], 10_000) == pytest.approx([e.epochs["eval_return_mean"][4]])


def test_schedule_follows_the_decisions(tmp_path: Path):
    e = episode(tmp_path / "0.h5", n_epochs=10)
    result = cv.schedules([e], bins=80)  # one decision a part
    for name in ("real_ratio", "policy_updates", "rollout_length"):
        assert np.array_equal(result.values[name][0], e.hyperparameter(name))
        assert np.isfinite(result.original[name]).all()
    assert result.relative
    # Eight decisions an epoch, the original trains four times an epoch.
    share = e.hyperparameter("model_trained").mean()
    assert result.values["model_training"].mean() == pytest.approx(share * 8 / 4, rel=0.1)
    assert (result.original["model_training"] == 1).all()


def test_schedule_without_decisions_follows_the_epochs(tmp_path: Path):
    e = episode(tmp_path / "0.h5", n_epochs=30, with_decisions=False)
    result = cv.schedules([e], bins=30)
    assert np.array_equal(result.values["rollout_length"][0], e.epochs["rollout_length"])
    assert (result.values["model_training"] == 1).all()
    assert np.array_equal(result.original["rollout_length"], e.epochs["original"][:, 3])


def test_schedules_have_as_many_parts_as_the_shortest_trial_allows(tmp_path: Path):
    e = episode(tmp_path / "0.h5", n_epochs=3)
    result = cv.schedules([e], bins=40)
    assert len(result.progress) == 24
    assert all(np.isfinite(v).all() for v in result.original.values())


def test_empty_parts_repeat_the_value_before():
    progress, values = np.array([0.3, 0.9]), np.array([5.0, 7.0])
    assert cv._binned(progress, values, 4).tolist() == [5.0, 5.0, 5.0, 7.0]
    assert cv._binned(np.array([0.1, 0.15]), values, 2).tolist() == [6.0, 6.0]


def test_stage_table_summarises_hyper_episodes(training: Path):
    (run,) = load(training)
    table = cv.stage_table(run)
    assert table.stage.tolist() == [0, 1, 2]
    scores = [e.score for e in run.episodes[:2]]
    assert table.score_mean[0] == pytest.approx(np.mean(scores))
    assert table.score_std[0] == pytest.approx(np.std(scores))
    assert table.baseline[0] == pytest.approx(run.episodes[0].epochs["baseline_return"].mean())
    # The generator lowers the entropies as skill grows.
    assert (np.diff(table.entropy[:, 0]) < 0).all()
    assert table.group == ["joint"] * 3


def test_methods_are_compared_at_the_samples_that_all_reach(tmp_path: Path):
    write_run(tmp_path / "a", n_epochs=20)
    write_run(tmp_path / "b", method="mbpo", n_epochs=10)
    runs = load(tmp_path)
    with pytest.warns(UserWarning, match=r"compared at 15000 .* MBPO ends; cut: AutoMBPO \(25000\)"):
        data = cmp.scores(runs)
    assert data.until == {"hopper-v2": 15000}
    assert data.counts == {"autombpo": "1 trial of 1 run", "mbpo": "1 trial of 1 run"}
    at_15000 = runs[0].episodes[0].epochs["eval_return_mean"][9]
    assert data.raw["autombpo"][0] == pytest.approx([at_15000])
    low, high = data.scale["hopper-v2"]
    assert low == 20.0 and high == pytest.approx(data.raw["mbpo"][0].mean())
    assert data.normalised["mbpo"][0].mean() == pytest.approx(1.0)


def test_returns_of_episodes_of_other_lengths_are_not_compared(campaign: Path, tmp_path: Path):
    path = write_run(tmp_path / "short", method="sac_20", n_epochs=20)
    with sealed(path / "episodes/000000.h5") as file:
        file.attrs["env_spec"] = file.attrs["env_spec"].replace("1000", "200")
    runs = load(campaign, path)
    for draw in (cmp.scores, plots.returns):
        with pytest.raises(FormatError, match=r"cut after 1000 steps .* and after 200 .*short"):
            draw(runs)


def test_table_has_a_row_for_each_method_and_task(campaign: Path):
    rows = cmp.table(load(campaign))
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("hopper-v2", "autombpo", 5),
        ("hopper-v2", "mbpo", 5),
    ]
    assert all(low <= middle <= high for middle, low, high in (row[5:8] for row in rows))
    text = cmp.format_table(rows)
    assert len({line.index("hopper") for line in text.splitlines()[1:]}) == 1


def test_an_unscheduled_model_training_is_counted_by_epoch(tmp_path: Path):
    # MBPO's own interval need not meet the decisions: they cannot tell how often it trained.
    path = write_episode(tmp_path / "0.h5", n_epochs=10)
    with sealed(path) as file:
        file["decisions/action"][:, 0] = -1
        file["decisions/hyperparameters"][:, 0] = 0
        file["epochs/model_trainings"][:] = 4
    result = cv.schedules([Episode.read(path)], bins=10)
    assert (result.values["model_training"] == 1).all()


def test_a_method_without_a_model_never_trains_it(tmp_path: Path):
    path = write_episode(tmp_path / "0.h5", n_epochs=10, with_decisions=False)
    with sealed(path) as file:
        file["epochs/model_trainings"][:] = 0
        file["epochs/original"][:, 0] = 0
    result = cv.schedules([Episode.read(path)])
    assert result.relative and (result.values["model_training"] == 0).all()
    assert np.isnan(result.original["model_training"]).all()


def test_stages_are_as_the_controller_recorded_them(tmp_path: Path):
    path = write_run(tmp_path / "run", stages=2, per_stage=2, n_epochs=3)
    recorded = {"stage": [0], "score": [7.0], "score_std": [1.0], "baseline_score": [5.0]}
    write_policy(path / "policy/v000002.h5", 2, stages=recorded)
    table = cv.stage_table(load(path)[0])
    assert (table.score_mean[0], table.score_std[0], table.baseline[0]) == (7.0, 1.0, 5.0)
    assert table.score_mean[1] == pytest.approx(table.scores[1].mean())


def test_seconds_of_an_epoch_are_differences_within_a_process(training: Path):
    epochs = cv.epoch_seconds(load(training)[0]).values()
    assert len(epochs) == 24
    for part, value in (("sac", 14.0), ("env", 0.4)):
        assert [e[part] for e in epochs] == pytest.approx([value] * 24)
