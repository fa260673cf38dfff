"""The command line, end to end."""

from __future__ import annotations

import csv
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic import write_episode, write_run

from autombpo_analysis import cli, compare, load, plots
from autombpo_analysis.curves import finished
from autombpo_analysis.style import GREY, PALETTE, method_colours

PNG = b"\x89PNG\r\n\x1a\n"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("command", ["returns", "schedule", "controller", "time"])
def test_a_figure_and_its_numbers_are_written(command, training: Path, tmp_path: Path, capsys):
    target = tmp_path / f"{command}.png"
    assert cli.main([command, str(training), "-o", str(target)]) == 0
    assert target.read_bytes().startswith(PNG)
    assert rows(target.with_suffix(".csv"))
    out = capsys.readouterr().out.split()
    assert out == [str(target), str(target.with_suffix(".csv"))]


def test_compare_of_two_methods(campaign: Path, tmp_path: Path):
    target = tmp_path / "compare.pdf"
    assert cli.main(["compare", str(campaign), "-o", str(target)]) == 0
    assert target.read_bytes().startswith(b"%PDF")
    table = rows(target.with_suffix(".csv"))
    chance = [r for r in table if r["quantity"] == "P(autombpo > mbpo)"]
    assert len(chance) == 1 and float(chance[0]["value"]) == 1.0


def test_numbers_beside_the_figure_are_those_of_the_files(campaign: Path, tmp_path: Path):
    target = tmp_path / "returns.png"
    arguments = ["returns", str(campaign), "--band", "std", "-o", str(target)]
    assert cli.main(arguments) == 0
    table = [r for r in rows(target.with_suffix(".csv")) if r["method"] == "mbpo"]
    steps, values = load(campaign / "mbpo").curve()
    assert [int(r["env_step"]) for r in table] == steps.tolist()
    assert np.allclose([float(r["return"]) for r in table], values.mean(axis=0))
    assert np.allclose(
        [float(r["high"]) for r in table], (values.mean(axis=0) + values.std(axis=0))
    )


def test_the_baseline_can_be_left_out(campaign: Path, tmp_path: Path):
    target = tmp_path / "returns.png"
    assert cli.main(["returns", str(campaign), "-o", str(target)]) == 0
    assert any(r["method"] == "baseline" for r in rows(target.with_suffix(".csv")))
    assert cli.main(["returns", str(campaign), "--no-baseline", "-o", str(target)]) == 0
    assert not any(r["method"] == "baseline" for r in rows(target.with_suffix(".csv")))


def test_one_trial_draws_without_a_band(tmp_path: Path):
    write_run(tmp_path / "run", n_epochs=2)
    target = tmp_path / "returns.png"
    assert cli.main(["returns", str(tmp_path / "run"), "-o", str(target)]) == 0
    assert all(r["low"] == "" for r in rows(target.with_suffix(".csv")))


def test_several_tasks_have_a_panel_each(tmp_path: Path):
    for env in ("hopper-v2", "ant-v2", "humanoid-v2", "walker2d-v2"):
        write_run(tmp_path / env, env=env, n_epochs=5)
    for command in ("returns", "schedule"):
        target = tmp_path / f"{command}.svg"
        assert cli.main([command, str(tmp_path), "-o", str(target)]) == 0
        assert {r["env"] for r in rows(target.with_suffix(".csv"))} == {
            "hopper-v2", "ant-v2", "humanoid-v2", "walker2d-v2",
        }  # fmt: skip


def test_table_prints_text_and_writes_csv(campaign: Path, tmp_path: Path, capsys):
    target = tmp_path / "table.csv"
    assert cli.main(["table", str(campaign), "-o", str(target)]) == 0
    assert "AutoMBPO" in capsys.readouterr().out
    assert [r["method"] for r in rows(target)] == ["autombpo", "mbpo"]
    assert cli.main(["table", str(campaign), "--csv"]) == 0
    assert capsys.readouterr().out == target.read_text(encoding="utf-8")


def test_evaluations_are_those_of_the_sealed_files(campaign: Path, capsys):
    assert cli.main(["evaluations", str(campaign)]) == 0
    found = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    episodes = [e for run in load(campaign) for e in finished(run.episodes)]
    assert len(found) == sum(e.n_epochs for e in episodes) > 0
    steps = np.concatenate([e.epochs["env_step"] for e in episodes])
    returns = np.concatenate([e.epochs["eval_return_mean"] for e in episodes])
    assert [int(r["env_step"]) for r in found] == steps.tolist()
    assert np.allclose([float(r["return"]) for r in found], returns, rtol=1e-6)


def test_what_holds_no_run_is_named(tmp_path: Path, capsys):
    path = write_run(tmp_path / "run", per_stage=2, n_epochs=2)
    none = tmp_path / "none"
    none.mkdir()
    assert cli.main(["table", str(path), str(none)]) == 0
    assert f"warning: left out {none}: no run directory in it" in capsys.readouterr().err
    assert cli.main(["table", str(tmp_path / "*")]) == 0
    assert "none" not in capsys.readouterr().err  # a pattern is meant for those that are
    assert cli.main(["table", str(none)]) == 1
    assert f"{none}: no run directory in it" in capsys.readouterr().err


