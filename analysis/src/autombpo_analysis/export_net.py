"""Networks that were learnt: policies and controllers, as numpy arrays and as ONNX models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .export import TABLES, flat, missing, name_of_run, part_names
from .io import FEATURES, Columns, Episode, Policy
from .run import Run


def layers(parameters: np.ndarray, widths: Iterable[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights (in, out) and biases (out) of each layer of a flat array of parameters."""
    found, at = [], 0
    widths = [int(width) for width in widths]
    for inside, outside in zip(widths, widths[1:]):
        weights = parameters[at : at + inside * outside].reshape(inside, outside)
        at += inside * outside
        found.append((weights, parameters[at : at + outside]))
        at += outside
    if at != len(parameters):
        raise ValueError(f"{len(parameters)} parameters do not make layers of widths {widths}")
    return found


def _arrays(prefix: str, parameters: np.ndarray, widths: Iterable[int]) -> Columns:
    found = {}
    for i, (weights, biases) in enumerate(layers(parameters, widths)):
        found[f"{prefix}W{i}"], found[f"{prefix}b{i}"] = weights, biases
    return found


def _folder(directory: Path, run: Run, several: bool) -> Path:
    """Where the files of a run go: a folder of its own if there are several runs."""
    folder = directory / name_of_run(run.episodes[0]) if several else directory
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def to_npz(runs: Iterable[Run], directory: Path) -> list[Path]:
    """Columns and policy of each hyper-episode, parameters of each controller."""
    runs = list(runs)
    paths = []
    for run in runs:
        folder = _folder(directory, run, len(runs) > 1)
        for episode in run.episodes:
            policy, attributes = episode.final_policy()
            found = _arrays("policy_", policy["parameters"], attributes["widths"])
            for table in TABLES:
                columns = flat(getattr(episode, table), part_names(episode))
                found.update({f"{table}_{key}": values for key, values in columns.items()})
            paths.append(folder / f"episode-{episode.index:06d}.npz")
            np.savez_compressed(paths[-1], **found)
        for version in run.policies:
            found = {}
            for head, columns in version.heads.items():
                widths = version.head_attributes[head]["widths"]
                found.update(_arrays(f"{head}_", columns["parameters"], widths))
            paths.append(folder / f"controller-{version.version:06d}.npz")
            np.savez_compressed(paths[-1], **found)
    return paths


class _Graph:
    """An ONNX graph that grows node by node."""

    def __init__(self, name: str):
        try:
            import onnx
        except ImportError as error:
            raise missing("onnx", error) from error
        self._onnx, self._name = onnx, name
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._ends: dict[str, list[Any]] = {"inputs": [], "outputs": []}

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self._constants)}"
        tensor = self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name)
        self._constants.append(tensor)
        return name

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        output = output or f"n{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def end(self, which: str, name: str, width: int) -> str:
        """An input or output (batch, width) of float32."""
        shape = ["batch", width]
        kind = self._onnx.TensorProto.FLOAT
        self._ends[which].append(self._onnx.helper.make_tensor_value_info(name, kind, shape))
        return name

    def network(self, x: str, columns: np.ndarray, widths: Iterable[int], activation: str) -> str:
        parts = layers(columns.astype(np.float32), widths)
        for i, (weights, biases) in enumerate(parts):
            x = self.node("Gemm", x, self.constant(weights), self.constant(biases))
            if i + 1 < len(parts):
                x = self._activated(x, activation)
        return x

    def _activated(self, x: str, activation: str) -> str:
        if activation == "swish":
            return self.node("Mul", x, self.node("Sigmoid", x))
        if activation not in ("relu", "tanh"):
            raise ValueError(f"activation {activation!r}: expected relu, tanh or swish")
        return self.node(activation.capitalize(), x)

    def save(self, path: Path, facts: dict[str, Any]) -> Path:
        helper = self._onnx.helper
        graph = helper.make_graph(self._nodes, self._name, self._ends["inputs"],
                                  self._ends["outputs"], self._constants)  # fmt: skip
        model = helper.make_model(graph, producer_name="autombpo-analysis", ir_version=8,
                                  opset_imports=[helper.make_opsetid("", 13)])  # fmt: skip
        helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
        self._onnx.checker.check_model(model)
        self._onnx.save_model(model, str(path))
        return path


FACTS = ("env", "method", "seed", "config_hash")


def policy_onnx(episode: Episode, path: Path) -> Path:
    """The deterministic policy: observation (batch, O) to action (batch, A) in the task's units."""
    policy, attributes = episode.final_policy()
    spec = episode.env_spec
    low, high = (np.asarray(spec[key], np.float32) for key in ("action_low", "action_high"))
    actions = len(low)
    graph = _Graph("policy")
    x = graph.end("inputs", "observation", int(attributes["widths"][0]))
    x = graph.network(x, policy["parameters"], attributes["widths"], str(attributes["activation"]))
    x = graph.node("Gather", x, graph.constant(np.arange(actions)), axis=1)  # means, not deviations
    x = graph.node("Tanh", x)
    x = graph.node("Mul", x, graph.constant((high - low) / 2))
    graph.node("Add", x, graph.constant((high + low) / 2), output="action")
    graph.end("outputs", "action", actions)
    facts = {key: episode.attributes[key] for key in (*FACTS, "hyper_episode")}
    return graph.save(path, facts)


def controller_onnx(policy: Policy, path: Path) -> Path:
    """A controller: state (batch, F) of /decisions to the probabilities of each head's choices."""
    graph = _Graph("controller")
    state = graph.end("inputs", "state", len(FEATURES))
    for head, columns in policy.heads.items():
        attributes = policy.head_attributes[head]
        read = [FEATURES.index(name) for name in str(attributes["features"]).split(",")]
        x = graph.node("Gather", state, graph.constant(np.asarray(read)), axis=1)
        x = graph.network(x, columns["parameters"], attributes["widths"],
                          str(attributes["activation"]))  # fmt: skip
        graph.node("Softmax", x, output=head, axis=1)
        graph.end("outputs", head, int(attributes["widths"][-1]))
    facts = {key: policy.attributes[key] for key in (*FACTS, "version")}
    return graph.save(path, {**facts, "features": ",".join(FEATURES)})


def to_onnx(runs: Iterable[Run], directory: Path) -> list[Path]:
    """A model for the policy of each hyper-episode that finished, and for each controller."""
    runs = list(runs)
    paths = []
    for run in runs:
        folder = _folder(directory, run, len(runs) > 1)
        paths += [policy_onnx(e, folder / f"policy-{e.index:06d}.onnx")
                  for e in run.episodes if not e.diverged]  # fmt: skip
        paths += [controller_onnx(p, folder / f"controller-{p.version:06d}.onnx")
                  for p in run.policies]  # fmt: skip
    return paths
