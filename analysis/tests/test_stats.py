"""Statistics against values computed by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from autombpo_analysis import stats


def test_iqm_drops_a_quarter_at_each_end():
    # 8 values: 2 dropped at each end, mean of 3, 4, 5, 6.
    assert stats.iqm(np.array([100.0, 1, 2, 3, 4, 5, 6, -50])) == 3.5
    # 10 values: floor(10 / 4) = 2 dropped at each end, mean of 2 ... 7.
    assert stats.iqm(np.arange(10.0)) == 4.5
    # Fewer than 4 values: the mean.
    assert stats.iqm(np.array([1.0, 2.0, 9.0])) == 4.0


def test_iqm_works_along_an_axis():
    x = np.column_stack([np.arange(8.0), 10 * np.arange(8.0)])
    assert stats.iqm(x, axis=0).tolist() == [3.5, 35.0]
    assert stats.iqm(x.T, axis=1).tolist() == [3.5, 35.0]


def test_optimality_gap_ignores_surplus():
    # Shortfalls 0.5, 0, 0.25.
    assert stats.optimality_gap(np.array([0.5, 3.0, 0.75])) == pytest.approx(0.25)


def test_area_is_the_mean_height():
    # (0.5 * 2 + 1 * 3) / 4: triangle up to 1 over [0, 2], then from 1 to 2 ... by trapezoids.
    x = np.array([0.0, 1.0, 3.0])
    assert stats.area_under_curve(x, np.array([0.0, 2.0, 4.0])) == pytest.approx((1 + 6) / 3)
    assert stats.area_under_curve(x, np.full((2, 3), 5.0)).tolist() == [5.0, 5.0]
    with pytest.raises(ValueError, match="increase"):
        stats.area_under_curve(x[::-1], x)


def test_probability_of_improvement_counts_pairs():
    x, y = np.array([1.0, 3.0]), np.array([0.0, 1.0, 2.0])
    # 1 > 0, 1 = 1 (half), 1 < 2; 3 beats all: (1 + 0.5 + 3) / 6.
    assert stats.probability_of_improvement(x, y)[0] == pytest.approx(0.75)
    estimate, low, high = stats.probability_of_improvement(np.arange(6.0), np.arange(1.0, 7))
    assert 0 <= low < estimate < high <= 1
    # Averaged over tasks: 0.75 and 0.
    lists = ([x, np.array([0.0])], [y, np.array([1.0, 2.0])])
    assert stats.probability_of_improvement(*lists)[0] == pytest.approx(0.375)


def test_performance_profile_is_the_share_above():
    scores = [np.array([0.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0])]
    # Above 0.5: 1/2 and 4/4; above 2: 0 and 2/4; above 4: none.
    profile = stats.performance_profile(scores, np.array([0.5, 2.0, 4.0]))
    assert profile.tolist() == [0.75, 0.25, 0.0]


def test_interval_of_the_mean_agrees_with_theory():
    # Mean of 400 normal numbers of deviation 2: half width 1.96 * 2 / sqrt(400) = 0.196.
    x = np.random.default_rng(1).normal(5.0, 2.0, 400)
    low, high = stats.bootstrap_interval(x, stats.mean, resamples=4000)
    half = 1.96 * x.std() / 20
    # 4000 resamples give the 2.5 % points to about 5 % of the half width.
    assert low == pytest.approx(x.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(x.mean() + half, abs=0.1 * half)


def test_interval_covers_in_most_repetitions():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        low, high = stats.bootstrap_interval(rng.normal(size=20), stats.mean, resamples=500)
        hits += low <= 0 <= high
    # Nominal 95 %; the percentile interval of 20 values undercovers by about 2 %.
    assert 0.88 <= hits / 200 <= 0.99


def test_strata_are_resampled_apart():
    # Each stratum is constant: any resample within strata gives the same pooled mean.
    strata = [np.zeros(6), np.ones(10)]
    low, high = stats.bootstrap_interval(strata, stats.mean)
    assert low == high == pytest.approx(5 / 8)


def test_intervals_repeat_and_keep_shape():
    x = np.random.default_rng(3).normal(size=(6, 7))
    first, second = stats.bootstrap_interval(x), stats.bootstrap_interval(x)
    assert np.array_equal(first, second)
    assert first[0].shape == (7,)


def test_chunks_do_not_change_the_interval(monkeypatch: pytest.MonkeyPatch):
    x = np.arange(15.0).reshape(5, 3)
    whole = stats.bootstrap_interval(x, stats.mean, resamples=100)
    monkeypatch.setattr(stats, "_CHUNK", 24)
    assert np.allclose(stats.bootstrap_interval(x, stats.mean, resamples=100), whole)


@pytest.mark.parametrize("trials", [1, 2, stats.FEWEST - 1])
def test_few_trials_have_no_interval(trials: int):
    x = np.arange(2.0 * trials).reshape(trials, 2)
    low, high = stats.bootstrap_interval(x)
    assert np.isnan(low).all() and np.isnan(high).all() and low.shape == (2,)
    enough = np.arange(2.0 * stats.FEWEST).reshape(-1, 2)
    assert np.isnan(stats.bootstrap_interval([enough, x])).all()  # one task of two
    assert np.isfinite(stats.bootstrap_interval(enough)).all()
    chance = stats.probability_of_improvement(enough[:, 0], x[:, 0])
    assert np.isfinite(chance[0]) and np.isnan(chance[1:]).all()


def test_an_interval_never_has_zero_width_because_all_pairs_were_won():
    estimate, low, high = stats.probability_of_improvement(np.arange(10.0, 16), np.arange(6.0))
    assert estimate == 1.0 and np.isnan(low) and np.isnan(high)


def test_missing_values_are_refused():
    with pytest.raises(ValueError, match="1 values are not finite"):
        stats.bootstrap_interval(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="no values"):
        stats.probability_of_improvement(np.array([]), np.array([1.0]))
    with pytest.raises(ValueError, match="2 and 1 tasks"):
        stats.probability_of_improvement([np.ones(2)] * 2, np.ones(2))


def test_lower_tail_is_the_mean_of_the_lowest_quarter():
    assert stats.lower_tail(np.array([5.0, 1, 9, 3, 7, 8, 6, 2])) == 1.5
    assert stats.lower_tail(np.arange(10.0)) == 1.0  # ceil(10 / 4) = 3 values
    assert stats.lower_tail(np.array([4.0])) == 4.0


def test_hierarchical_interval_is_that_of_the_controllers_where_they_differ_most():
    # Runs of a controller are equal: only what the controllers differ by is left, sd / sqrt(20).
    means = np.random.default_rng(5).normal(size=20)
    low, high = stats.hierarchical_interval([np.full(10, m) for m in means], stats.mean, 4000)
    half = 1.96 * means.std() / np.sqrt(20)
    # 4000 resamples give the 2.5 % points to about 5 % of the half width.
    assert low == pytest.approx(means.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(means.mean() + half, abs=0.1 * half)


def test_pooling_runs_of_controllers_would_be_too_narrow():
    groups = list(np.random.default_rng(6).normal(size=(8, 1)) + np.zeros((8, 10)))
    wide = np.diff(stats.hierarchical_interval(groups, stats.mean), axis=0)
    narrow = np.diff(stats.bootstrap_interval(np.concatenate(groups), stats.mean), axis=0)
    assert wide > 2.5 * narrow  # sqrt(10) in theory


def test_groups_of_one_are_the_plain_bootstrap():
    x = np.random.default_rng(7).normal(size=(30, 2))
    plain = stats.bootstrap_interval(x, stats.mean, resamples=8000)
    grouped = stats.hierarchical_interval([row[None] for row in x], stats.mean, resamples=8000)
    assert np.allclose(plain, grouped, atol=0.02)  # 3 % of the width, by chance


def test_few_controllers_have_no_interval():
    groups = [np.arange(10.0)] * (stats.FEWEST - 1)
    assert np.isnan(stats.hierarchical_interval(groups)).all()
    estimate, low, high = stats.hierarchical_improvement(groups, [np.arange(1.0, 11)] * 9)
    assert estimate == pytest.approx(0.405) and np.isnan(low) and np.isnan(high)


GOLDEN = json.loads((Path(__file__).parent / "golden/rliable.json").read_text())
LAWS = {"iqm": stats.iqm, "mean": stats.mean, "optimality_gap": stats.optimality_gap}


@pytest.mark.parametrize("name", LAWS)
def test_statistics_and_intervals_are_those_of_rliable(name: str):
    # Both sides draw at random: 200,000 and 60,000 resamples leave less than 1e-3 (4e-4 seen).
    estimate, low, high = GOLDEN[name]
    scores = np.array(GOLDEN["x"])
    assert LAWS[name](scores.ravel(), axis=0) == pytest.approx(estimate, abs=1e-12)
    strata = list(scores.T)
    ours = stats.bootstrap_interval(strata, LAWS[name], resamples=60_000)
    assert np.allclose(ours, (low, high), atol=1e-3)


@pytest.mark.parametrize("count", [7, 9, 10, 13])
def test_the_interquartile_mean_is_that_of_rliable_for_any_count(count: int):
    scores, expected = GOLDEN[f"iqm of {count}"]
    assert stats.iqm(np.array(scores)) == pytest.approx(expected, abs=1e-12)


def test_probability_of_improvement_is_that_of_rliable():
    estimate, low, high = GOLDEN["improvement"]
    x, y = (list(np.array(GOLDEN[name]).T) for name in "xy")
    ours = stats.probability_of_improvement(x, y, resamples=20_000)
    assert ours[0] == pytest.approx(estimate, abs=1e-12)
    assert np.allclose(ours[1:], (low, high), atol=2e-3)  # 20,000 pairs of resamples on both sides


def test_groups_of_one_have_the_interval_of_rliable():
    task = np.array(GOLDEN["x"])[:, 0]
    plain = stats.bootstrap_interval(task, stats.iqm, resamples=60_000)
    grouped = stats.hierarchical_interval(list(task[:, None]), stats.iqm, resamples=20_000)
    assert np.allclose(plain, grouped, atol=4e-3)  # 1 % of the width, by chance


def test_the_improvement_over_tasks_is_the_mean_of_each():
    # Trials that nothing binds together: the estimate and interval of rliable.
    columns = (np.array(GOLDEN[name]).T for name in "xy")
    tasks = [(list(x[:, None]), list(y[:, None])) for x, y in zip(*columns)]
    estimate, low, high = GOLDEN["improvement"]
    ours = stats.mean_improvement(tasks, resamples=5_000)
    assert ours[0] == pytest.approx(estimate, abs=1e-12)
    assert np.allclose(ours[1:], (low, high), atol=4e-3)  # shares are multiples of 1/300
    alone = [stats.hierarchical_improvement(x, y, resamples=50)[0] for x, y in tasks]
    assert ours[0] == pytest.approx(np.mean(alone), abs=1e-12)
    few = [tasks[0], (tasks[1][0][:2], tasks[1][1])]
    assert np.isnan(stats.mean_improvement(few, resamples=50)[1:]).all()