def test_a_file_in_the_place_of_a_directory_is_named(tmp_path: Path, capsys):
    path = write_run(tmp_path / "run", per_stage=2, n_epochs=2)
    (tmp_path / "file").write_text("")
    assert cli.main(["table", str(path), "-o", str(tmp_path / "file/out.csv")]) == 1
    assert f"{tmp_path / 'file'}: is a file, expected a directory" in capsys.readouterr().err


def test_incomplete_files_are_reported_on_stderr(tmp_path: Path, capsys):
    path = write_run(tmp_path / "run", per_stage=2, n_epochs=2)
    write_episode(path / "episodes/000001.h5", index=1, n_epochs=2, complete=False)
    assert cli.main(["table", str(path)]) == 0
    assert "warning: left out" in capsys.readouterr().err
    assert cli.main(["check", str(path)]) == 1


def test_diverged_trials_are_shown_in_the_table(tmp_path: Path, capsys):
    path = write_run(tmp_path / "run", per_stage=2, n_epochs=2)
    write_episode(path / "episodes/000001.h5", index=1, n_epochs=1, status="diverged")
    assert cli.main(["table", str(path)]) == 0
    assert "1 (+1 diverged)" in capsys.readouterr().out


def test_check_passes_documented_files(training: Path, capsys):
    assert cli.main(["check", str(training)]) == 0
    assert "6 hyper-episodes and 4 controllers checked, 0 problems" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["returns", "/no/such/run"], "no such file"),
        (["compare", "CAMPAIGN/mbpo"], "two methods or more"),
        (["compare", "CAMPAIGN", "--first", "pbt"], "no runs of method 'pbt'"),
        (["returns", "CAMPAIGN", "--stage", "9"], "no stage 9"),
    ],
)
def test_errors_are_one_line_and_exit_code_1(arguments, message, campaign: Path, capsys, tmp_path):
    arguments = [a.replace("CAMPAIGN", str(campaign)) for a in arguments]
    assert cli.main([*arguments, "-o", str(tmp_path / "x.png")]) == 1
    error = capsys.readouterr().err.strip()
    assert message in error and len(error.splitlines()) == 1
    assert not (tmp_path / "x.png").exists()


def test_wrong_usage_is_exit_code_2(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["nonsense"])
    assert stop.value.code == 2


def test_no_display_is_needed_and_figures_repeat(training: Path, tmp_path: Path):
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "MPLBACKEND")}
    for name in ("a", "b"):
        subprocess.run(
            [sys.executable, "-m", "autombpo_analysis.cli", "returns", str(training),
             "-o", str(tmp_path / f"{name}.png")],
            check=True, env=environment, capture_output=True,
        )  # fmt: skip
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_methods_have_distinct_and_stable_colours():
    names = ["autombpo", "mbpo", "sac_1", "sac_20", "pbt", "ror"]
    colours = method_colours(names)
    assert len(set(colours.values())) == 6
    assert method_colours(["mbpo", "autombpo"])["autombpo"] == colours["autombpo"]
    assert set(method_colours(["x", "y", "autombpo"]).values()) <= set(PALETTE)


def _lab(colour: str) -> np.ndarray:
    """CIE L*a*b* of an sRGB colour, D65."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.maximum(matrix @ linear / [0.9505, 1.0, 1.089], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_colours_are_far_from_each_other_and_from_the_references_grey():
    colours = [_lab(colour) for colour in (*PALETTE, GREY)]
    apart = [np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)]
    # 10 is plain at a glance on large areas; thin lines need more
    assert min(apart) > 25


def test_few_trials_draw_no_interval_and_the_figure_says_so(tmp_path: Path):
    for seed, method in itertools.product(range(4), ("autombpo", "mbpo")):
        write_run(tmp_path / method / f"s{seed}", method=method, seed=seed, n_epochs=3)
    few = compare.compare(load(tmp_path))
    shown = [row for row in few.rows if row[0] in compare.AGGREGATES or row[0].startswith("P(")]
    assert shown and all(np.isnan(row[4]) and np.isnan(row[5]) for row in shown)
    caption = few.figure.texts[-1].get_text()
    assert "none with fewer than 5 trials" in caption and "Trial: a hyper-episode" in caption
    assert "fewer than 5" in plots.returns(load(tmp_path)).figure.texts[-1].get_text()


def test_legends_of_the_controller_lie_beside_the_data(training: Path, tmp_path: Path):
    drawing = plots.controller(load(training))
    drawing.save(tmp_path / "controller.png")
    for ax in drawing.figure.axes:
        assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1 - 1
    dashed = [line for line in drawing.figure.axes[0].lines if line.get_linestyle() == "--"]
    two = plots.controller(load(training, shutil.copytree(training, tmp_path / "again")))
    assert len(dashed) == 1
    assert len([x for x in two.figure.axes[0].lines if x.get_linestyle() == "--"]) == 1


def test_the_theory_may_draw_beside_the_real_ratio(training: Path):
    def draw(ax, episodes, colour):
        ax.plot([0.0, 1.0], [0.1, 0.5 + 0 * len(episodes)], label="Theorem 4.1")

    drawing = plots.schedule(load(training), theory=draw)
    added = [row for row in drawing.rows if row[4] == "theory_real_ratio"]
    assert [(row[3], row[5]) for row in added] == [(0.0, 0.1), (1.0, 0.5)]
