"""The hyper-MDP of autombpo as a Gymnasium environment.

An episode is a hyper-episode: a whole MBPO run of the program `autombpo`, which asks over a Unix
socket at each decision (docs/formats.md, section 10). Several at once are several environments, in
a `gymnasium.vector.AsyncVectorEnv` for example: each has a process of its own.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

try:
    import gymnasium
except ImportError as error:
    raise ImportError("gymnasium is needed: pip install gymnasium") from error
import numpy as np

KEEP = 1  # of the heads that step; train_model always has its two choices
CONTROLLER = ("scheduler.kind=external", "external.command=", "external.timeout=365d",
              "scheduler.hyper_episodes=1")  # fmt: skip
PATIENCE = 60.0  # seconds for the program to begin, and to end


class HyperEnv(gymnasium.Env):
    """Sets the hyperparameters of MBPO runs.

    `arguments` are those of `autombpo train`: YAML files and key=value, for example
    `"configs/pendulum-small.yaml", "hyper.apply_epochs=20"`. Each episode has a run directory of
    its own below `root`, by default a temporary one that goes with the environment, and its seed is
    that of `reset`. A reset in the middle of an episode leaves that one unfinished.

    The observation is the state of the paper, scaled and clipped. With `actions="choices"` an
    action is a choice of each head (0 skip, 1 train; 0 down, 1 keep, 2 up; where it is not allowed
    it counts as keep, see `action_masks`), with `"values"` a number in [-1, 1] for each, which
    becomes a value within its bounds. The reward is the one of section 5.1 of the paper, without a
    baseline. The last `info` has `score`, `diverged` and `run` (the directory).
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(
        self,
        *arguments: str | Path,
        actions: str = "choices",
        root: str | Path | None = None,
        program: str | None = None,
        render_mode: None = None,
    ) -> None:
        if actions not in ("choices", "values"):
            raise ValueError(f"actions {actions!r}: expected choices or values")
        self.render_mode = render_mode
        self.arguments = [str(a) for a in arguments]
        self.program = program or os.environ.get("AUTOMBPO", "autombpo")
        self.actions = actions
        self._place = Path(tempfile.mkdtemp(prefix="autombpo-"))  # short, for names of sockets
        self.root = Path(root) if root else self._place / "runs"
        self.root.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen | None = None
        self._lines: Any = None
        self._asked: dict[str, Any] = {}
        try:
            self._begin(seed=0, directory=self._place / "hello")
            self._end()
        except BaseException:
            self.close()
            raise
        size = len(self.hello["features"])
        low = self.hello["feature_min"]
        self.observation_space = gymnasium.spaces.Box(low, 1.0, (size,), np.float32)
        heads = self.hello["heads"].values()
        self.action_space = (
            gymnasium.spaces.MultiDiscrete([head["choices"] for head in heads])
            if actions == "choices"
            else gymnasium.spaces.Box(-1.0, 1.0, (len(heads),), np.float32)
        )

    # The program -------------------------------------------------------------------------------

    def _begin(self, seed: int, directory: Path) -> None:
        """Starts a run, and hears its hello."""
        self._end()
        path = self._place / "socket"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(1)
            command = [self.program, "train", "-q", *self.arguments, *CONTROLLER]
            command += [f"external.socket={path}", f"run.seed={seed}", f"run.dir={directory}"]
            self.run = directory
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            self._lines = self._accept(listener).makefile("rw", encoding="utf-8", newline="\n")
        self.hello = self._hear("hello")
        if self.hello["v"] != 1:
            raise RuntimeError(f"{self.program} speaks version {self.hello['v']}, expected 1")

    @property
    def _log(self) -> Path:
        return self._place / "log"

    def _accept(self, listener: socket.socket) -> socket.socket:
        for _ in range(int(PATIENCE / 0.1)):
            if select.select([listener], [], [], 0.1)[0]:
                return listener.accept()[0]
            if self._process is None or self._process.poll() is not None:
                break
        raise self._failure("it did not ask for a controller")

    def _failure(self, what: str) -> RuntimeError:
        printed = self._log.read_text(errors="replace")[-2000:]
        return RuntimeError(f"{self.program}: {what}\n{printed}")

    def _hear(self, *types: str) -> dict[str, Any]:
        line = self._lines.readline()
        said = json.loads(line) if line else {"type": "error", "error": "it has ended"}
        if said["type"] not in types:
            raise self._failure(said.get("error", f"unexpected {said['type']}"))
        return said

    def _end(self) -> None:
        """Ends the run, finished or not."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None
        if self._process is not None:
            if self._asked:
                self._process.kill()  # what it could save is not wanted
            self._process.wait(PATIENCE)
            self._process = None
        self._asked = {}

    def _next_directory(self) -> Path:
        """Unlike any other, also of other environments with this root."""
        number = sum(1 for _ in self.root.iterdir())
        while True:
            path = self.root / f"{number:06d}"
            try:
                path.mkdir()
                return path
            except FileExistsError:
                number += 1

    # Gymnasium ---------------------------------------------------------------------------------

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        run_seed = seed if seed is not None else int(self.np_random.integers(2**31))
        self._begin(run_seed, self._next_directory())
        self._asked = self._hear("decide")
        return self._observation(), self._info()

    def step(self, action: Any):
        self._lines.write(json.dumps(self._answer(action)) + "\n")
        self._lines.flush()
        said = self._hear("decide", "sealed")
        reward = said["reward"]
        reward = float("nan") if reward is None else float(reward)
        if said["type"] == "decide":
            self._asked = said
            return self._observation(), reward, False, False, self._info()
        observation = self._observation()
        info = {key: said[key] for key in ("score", "diverged")} | {"run": str(self.run)}
        self._asked = {}
        self._end()
        return observation, reward, True, False, info

    def close(self) -> None:
        self._end()
        shutil.rmtree(self._place, ignore_errors=True)

    def _observation(self) -> np.ndarray:
        return np.array(self._asked["state"], np.float32)

    def _info(self) -> dict[str, Any]:
        keys = ("hyper_episode", "decision", "features_raw", "hyperparameters", "allowed")
        return {key: self._asked[key] for key in keys}

    def _answer(self, action: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {key: self._asked[key] for key in ("hyper_episode", "decision")}
        given = dict(zip(self.hello["heads"], np.asarray(action).tolist()))
        allowed = self._asked["allowed"]
        if self.actions == "choices":
            choice = {h: given[h] if given[h] in allowed[h] else KEEP for h in allowed}
            return {**answer, "choice": choice}
        return {**answer, "value": {head: self._value(head, given[head]) for head in allowed}}

    def _value(self, head: str, number: float) -> float:
        about = self.hello["heads"][head]
        place = (min(1.0, max(-1.0, number)) + 1.0) / 2.0
        value = about["low"] + place * (about["high"] - about["low"])
        value = min(about["high"], max(about["low"], value))
        return round(value) if about["integer"] else value

    # What it is --------------------------------------------------------------------------------

    def action_masks(self) -> np.ndarray:
        """Which choices act now, one head after the other (for MaskablePPO of sb3-contrib)."""
        allowed = self._asked["allowed"]
        masks = [choice in allowed.get(head, range(about["choices"]))
                 for head, about in self.hello["heads"].items()
                 for choice in range(about["choices"])]  # fmt: skip
        return np.array(masks)

    def describe(self) -> dict[str, Any]:
        """The spaces and their meaning, with the keys of a DACEnv's configuration (DACBench)."""
        boxes = isinstance(self.action_space, gymnasium.spaces.Box)
        return {
            "benchmark_info": {
                "identifier": "AutoMBPO",
                "name": f"hyperparameters of MBPO on {self.hello['env']}",
                "reward": f"evaluation return / {self.hello['reward_scale']:g} at the end of each "
                "epoch, less the penalty for training the model",
                "state_description": self.hello["features"],
                "action_description": self.hello["heads"],
            },
            "observation_space_class": "Box",
            "observation_space_type": np.float32,
            "observation_space_args": [self.observation_space.low, self.observation_space.high],
            "action_space_class": "Box" if boxes else "MultiDiscrete",
            "action_space_args": [self.action_space.low, self.action_space.high]
            if boxes
            else [self.action_space.nvec],
            "reward_range": (-float("inf"), float("inf")),
            "cutoff": self.hello["decisions"],
            "instance_set": {0: {"env": self.hello["env"], "arguments": self.arguments}},
        }
