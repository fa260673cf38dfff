"""Numbers of an experiment, and tables that are made of the CSV files alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from synthetic import sealed, write_experiment

from autombpo_analysis import FormatError, tables
from autombpo_analysis import experiment as ex
from autombpo_analysis.cli import main


@pytest.fixture()
def small(tmp_path: Path) -> Path:
    return write_experiment(tmp_path / "figure-2")


def report(path: Path, output: Path) -> int:
    return main(["experiment", str(path), "-o", str(output), "--no-figures"])


def rows_of(numbers: ex.Numbers) -> list[dict]:
    return [dict(zip(numbers.header, row)) for row in numbers.rows]


def test_a_row_is_a_test_seed(small: Path):
    experiment = ex.Experiment.read(small)
    rows = rows_of(ex.trials(experiment))
    assert [(r["method"], r["repetition"], r["hyper_episode"]) for r in rows] == [
        (method, repetition, e)
        for method, repetition in (("mbpo", 0), ("autombpo", 0), ("autombpo", 1))
        for e in range(3)
    ]
    assert {(r["task"], r["set"]) for r in rows} == {("hopper-small", "test")}
    episode = experiment.load()[0].episodes[1]
    returns = episode.epochs["eval_return_mean"]
    assert (rows[1]["auc"], rows[1]["final"]) == (returns.mean(), returns[-5:].mean())
    first = np.argmax(returns >= 1000)
    assert rows[1]["samples_to_threshold"] == episode.epochs["env_step"][first]
    assert rows[1]["real_samples"] == 15000
    # Of each process the generator counts five epochs of 26.9 s.
    assert rows[1]["core_seconds"] == pytest.approx(10 * 26.9)


def test_costs_are_those_of_all_that_came_before(small: Path):
    mbpo, first, _ = rows_of(ex.costs(ex.Experiment.read(small)))
    assert (mbpo["runs_before"], mbpo["samples_before"], mbpo["samples"]) == (0, 0, 45000)
    assert (first["runs_before"], first["samples_before"], first["samples"]) == (1, 36000, 45000)
    assert first["core_seconds_before"] == pytest.approx(4 * 4 * 26.9)


def test_runs_share_what_was_made_before_wherever_it_was_made(small: Path):
    manifest = json.loads((small / "experiment.json").read_text())
    for run in manifest["runs"]:
        run["after"] = []  # controllers that came from elsewhere
    (small / "experiment.json").write_text(json.dumps(manifest))
    experiment = ex.Experiment.read(small)
    assert [r["shared"] for r in rows_of(ex.costs(experiment))] == [0, 1, 1]
    assert np.isnan([r["samples_before"] for r in rows_of(ex.costs(experiment))][1:]).all()
    assert report(small, small) == 0
    assert "| ? + 15,000 | ? + " in tables.scores(small / "figure-2.csv").splitlines()[-1]
    controllers = [{e.attributes.get("controller") for e in run.episodes}
                   for run in experiment.load()]  # fmt: skip
    assert controllers == [{None}, {0}, {1}]


def test_what_is_not_finished_is_counted_as_missing(small: Path, tmp_path: Path):
    (small / "hopper-small/autombpo/1/test/COMPLETE").unlink()
    experiment = ex.Experiment.read(small)
    assert {row["repetition"] for row in rows_of(ex.trials(experiment))} == {0}
    assert rows_of(ex.costs(experiment))[2]["planned"] == 1
    assert rows_of(ex.costs(experiment))[2]["finished"] == 0
    assert "missing: hopper-small autombpo 1 test" in ex.comments(experiment)
    assert report(small, tmp_path) == 0
    row = next(line for line in tables.scores(tmp_path / "figure-2.csv").splitlines()
               if line.startswith("| AutoMBPO"))  # fmt: skip
    assert row.endswith("| 0 | 1 |")


def test_a_lost_epoch_counts_as_the_score_counts_it(small: Path):
    path = small / "hopper-small/mbpo/0/test/episodes/000002.h5"
    with sealed(path) as file:
        for name in list(file["epochs"]):
            values = file[f"epochs/{name}"][:6]
            del file[f"epochs/{name}"]
            file[f"epochs/{name}"] = values
        returns = file["epochs/eval_return_mean"][:]
        file.attrs["status"] = "diverged"
        file.attrs["score"] = (returns.sum() + 4 * -50.0) / 10
    row = rows_of(ex.trials(ex.Experiment.read(small)))[2]
    assert row["diverged"] == 1
    assert row["auc"] == pytest.approx((returns.sum() - 200) / 10)
    assert row["final"] == pytest.approx((returns[-1] - 200) / 5)


def test_tables_follow_from_the_csv_files_alone(small: Path, tmp_path: Path, capsys):
    assert report(small, tmp_path) == 0
    document = tmp_path / "figure-2.md"
    assert main(["tables", str(document)]) == 0
    table = tmp_path / "figure-2.csv"
    lines = table.read_text().splitlines()
    auc = ex.TRIAL_HEADER.index("auc")
    place = next(i for i, line in enumerate(lines) if line.startswith("hopper-small,mbpo"))
    fields = lines[place].split(",")
    fields[auc] = str(float(fields[auc]) + 300)
    table.write_text("\n".join(lines[:place] + [",".join(fields)] + lines[place + 1 :]) + "\n")
    capsys.readouterr()
    assert main(["tables", str(document)]) == 1
    assert "-| MBPO | 3 |" in capsys.readouterr().out
    assert main(["tables", "--write", str(document)]) == 0
    assert main(["tables", str(document)]) == 0


def test_intervals_are_over_controllers(tmp_path: Path):
    path = write_experiment(tmp_path / "d", controllers=5, seeds=2)
    assert report(path, tmp_path) == 0
    enough = tables.scores(tmp_path / "figure-2.csv").splitlines()[-1]
    for name in ("figure-2.csv", "figure-2-costs.csv"):
        lines = (tmp_path / name).read_text().splitlines()
        kept = [line for line in lines if not line.startswith("hopper-small,autombpo,4,")]
        (tmp_path / name).write_text("\n".join(kept) + "\n")
    few = tables.scores(tmp_path / "figure-2.csv").splitlines()[-1]
    assert few.count("(each:") == 2 and "[" not in few
    assert "8 of 4" in few and "10 of 5" in enough
    assert "each" not in enough and enough.count("[") == 4  # MBPO has two runs: no chance's


def test_what_is_no_experiment_is_refused(tmp_path: Path):
    (tmp_path / "status.json").write_text('{"format": "autombpo.status"}')
    with pytest.raises(FormatError, match="holds no experiment"):
        ex.Experiment.read(tmp_path)
    with pytest.raises(FormatError, match="format is 'autombpo.status'"):
        ex.Experiment.read(tmp_path / "status.json")


def test_numbers_say_what_made_them(small: Path):
    run = ex.Experiment.read(small).finished()[0]
    with (run.path / "starts.jsonl").open("a") as file:
        file.write('{"start": "x", "version": "9.9", "revision": "abc", "program": "def"}\n')
    lines = ex.comments(ex.Experiment.read(small))
    assert f"made {run.task}: version 9.9, revision abc, program def" in lines


def test_experiments_share_a_directory(small: Path):
    other = json.loads((small / "experiment.json").read_text()) | {"name": "other"}
    (small / "other.json").write_text(json.dumps(other))
    with pytest.raises(FormatError, match="several experiments; name one of experiment.json, other"):
        ex.Experiment.read(small)
    assert ex.Experiment.read(small / "other.json").name == "other"
    assert ex.is_experiment(small) and ex.is_experiment(small / "other.json")


def test_an_open_table_is_refused(tmp_path: Path):
    document = tmp_path / "a.md"
    document.write_text("<!-- table: scores a.csv -->\nand no end\n")
    with pytest.raises(ValueError, match="without <!-- end of table -->"):
        tables.remake(document)


@pytest.mark.parametrize(
    "value, text",
    [(-956.4, "-956"), (12.34, "12.3"), (0.004567, "0.00457"), (0.0, "0"), (np.nan, "-")],
)
def test_numbers_have_three_digits(value: float, text: str):
    assert tables.number(value) == text


def test_tasks_are_averaged_where_a_method_ran_on_all_of_them(small: Path, tmp_path: Path):
    assert report(small, tmp_path) == 0
    for file in (tmp_path / "figure-2.csv", tmp_path / "figure-2-costs.csv"):
        own = [line for line in file.read_text().splitlines() if line.startswith("hopper-small")]
        other = [line.replace("hopper-small", "other") for line in own if ",sac_1," not in line]
        # A method that ran on one task alone.
        third = [line.replace(",mbpo,", ",sac_1,") for line in own if ",mbpo," in line]
        file.write_text(file.read_text() + "\n".join([*other, *third]) + "\n")
    lines = tables.tasks(tmp_path / "figure-2.csv").splitlines()
    assert lines[0] == "|  | hopper-small | other | mean |"
    cells = {line.split(" | ")[0]: line.strip(" |").split(" | ")[1:] for line in lines[2:]}
    assert cells["| SAC(1)"][1:] == ["-", "-"] and cells["| SAC(1)"][0].startswith("0.50")
    assert cells["| AutoMBPO"][0] == cells["| AutoMBPO"][1] == cells["| AutoMBPO"][2]
    for file in (tmp_path / "figure-2.csv", tmp_path / "figure-2-costs.csv"):
        file.write_text(file.read_text().replace(",mbpo,", ",random,"))  # nothing to compare with
    assert "| AutoMBPO | - | - | - |" in tables.tasks(tmp_path / "figure-2.csv").splitlines()


def test_runs_stand_side_by_side_and_a_published_value_beside_the_nearest(tmp_path: Path) -> None:
    head = "# command\nenv,method,seed,hyper_episode,env_step,return\n"
    rows = [f"hopper,mbpo,{s},0,{step},{10 * s + step}\n" for s in range(5)
            for step in (1000 + s, 2000 + s, 3000 + s)]  # fmt: skip
    (tmp_path / "runs.csv").write_text(head + "".join(rows), encoding="utf-8")
    (tmp_path / "published.csv").write_text(
        "env,method,env_step,return\nhopper,mbpo,1900,33\nhopper,sac_1,1000,7\n"
        "ant,mbpo,1000,8\nhopper,mbpo,9000,9\n",
        encoding="utf-8",
    )
    lines = tables.curve(tmp_path / "runs.csv", "published.csv").splitlines()
    seeds = " | ".join(f"seed {s}" for s in range(5))
    assert lines[0] == f"| real samples | mean | {seeds} | published |"
    assert lines[2].startswith("| 1002 | 1022 [10") and lines[2].endswith("| 1044 |  |")
    assert lines[3].endswith("| 2044 | 33.0 |") and lines[4].endswith("|  |") and len(lines) == 5
