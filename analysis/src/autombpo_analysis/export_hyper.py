"""The hyper-episodes of an experiment as data sets of the hyper-MDP, with a data card.

One data set for each task, method and role of runs, so that what trained a controller and what
tested it stay apart. The card (README.md beside them) is made of what the data sets hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .experiment import Experiment, PlannedRun, comments
from .export import plain
from .export_data import hyper_data_set
from .io import HEADS, Episode, FormatError
from .signals import is_fork_of_stage
from .tables import markdown, number

CARD = """\
# Hyper-MDP data sets of {name}

Scheduling the hyperparameters of model-based reinforcement learning as a decision problem: an
episode is one whole training of an agent (a hyper-episode), a step a decision about it.

- **States**: {features} scaled and clipped features of the training:
  {names}.
- **Actions** (one integer a head): {heads}. `train_model` is
  0 skip, 1 train; the others 0 down, 1 keep, 2 up; -1: the head was not asked. A step beyond a
  bound has no effect (`effective`).
- **Rewards**: at the last decision of an epoch the mean evaluation return / {scale:g}; at each
  decision what training the model costs.
- **Infos**: log-probability of each choice under the policy that acted (`logp`), `allowed` choices,
  `explored`, R' (`baseline`), `advantage` (reward to come less R'), `hyperparameters` after the
  decision, `env_step` (real samples so far).
- An episode ends by truncation, when its budget is used up, or by termination, when it diverged.
  Its last state is there twice, because none follows it.
- Left out are hyper-episodes that repeat another one up to a decision (forks), and methods that
  take no such decisions (MBPO, populations) or set values instead (RoR).

Open one: `MINARI_DATASETS_PATH=DIR`, then `minari.load_dataset("{first}")`.

"""

HEADER = ("data set", "set", "seeds", "hyper-episodes", "decisions", "diverged", "return",
          "return less R'")  # fmt: skip
ACTIONS = ("data set", "head", "asked", "skip, down", "train, keep", "up", "had an effect")
STATES = ("data set", "feature", "5 %", "median", "95 %", "at an end of its range")


@dataclass(frozen=True)
class Part:
    """What becomes one data set."""

    name: str
    set: str
    episodes: list[Episode]
    seeds: list[int]  # of the runs


def _decides(episode: Episode) -> bool:
    return episode.n_decisions > 0 and bool((episode.decisions["action"] >= 0).any())


def parts(experiment: Experiment) -> list[Part]:
    """Hyper-episodes in which somebody decided, by task, method and role, of finished runs."""
    groups: dict[tuple, list[PlannedRun]] = {}
    for plan in experiment.runs:
        if plan.complete:
            groups.setdefault((plan.task, plan.method, plan.role), []).append(plan)
    found = []
    for key, plans in groups.items():
        episodes = [e for plan in plans for e in experiment.open(plan).episodes
                    if _decides(e) and not is_fork_of_stage(e)]  # fmt: skip
        if episodes:
            name = "_".join(plain(word) for word in key)
            seeds = list(dict.fromkeys(plan.seed for plan in plans))
            found.append(Part(name, plans[0].set, episodes, seeds))
    return found


# The card ----------------------------------------------------------------------------------------


def _spread(values: Sequence[float]) -> str:
    return f"{number(float(np.mean(values)))} ± {number(float(np.std(values)))}"


def _summary_row(part: Part) -> list[str]:
    rewards = [e.decisions["reward"].sum() for e in part.episodes]
    gains = [(e.decisions["reward"] - e.decisions["baseline"]).sum() for e in part.episodes]
    seeds = ", ".join(str(seed) for seed in part.seeds)
    decisions = sum(e.n_decisions for e in part.episodes)
    counts = (len(part.episodes), decisions, sum(e.diverged for e in part.episodes))
    return [part.name, part.set, seeds, *map(str, counts), _spread(rewards), _spread(gains)]


def _action_rows(part: Part) -> Iterable[list[str]]:
    action = np.concatenate([e.decisions["action"] for e in part.episodes])
    effective = np.concatenate([e.decisions["effective"] for e in part.episodes])
    for h, head in enumerate(part.episodes[0].head_names):
        asked = action[:, h] >= 0
        if asked.any():
            shares = [f"{100 * np.mean(action[asked, h] == c):.0f} %" for c in range(3)]
            took = f"{100 * effective[asked, h].mean():.0f} %"
            yield [part.name, head, f"{100 * asked.mean():.0f} %", *shares, took]


def _state_rows(part: Part) -> Iterable[list[str]]:
    state = np.concatenate([e.decisions["state"] for e in part.episodes])
    lowest = min(0.0, float(state.min()))
    for f, name in enumerate(part.episodes[0].feature_names):
        points = [number(float(x)) for x in np.percentile(state[:, f], [5, 50, 95])]
        ends = np.mean((state[:, f] <= lowest) | (state[:, f] >= 1))
        yield [part.name, name, *points, f"{100 * ends:.0f} %"]


def card(experiment: Experiment, found: Sequence[Part]) -> str:
    """The data card: what the data sets are, hold, and were made with."""
    first = found[0].episodes[0]
    text = CARD.format(
        name=experiment.name,
        features=len(first.feature_names),
        names=", ".join(first.feature_names),
        heads=", ".join(first.head_names or HEADS),
        scale=float(first.decision_attributes.get("reward_scale", 1)),
        first=f"autombpo/{found[0].name}_hyper-v0",
    )
    text += "## Data sets\n\nReturns are sums of rewards: mean ± deviation over hyper-episodes.\n\n"
    text += markdown(HEADER, [_summary_row(part) for part in found])
    text += "\n## Actions\n\n"
    text += markdown(ACTIONS, [row for part in found for row in _action_rows(part)])
    text += "\n## States\n\n"
    text += markdown(STATES, [row for part in found for row in _state_rows(part)])
    return text + "\n## Made with\n\n" + "".join(f"- {line}\n" for line in comments(experiment))


def to_minari_of_experiment(experiment: Experiment, root: Path) -> list[Path]:
    """Data sets below `root`, and the card; returns their paths."""
    found = parts(experiment)
    if not found:
        raise FormatError(f"{experiment.path}: no finished run of {experiment.name} has decisions")
    root.mkdir(parents=True, exist_ok=True)
    made = [hyper_data_set(part.episodes, part.name, root) for part in found]
    place = root / "README.md"
    place.write_text(card(experiment, found), encoding="utf-8")
    return [*(root / data_set.spec.dataset_id for data_set in made), place]
