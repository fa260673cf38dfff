"""Laws of the theory module; its bound is compared with the C program's numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from synthetic import sealed

from autombpo_analysis import load, plots, theory

RING = theory.Setting(relative_slope=128.0, gamma=0.9, p=1.0, iterations=30, actions=2)


def test_tail_quantile_agrees_with_published_values():
    # Wichura (1988), Algorithm AS 241; and 40-digit arithmetic below the smallest double
    assert theory.upper_quantile_log(math.log(0.25)) == pytest.approx(0.6744897501960817, rel=1e-12)
    assert theory.upper_quantile_log(math.log(1e-20)) == pytest.approx(9.262340089798408, rel=1e-12)
    assert theory.upper_quantile_log(-1e4) == pytest.approx(141.3798398731271637, rel=1e-12)
    assert theory.upper_quantile_log(math.log(0.6)) == 0.0


def test_ratio_agrees_with_the_program():
    # autombpo fvi optimal-ratio fvi.cells=64 fvi.capacity=literal fvi.iterations=[30]
    #   fvi.sigma=[0.02]; the grid here has steps of 1.4 percent
    found = theory.theory_ratio([100, 1000], [0.02**2, 0.02**2], RING)
    assert found == pytest.approx([0.003853487, 0.042248989], rel=0.015)


def test_ratio_rises_with_real_data_and_with_the_models_error():
    n_real = np.geomspace(1e3, 1e6, 10)
    rising = theory.theory_ratio(n_real, np.full(10, 1e-4))
    assert (np.diff(rising) > 0).all()
    better = theory.theory_ratio(n_real, np.full(10, 1e-5))
    assert (better < rising).all()


def test_ratio_is_one_where_no_trade_off_is_left_and_missing_where_the_error_is():
    assert theory.theory_ratio([1e9], [1.0])[0] == 1.0
    assert np.isnan(theory.theory_ratio([1e3], [np.nan])[0])


def test_half_normal_tells_one_dimension_from_many():
    rng = np.random.default_rng(0)
    line = theory.half_normal(rng.normal(size=(20000, 1)) * 3.0)
    # Kolmogorov's distance of 20000 right draws is below 1.63 / sqrt(20000) = 0.0115 in 99 %
    assert line.sigma == pytest.approx(3.0, rel=0.03)
    assert line.distance < 0.0115
    assert line.tail == pytest.approx(line.expected_tail, abs=0.01)
    space = theory.half_normal(rng.normal(size=(20000, 11)))
    assert space.distance > 0.3
    assert space.chi_distance < 0.0115


def test_chi_distribution_has_its_known_values():
    # 95 % points of chi-squared: 3.841 (1), 5.991 (2), 7.815 (3), 9.488 (4)
    for dims, square in ((1, 3.841459), (2, 5.991465), (3, 7.814728), (4, 9.487729)):
        assert theory._chi_cdf(np.array([math.sqrt(square)]), dims) == pytest.approx(0.95, abs=1e-6)


def _write_fvi(path: Path, with_ratio: bool) -> None:
    settings = {name: np.ones(2) for name in (
        "iterations", "sigma", "n_real", "v_max", "approximation", "estimation", "model",
        "iteration", "bound", "loss_mean", "loss_error", "coverage")}  # fmt: skip
    settings["real_ratio"] = np.array([0.1, 1.0])
    runs = {"loss": np.array([0.1, 0.2, 0.3, 0.4])}
    tables = {"settings": settings, "runs": runs}
    if with_ratio:
        keys = {"iterations": np.ones(3), "sigma": np.ones(3), "n_real": np.ones(3)}
        tables["curve"] = dict(
            keys,
            real_ratio=np.array([0.01, 0.1, 1.0]),
            estimation=np.arange(1.0, 4),
            model=np.ones(3),
        )
        tables["rise"] = dict(keys, n_real=np.array([1.0, 10, 100]), bound_ratio=np.ones(3),
                              bound_interior=np.ones(3))  # fmt: skip
        names = ("iterations", "sigma", "n_real", "bound_interior", "bound_interior_value",
                 "measured_ratio", "measured_low", "measured_high")  # fmt: skip
        tables["ratio"] = {name: np.ones(1) for name in names}
    with sealed(path, "w") as file:
        file.attrs.update({"format": "autombpo.fvi", "format_version": 1, "complete": 1})
        for group, columns in tables.items():
            for name, values in columns.items():
                file[f"{group}/{name}"] = values


@pytest.mark.parametrize("with_ratio", [False, True])
def test_figures_of_fvi_are_written_with_their_numbers(tmp_path: Path, with_ratio: bool):
    _write_fvi(tmp_path / "fvi.h5", with_ratio)
    written = theory.plot_fvi([tmp_path], tmp_path / "figure.png")
    assert [path.name for path in written] == ["figure.png", "figure.csv"]
    assert all(path.stat().st_size > 0 for path in written)


def test_missing_results_say_which_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="autombpo fvi run"):
        theory.plot_fvi([tmp_path], tmp_path / "figure.png")


def test_theory_line_has_the_level_of_the_schedule(training: Path):
    runs = load(training)
    drawing = plots.schedule(runs, theory=theory.schedule_line)
    rows = [row for row in drawing.rows if row[4] == "theory_real_ratio"]
    assert rows
    line = np.array([row[5] for row in rows], float)
    found = np.array([row[5] for row in drawing.rows if row[4] == "real_ratio"], float)
    assert 0 < np.nanmin(line) <= 1
    # both have the same mean logarithm, but for a jump of the theory to 1
    assert np.nanmean(np.log(line)) == pytest.approx(np.mean(np.log(found)), abs=0.3)


def test_theory_line_is_readable_beside_the_schedule(training: Path, campaign: Path):
    drawing = plots.schedule(load(training), theory=theory.schedule_line)
    assert drawing.figure.axes[0].get_yscale() == "log"
    x, y = theory.broken_at_jumps(np.arange(5.0), np.array([1.0, 1.0, 0.2, 0.1, 1.0]))
    assert np.array_equal(y, [1, 1, np.nan, 0.2, 0.1, np.nan, 1], equal_nan=True)
    assert np.array_equal(np.isnan(x), np.isnan(y))
    # MBPO has no schedule of its own to compare with
    both = plots.schedule(load(campaign), theory=theory.schedule_line)
    assert {row[1] for row in both.rows if row[4] == "theory_real_ratio"} == {"autombpo"}
