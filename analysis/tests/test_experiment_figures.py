"""Figures of an experiment: which runs are in them, and over what their intervals are."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from synthetic import sealed, write_experiment

from autombpo_analysis import stats
from autombpo_analysis.cli import main
from autombpo_analysis.experiment import TRIAL_HEADER, Experiment


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five controllers, each applied with three seeds."""
    return write_experiment(tmp_path_factory.mktemp("five"), controllers=5)


def numbers(figure: Path) -> list[dict[str, str]]:
    with figure.with_suffix(".csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_learning_curves_are_of_test_runs_over_controllers(five: Path, tmp_path: Path):
    figure = tmp_path / "returns.png"
    assert main(["returns", str(five), "-o", str(figure)]) == 0
    rows = [row for row in numbers(figure) if row["method"] == "autombpo"]
    assert {(row["env"], row["trials"]) for row in rows} == {("hopper-small", "15")}
    groups = [
        np.array([e.epochs["eval_return_mean"] for e in run.episodes])
        for run in Experiment.read(five).load()
        if run.method == "autombpo"
    ]
    low, high = stats.hierarchical_interval(groups)
    assert [float(row["low"]) for row in rows] == pytest.approx(low)
    assert [float(row["high"]) for row in rows] == pytest.approx(high)


def test_schedules_have_the_share_that_had_an_effect(five: Path, tmp_path: Path):
    figure = tmp_path / "schedule.png"
    options = ["--effective", "--method", "autombpo"]
    assert main(["schedule", str(five), *options, "-o", str(figure)]) == 0
    rows = [row for row in numbers(figure) if row["name"] == "effective_policy_updates"]
    episodes = [e for run in Experiment.read(five).load() for e in run.episodes if e.n_decisions]
    share = np.mean([e.decisions["effective"][:, 2].mean() for e in episodes])
    # Each part of a run has as many decisions as another.
    assert np.mean([float(row["mean"]) for row in rows]) == pytest.approx(share)


def test_training_is_that_of_all_controllers(five: Path, tmp_path: Path):
    figure = tmp_path / "training.png"
    assert main(["controller", str(five), "-o", str(figure)]) == 0
    rows = [row for row in numbers(figure) if row["quantity"] == "score"]
    runs = Experiment.read(five).load("train")
    first = np.mean([[e.score for e in run.stages()[0]] for run in runs])
    assert float(rows[0]["mean"]) == pytest.approx(first)
    assert (rows[0]["controllers"], rows[0]["stage"], len(rows)) == ("5", "0", 2)
    assert float(rows[0]["low"]) < first < float(rows[0]["high"])


def test_a_population_does_not_stretch_the_axis(five: Path, tmp_path: Path):
    from autombpo_analysis import plots

    runs = Experiment.read(five).load()
    end = plots.returns(runs, stage="all").figure.axes[0].get_xlim()[1]
    for episode in runs[0].episodes:
        episode.attributes.update(round=0, member=episode.index, parent=-1, first_epoch=0)
    assert plots.returns(runs, stage="all").figure.axes[0].get_xlim()[1] == end
    assert len(runs[0].trials()[0].epochs["env_step"]) == 10
    assert runs[0].trials()[0].epochs["env_step"][-1] == 45000


def test_an_experiment_stands_alone(five: Path, capsys):
    assert main(["compare", str(five)]) == 1
    assert "an experiment stands alone" in capsys.readouterr().err
    assert main(["returns", str(five), "--task", "ant"]) == 1
    assert "there are ['hopper-small autombpo', 'hopper-small mbpo']" in capsys.readouterr().err


def test_a_report_has_the_figures_that_its_runs_give(tmp_path: Path):
    path = write_experiment(tmp_path / "d", controllers=1, seeds=1)
    assert main(["experiment", str(path)]) == 0
    names = {p.name for p in (path / "report").glob("*.png")}
    assert names == {"figure-2-returns.png", "figure-2-schedule-hopper-small.png",
                     "figure-2-training.png"}  # fmt: skip


def test_a_method_of_which_all_runs_diverged_is_told_and_not_drawn(tmp_path: Path):
    path = write_experiment(tmp_path / "d", controllers=1, seeds=1)
    with sealed(path / "hopper-small/mbpo/0/test/episodes/000000.h5") as file:
        file.attrs["status"] = "diverged"
        file.attrs["config"] = "hyper:\n  apply_epochs: 20\n"
        returns = file["epochs/eval_return_mean"][:]
        file.attrs["score"] = (returns.sum() - 10 * 40.0) / 20
    assert main(["experiment", str(path)]) == 0
    lines = (path / "report/figure-2.csv").read_text().splitlines()
    row = next(line for line in lines if line.startswith("hopper-small,mbpo")).split(",")
    auc, final, diverged = (row[TRIAL_HEADER.index(n)] for n in ("auc", "final", "diverged"))
    assert float(auc) == pytest.approx((returns.sum() - 400) / 20)
    assert (float(final), diverged) == (pytest.approx(-40), "1")
    assert {row["method"] for row in numbers(path / "report/figure-2-returns.png")} >= {"autombpo"}
    assert "mbpo" not in {row["method"] for row in numbers(path / "report/figure-2-returns.png")}


def test_published_values_are_points_of_their_task(five: Path, tmp_path: Path):
    published = tmp_path / "published.csv"
    published.write_text("# from somewhere\nenv,method,env_step,return,source\n"
                         "hopper-v2,mbpo,10000,500,paper\nhopper-v2,mbpo,90000,900,paper\n"
                         "ant-v2,mbpo,10000,700,paper\n")  # fmt: skip
    figure = tmp_path / "returns.png"
    assert main(["returns", str(five), "--published", str(published), "-o", str(figure)]) == 0
    rows = [row for row in numbers(figure) if "published" in row["method"]]
    assert [(row["env"], row["env_step"], row["return"]) for row in rows] == [
        ("hopper-small", "10000", "500")  # of this task, and within the figure
    ]
