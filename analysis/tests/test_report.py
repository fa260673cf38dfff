"""The report: one page that needs nothing else, and says what the files say."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic import write_episode
from test_live import write_live

from autombpo_analysis import load, report, stats
from autombpo_analysis.curves import final_returns

VOID = {"meta", "br", "img", "link"}


class Page(HTMLParser):
    """The addresses and the text of a page; unbalanced tags and ids that occur twice are errors."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.links, self.ids, self.words, self.scripts = [], [], [], [], 0
        self.feed(text)
        assert not self.open
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        if tag not in VOID:
            self.open.append(tag)
        self._note(attributes)

    def handle_startendtag(self, tag, attributes):
        self._note(attributes)

    def _note(self, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [v for k, v in found.items() if k in ("href", "src", "xlink:href", "action")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def make(output: Path, *runs: Path) -> Page:
    assert report.main([*map(str, runs), "-o", str(output)]) == 0
    text = output.read_text(encoding="utf-8")
    assert len(text.encode()) < report.LARGEST
    page = Page(text)
    page.raw = text
    return page


def tables(page: Page) -> dict[str, list[dict[str, str]]]:
    """The numbers behind the links of a page, by file name."""
    found = {}
    for name, kind, data in re.findall(
        r'download="([^"]+)"\s+href="data:([^;]+);base64,([^"]+)"', page.raw
    ):
        text = base64.b64decode(data)
        text = (gzip.decompress(text) if kind == "application/gzip" else text).decode()
        name = name.removesuffix(".gz")
        found[name] = list(csv.DictReader(text.splitlines())) if name.endswith("csv") else text
    return found


@pytest.fixture(scope="module")
def page(campaign: Path, tmp_path_factory) -> Page:
    return make(tmp_path_factory.mktemp("report") / "report.html", campaign)


def test_a_page_needs_nothing_else(page: Page):
    inside = ("#", "data:")
    assert page.links and all(link.startswith(inside) for link in page.links)
    assert not re.search(r"@import|url\((?!#)", page.raw) and page.scripts == 0
    targets = {link[1:] for link in page.links if link.startswith("#")}
    assert targets <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_a_page_has_all_its_parts(page: Page, training: Path, tmp_path: Path):
    trained = make(tmp_path / "report.html", training)
    for part in ("Return of the stages", "Entropy of the heads", "took effect"):
        assert part in trained.text, part
    for part in ("Result", "Learning curves", "Performance profile", "Probability of improvement",
                 "Real ratio β", "took effect", "Where the time goes", "core-hours",
                 "What went wrong", "Configurations", "Commands", "SHA256SUMS"):  # fmt: skip
        assert part in page.text, part


def test_the_claim_is_what_the_files_say(page: Page, campaign: Path):
    final = final_returns(load(campaign / "mbpo").trials())
    low, high = stats.bootstrap_interval(final)
    said = re.search(r"(?<!Auto)MBPO on hopper-v2: final return (\S+) \[(\S+), (\S+)\]", page.text)
    assert np.allclose([float(x) for x in said.groups()], [stats.iqm(final), low, high], rtol=1e-3)
    assert "AutoMBPO is better than one of MBPO with probability 1.00" in page.text


def test_an_interval_redraws_controllers_where_trials_share_them():
    values = np.arange(12.0)
    episodes = [SimpleNamespace(policy_version=1, path=Path(f"run{i // 2}/e{i}")) for i in range(12)]
    low, high, over = report.facts._interval(episodes, values)
    groups = [values[i : i + 2] for i in range(0, 12, 2)]
    assert (low, high) == pytest.approx(stats.hierarchical_interval(groups))
    assert over == "over 6 controllers, then their trials"
    assert report.facts._interval(episodes[:6], values[:6])[2].endswith("not over others")
    alone = [SimpleNamespace(policy_version=-1, path=Path(f"run/e{i}")) for i in range(12)]
    assert report.facts._interval(alone, values)[2] == "over trials"


def test_every_trial_is_drawn_and_in_the_numbers(page: Page, campaign: Path):
    rows = tables(page)["returns-hopper-v2.csv"]
    for episode in load(campaign / "mbpo").trials():
        mine = [r for r in rows if r["method"].startswith(f"mbpo, seed {episode.seed},")]
        assert np.allclose([float(r["return"]) for r in mine], episode.epochs["eval_return_mean"])


def test_checksums_are_those_of_the_files(page: Page, campaign: Path):
    lines = [line for line in tables(page)["SHA256SUMS"].splitlines() if str(campaign) in line]
    assert len([line for line in lines if line.endswith(".h5")]) == 10
    total, path = lines[0].split("  ")
    assert total == report.facts.sha256(Path(path))


def test_figures_follow_light_and_dark(page: Page):
    drawn = re.findall(r"<svg.*?</svg>", page.raw, re.S)
    assert len(drawn) > 8
    assert {"var(--ink)", "var(--grid)", "var(--c0)"} <= set(re.findall(r"var\([^)]*\)", page.raw))
    assert not re.search(r"#(000000|ffffff|262626)", "".join(drawn))
    assert "prefers-color-scheme: dark" in page.raw


def test_what_a_run_says_is_no_markup(campaign: Path, tmp_path: Path):
    path = tmp_path / "<script>alert(1)<" / "script>"
    shutil.copytree(campaign / "mbpo/s0", path)
    assert "<script>alert(1)</script>" in make(tmp_path / "report.html", path).text


def test_a_run_that_has_not_ended_is_reported(tmp_path: Path):
    page = make(tmp_path / "report.html", write_live(tmp_path / "run", 0, 3))
    assert "The run has not finished" in page.text and "No result yet" in page.text
    rows = tables(page)["returns-hopper-v2.csv"]
    assert [float(r["return"]) for r in rows] == [0.0, 10.0, 20.0]


def test_what_went_wrong_is_told(tmp_path: Path):
    run = write_live(tmp_path / "run", 3, 1)
    write_episode(run / "episodes/000001.h5", method="mbpo", index=1, n_epochs=2, status="diverged")
    health = {"event": "health", "hyper_episode": 0, "epoch": 1, "warnings": ["alpha is large"]}
    lost = {"event": "lost", "rank": 2, "hyper_episode": 7}
    with (run / "metrics.jsonl").open("a") as file:
        file.write("\n" + json.dumps(health) + "\n" + json.dumps(lost) + "\n")
    text = make(tmp_path / "report.html", run).text
    assert "diverged hyper-episode 1, after 2 epochs" in text
    assert "rank 2 lost hyper-episode 7" in text
    assert "warning: alpha is large 1 epoch, first hyper-episode 0, epoch 1" in text


def test_configurations_that_differ_are_side_by_side(tmp_path: Path):
    for name, seed, ratio in (("a", 0, 0.05), ("b", 1, 0.05), ("c", 0, 0.5)):
        run = write_live(tmp_path / name, 1, 1)
        text = (run / "run.yaml").read_text().replace("seed: 3", f"seed: {seed}")
        (run / "run.yaml").write_text(text + f"mbpo:\n  real_ratio: {ratio}\n")
    columns, rows = report.facts.config_differences(load(tmp_path))
    assert [c.rsplit("(")[1] for c in columns] == ["2 runs)", "1 run)"]
    assert rows == [("mbpo.real_ratio", ["0.05", "0.5"])]


def test_starts_by_one_command_are_one_row():
    one = report.facts.Start("a", "2020-01-02", "autombpo train", 1, "0.2.0", "r", "p", "n01")
    starts = [one, replace(one, run="b", time="2020-01-01"), replace(one, command="resume b")]
    assert report.facts.alike(starts) == [(starts[1], 2), (starts[2], 1)]


def test_the_crate_names_what_is_there(campaign: Path):
    make(campaign / "report.html", campaign)
    graph = json.loads((campaign / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert len(entities) == len(graph)
    root = entities["./"]
    main = entities[root["mainEntity"]["@id"]]
    assert {"File", "SoftwareSourceCode", "ComputationalWorkflow"} == set(main["@type"])
    for part in root["hasPart"]:
        path = campaign / part["@id"]
        assert entities[part["@id"]]["sha256"] == report.facts.sha256(path)
    actions = [entities[a["@id"]] for a in root["mentions"]]
    assert any(a["instrument"]["@id"] == main["@id"] for a in actions) and len(actions) == 11
    refs = re.findall(r'"@id": "([^"]+)"', json.dumps(graph))
    known = ("http://schema.org/", "https://w3id.org/")
    assert all(ref in entities or ref.startswith(known) for ref in refs)


def test_errors_are_one_line(tmp_path: Path, capsys):
    assert report.main([str(tmp_path / "none"), "-o", str(tmp_path / "x.html")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "x.html").exists()
