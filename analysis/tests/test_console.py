"""The scripts under a tired person's hands: ends are one line and an exit code, whichever script."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autombpo_analysis import cli, console, export_cli, report


def arguments_of(script, run: Path, output: Path) -> list[str]:
    first = {cli: ["returns"], report: [], export_cli: ["--to", "npz"]}[script]
    return [*first, str(run), "-o", str(output)]


@pytest.mark.parametrize("script", [cli, report, export_cli])
def test_an_error_of_the_system_names_the_file_and_no_number(
    script, training: Path, tmp_path: Path, capsys
):
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "below" / "x.png"  # no directory can be made there
    assert script.main(arguments_of(script, training, place)) == console.FAILED
    error = capsys.readouterr().err.strip()
    assert error.splitlines() == [error] and "Errno" not in error
    assert f"{tmp_path / 'file'}" in error and "Not a directory" in error


@pytest.mark.parametrize(
    "arguments", [["cli", "table", "RUN"], ["cli", "check", "RUN"], ["export_cli", "RUN", "--to",
                  "csv", "-o", "OUT"], ["report", "RUN", "-o", "OUT/r.html"]]
)  # fmt: skip
def test_a_reader_that_has_enough_is_no_error(arguments, campaign: Path, tmp_path: Path):
    names = {"RUN": str(campaign / "mbpo"), "OUT": str(tmp_path)}
    module, *rest = [a.replace("OUT", names["OUT"]) if "OUT" in a else names.get(a, a)
                     for a in arguments]  # fmt: skip
    if module == "export_cli":
        pytest.importorskip("pandas")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        done = subprocess.run([sys.executable, "-m", f"autombpo_analysis.{module}", *rest],
                              stdout=stdout, stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert (done.returncode, done.stderr) == (console.CLOSED_PIPE, "")


@pytest.mark.parametrize("script", [cli, report])
def test_a_stage_is_a_number_or_one_of_the_words(script, training: Path, tmp_path: Path, capsys):
    arguments = [*arguments_of(script, training, tmp_path / "x.png"), "--stage", "frist"]
    with pytest.raises(SystemExit) as stop:
        script.main(arguments)
    assert stop.value.code == 2
    assert "'frist': expected all, last, or a stage's number" in capsys.readouterr().err


def test_an_interrupt_is_no_traceback(monkeypatch, training: Path, tmp_path: Path, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "load", interrupted)
    assert report.main(arguments_of(report, training, tmp_path / "x.html")) == console.INTERRUPTED
    assert capsys.readouterr().err == ""
