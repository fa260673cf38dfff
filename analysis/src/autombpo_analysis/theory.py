"""Theorem 4.1: figures of `autombpo fvi`, and the theory's real ratio for a recorded run.

The constants are derived in docs/theory.md.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import curves as cv
from .io import EPISODE_FORMAT, Episode, FormatError, _columns, _open
from .run import Run
from .style import GREY, MARKERS, PALETTE, RC, Drawing

FVI_FORMAT = "autombpo.fvi"
SMALLEST_RATIO = 1e-12
LARGEST_RATIO = 0.999
SCHEDULE_BINS = 40

# ---------------------------------------------------------------------------------------------
# The normal distribution's tail, and the bound's two variable terms


def _mills_ratio(z: float) -> float:
    value = z
    for term in range(60, 0, -1):
        value = z + term / value
    return 1.0 / value


def _log_upper_tail(z: float) -> float:
    if z < 30.0:
        return math.log(0.5 * math.erfc(z / math.sqrt(2.0)))
    return -0.5 * z * z - 0.5 * math.log(2.0 * math.pi) + math.log(_mills_ratio(z))


def upper_quantile_log(log_q: float) -> float:
    """The z >= 0 with log P(Z > z) = log_q; 0 for log_q above log 1/2, as the bound clips it."""
    if log_q >= math.log(0.5):
        return 0.0
    z = math.sqrt(-2.0 * (log_q + math.log(2.0)))
    for _ in range(100):
        log_tail = _log_upper_tail(z)
        hazard = math.exp(-0.5 * z * z - 0.5 * math.log(2.0 * math.pi) - log_tail)
        change = (log_tail - log_q) / hazard
        z += change
        if abs(change) <= 1e-15 * z:
            break
    return z


_LOG_TAILS = np.concatenate(
    [-np.geomspace(2000.0, 1.0, 4000), np.linspace(-1.0, math.log(0.5), 2001)[1:]]
)
_QUANTILES = np.array([upper_quantile_log(x) for x in _LOG_TAILS])


@dataclass(frozen=True)
class Setting:
    """What the optimal ratio depends on beside N_real and the model's error.

    `relative_slope` is K_V / V_max per unit of the model error: by how much of V_max a unit of
    error changes a value. It is not known for a neural network.
    """

    relative_slope: float = 1.0
    gamma: float = 0.99
    p: float = 2.0
    delta: float = 0.1
    iterations: int = 100
    actions: int = 1


def variable_terms(ratio: np.ndarray, n_real, sigma, setting: Setting) -> np.ndarray:
    """Estimation + model term over their common factor and V_max; log(32 N) is read literally."""
    ratio = np.asarray(ratio, float)
    n_real, sigma = np.asarray(n_real, float), np.asarray(sigma, float)
    samples = n_real / (ratio * setting.actions)
    share = math.log(setting.delta / setting.iterations)
    logs = np.log(32.0 * np.maximum(samples, 1.0)) - share
    estimation = 4.0 * (128.0 * logs / samples) ** (1.0 / (2.0 * setting.p))
    with np.errstate(divide="ignore"):
        log_tail = share - math.log(8.0) - np.log(samples * setting.actions) - np.log1p(-ratio)
    quantile = np.interp(log_tail, _LOG_TAILS, _QUANTILES, right=0.0)
    return estimation + 2.0 * setting.gamma * setting.relative_slope * sigma * quantile


def theory_ratio(n_real, model_error, setting: Setting | None = None) -> np.ndarray:
    """Real ratio at the bound's trade-off: the first local minimum in beta, or 1 if none is left.

    n_real (D): real samples. model_error (D): mean squared error of the model on held-out data;
    its root is sigma up to a constant that `setting.relative_slope` contains.
    """
    setting = setting or Setting()
    n_real = np.maximum(np.atleast_1d(np.asarray(n_real, float)), setting.actions)
    sigma = np.sqrt(np.maximum(np.atleast_1d(np.asarray(model_error, float)), 0.0))
    grid = np.exp(np.linspace(math.log(SMALLEST_RATIO), math.log(LARGEST_RATIO), 2000))
    result = np.full(np.broadcast(n_real, sigma).shape, np.nan)
    for i, (n, s) in enumerate(zip(*np.broadcast_arrays(n_real, sigma))):
        if np.isfinite(s):
            rises = np.diff(variable_terms(grid, n, s, setting)) > 0
            result[i] = grid[np.argmax(rises)] if rises.any() else 1.0
    return result


# ---------------------------------------------------------------------------------------------
# Beside the schedule that the controller found


def fitted_schedule(
    episodes: Sequence[Episode], bins: int = SCHEDULE_BINS
) -> tuple[np.ndarray, np.ndarray, float]:
    """Progress, the theory's ratio there, and the one constant that was fitted.

    The theorem leaves K_V / V_max open. It is chosen so that the logarithm of the theory's ratio
    has the mean of the controller's: the level is fitted, only the shape is the theory's.
    """
    found = cv.schedules(episodes, bins)
    bins = len(found.progress)
    n_real = cv.theory_schedule(episodes, lambda n, _: n, bins)
    error = cv.theory_schedule(episodes, lambda _, e: e, bins)
    known = np.isfinite(error)
    if not known.any():
        raise FormatError(f"{episodes[0].path}: the model's validation loss is missing")
    wanted = np.mean(np.log(np.maximum(found.values["real_ratio"].mean(axis=0)[known], 1e-6)))
    low, high = -25.0, 25.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        line = theory_ratio(n_real, error, Setting(relative_slope=math.exp(middle)))
        if np.mean(np.log(line[known])) < wanted:
            low = middle
        else:
            high = middle
    # Just below the wanted level: above it the ratio may already have jumped to 1.
    slope = math.exp(low)
    return found.progress, theory_ratio(n_real, error, Setting(relative_slope=slope)), slope


def _scheduled(episodes: Sequence[Episode]) -> bool:
    """Whether a head chose the real ratio: only then is there a schedule to compare with."""
    return any(
        (e.decisions["action"][:, e.head_names.index("real_ratio")] >= 0).any()
        for e in cv.finished(episodes)
        if e.n_decisions
    )


def broken_at_jumps(progress: np.ndarray, ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The line with a gap wherever it goes to or from 1: there is no trade-off left, and no way."""
    jumps = np.flatnonzero(np.diff((ratio >= 1.0).astype(int))) + 1
    return np.insert(progress, jumps, np.nan), np.insert(ratio, jumps, np.nan)


def schedule_line(ax: Axes, episodes: Sequence[Episode], colour: str = "black") -> None:
    """Draw the theory's ratio into the real-ratio panel of `autombpo-plot schedule`."""
    if not _scheduled(episodes):
        return
    try:
        progress, line, _ = fitted_schedule(episodes)
    except (FormatError, KeyError, ValueError) as error:
        warnings.warn(f"no theory line for {episodes[0].method}: {error}", stacklevel=2)
        return
    ax.plot(
        *broken_at_jumps(progress, line), ls=(0, (4, 1.5, 1, 1.5)), color=colour, lw=1.6,
        label="Theorem 4.1 (level fitted)",
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------
# The half-normal assumption


@dataclass(frozen=True)
class HalfNormal:
    """How well lengths of prediction errors follow a half-normal distribution.

    `distance` is Kolmogorov's between the lengths and the half-normal with their second moment;
    `chi_distance` the same for the length of an isotropic normal vector in `dims` dimensions.
    `tail` is the share of lengths beyond each of 1, 2, 3, 4 sigma, `expected_tail` the
    half-normal's.
    """

    count: int
    dims: int
    sigma: float
    distance: float
    chi_distance: float
    tail: np.ndarray
    expected_tail: np.ndarray


def _kolmogorov(cdf: np.ndarray) -> float:
    n = len(cdf)
    return float(max(np.max(np.arange(1, n + 1) / n - cdf), np.max(cdf - np.arange(n) / n)))


def _chi_cdf(x: np.ndarray, dims: int) -> np.ndarray:
    """Distribution function of the length of a standard normal vector, by its recurrence."""
    half = 0.5 * x**2
    if dims % 2:
        value, k = np.array([math.erf(v / math.sqrt(2.0)) for v in x]), 0.5
    else:
        value, k = 1.0 - np.exp(-half), 1.0
    while k < 0.5 * dims:
        with np.errstate(divide="ignore"):
            value = value - np.exp(k * np.log(half) - half - math.lgamma(k + 1.0))
        k += 1.0
    return value


def half_normal(errors: np.ndarray) -> HalfNormal:
    """Judge prediction errors (N, dims), or their lengths (N)."""
    errors = np.asarray(errors, float)
    dims = errors.shape[1] if errors.ndim == 2 else 1
    lengths = np.sort(np.linalg.norm(errors, axis=1) if errors.ndim == 2 else np.abs(errors))
    if len(lengths) == 0 or not np.isfinite(lengths).all():
        raise ValueError("half_normal needs at least one error, and all of them finite")
    sigma = float(np.sqrt(np.mean(lengths**2)))
    if sigma == 0.0:
        raise ValueError("half_normal: all errors are 0")
    scaled = lengths / sigma
    steps = np.arange(1.0, 5.0)
    return HalfNormal(
        count=len(lengths),
        dims=dims,
        sigma=sigma,
        distance=_kolmogorov(_chi_cdf(scaled, 1)),
        chi_distance=_kolmogorov(_chi_cdf(scaled * math.sqrt(dims), dims)),
        tail=np.array([np.mean(scaled > s) for s in steps]),
        expected_tail=np.array([math.erfc(s / math.sqrt(2.0)) for s in steps]),
    )


def half_normal_run(run: Run) -> list[tuple[Episode, HalfNormal]]:
    """Judge the model errors (/final/model/errors: N, dims) of each hyper-episode that has them."""
    result = []
    for episode in run.episodes:
        with _open(episode.path, EPISODE_FORMAT)[0] as file:
            if "final/model/errors" in file:
                result.append((episode, half_normal(file["final/model/errors"][()])))
    if not result:
        raise FormatError(f"{run.path}: no hyper-episode has /final/model/errors")
    return result


# ---------------------------------------------------------------------------------------------
# Figures of `autombpo fvi`


def _read(path: Path) -> dict[str, dict[str, np.ndarray]]:
    file_path = path / "fvi.h5" if path.is_dir() else path
    if not file_path.exists():
        raise FileNotFoundError(f"{file_path}: no such file; `autombpo fvi run` writes it")
    file, _ = _open(file_path, FVI_FORMAT)
    with file:
        return {name: _columns(file, name) for name in file}


def _where(table: dict[str, np.ndarray], **values: float) -> np.ndarray:
    rows = np.ones(len(next(iter(table.values()))), bool)
    for name, value in values.items():
        rows &= table[name] == value
    return rows


def _draw_curve(ax: Axes, tables, v_max: float, drawing: Drawing, **where: float) -> None:
    """The bound's variable terms against beta, one line for each N_real; a ring at the best."""
    curve, ratio = tables["curve"], tables["ratio"]
    for i, n_real in enumerate(np.unique(curve["n_real"][_where(curve, **where)])):
        rows = _where(curve, n_real=n_real, **where)
        beta = curve["real_ratio"][rows]
        total = (curve["estimation"][rows] + curve["model"][rows]) / v_max
        ax.loglog(beta, total, color=PALETTE[i % len(PALETTE)], label=f"$N_{{real}}$ = {n_real:g}")
        best = _where(ratio, n_real=n_real, **where)
        ax.plot(
            ratio["bound_interior"][best], ratio["bound_interior_value"][best] / v_max, "o",
            mfc="white", color=PALETTE[i % len(PALETTE)], ms=6,
        )  # fmt: skip
        drawing.rows += [("terms", *where.values(), n_real, b, t, "") for b, t in zip(beta, total)]
    ax.set_xlim(curve["real_ratio"].min(), 1.0)
    ax.set_xlabel("real ratio β")
    ax.set_ylabel("second + third term / $V_{max}$")
    ax.set_title("Bound")


def _draw_measured(ax: Axes, tables, v_max: float, drawing: Drawing, **where: float) -> None:
    settings = tables["settings"]
    for i, n_real in enumerate(np.unique(settings["n_real"][_where(settings, **where)])):
        rows = _where(settings, n_real=n_real, **where)
        beta, loss = settings["real_ratio"][rows], settings["loss_mean"][rows] / v_max
        error = settings["loss_error"][rows] / v_max
        ax.errorbar(
            beta, loss, yerr=error, marker=MARKERS[i % len(MARKERS)], ms=4.5, capsize=2,
            color=PALETTE[i % len(PALETTE)], elinewidth=1, label=f"$N_{{real}}$ = {n_real:g}",
        )  # fmt: skip
        best = int(np.argmin(loss))
        ax.plot(beta[best], loss[best], "o", ms=11, mfc="none", color=PALETTE[i % len(PALETTE)])
        drawing.rows += [
            ("measured", *where.values(), n_real, *row) for row in zip(beta, loss, error)
        ]
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("real ratio β")
    ax.set_ylabel("measured $\\|V^* - V^{\\pi_K}\\|$ / $V_{max}$")
    ax.set_title(f"Measured, σ = {where['sigma']:g}")


def _draw_best(ax: Axes, tables, drawing: Drawing, **where: float) -> None:
    ratio, rise = tables["ratio"], tables["rise"]
    line = _where(rise, **where)
    n_real, interior = rise["n_real"][line], rise["bound_interior"][line]
    ax.loglog(n_real, rise["bound_ratio"][line], color=PALETTE[0], label="bound, with β = 1")
    ax.loglog(n_real, interior, "--", color=PALETTE[4], label="bound, trade-off")
    rows = _where(ratio, **where)
    at, best = ratio["n_real"][rows], ratio["measured_ratio"][rows]
    low, high = ratio["measured_low"][rows], ratio["measured_high"][rows]
    ax.errorbar(
        at, best, yerr=[best - low, high - best], fmt="s", ms=5, capsize=2.5, color=PALETTE[1],
        elinewidth=1.1, label="measured (range: one error)",
    )  # fmt: skip
    ax.set_xlabel("real samples of an iteration $N_{real}$")
    ax.set_ylabel("best real ratio β")
    ax.set_title("Best ratio")
    ax.legend(loc="best", fontsize=8)
    lines = {
        "best_bound": (n_real, rise["bound_ratio"][line]),
        "best_tradeoff": (n_real, interior),
        "best_measured": (at, best),
    }
    for kind, (x, y) in lines.items():
        drawing.rows += [(kind, *where.values(), n, b, "", "") for n, b in zip(x, y)]


def _ratio_figure(tables) -> Drawing:
    settings = tables["settings"]
    v_max = float(settings["v_max"][0])
    keys = list(dict.fromkeys(zip(settings["iterations"], settings["sigma"])))
    figure = Figure(figsize=(12.6, 3.5 * len(keys)), layout="constrained")
    header = ("panel", "iterations", "sigma", "n_real", "real_ratio", "value_over_v_max", "error")
    drawing = Drawing(figure, header)
    axes = figure.subplots(len(keys), 3, squeeze=False)
    for row, (iterations, sigma) in zip(axes, keys):
        where = {"iterations": iterations, "sigma": sigma}
        _draw_curve(row[0], tables, v_max, drawing, **where)
        _draw_measured(row[1], tables, v_max, drawing, **where)
        _draw_best(row[2], tables, drawing, **where)
    axes[0][1].legend(loc="best", fontsize=8)
    return drawing


def _setting_label(settings: dict[str, np.ndarray], i: int) -> str:
    """A setting by what differs between settings."""
    names = {"iterations": "K", "sigma": "σ", "n_real": "$N_{real}$", "real_ratio": "β"}
    parts = [f"{label} = {settings[name][i]:.3g}" for name, label in names.items()
             if len(set(settings[name])) > 1 or len(settings["sigma"]) == 1]  # fmt: skip
    return ", ".join(parts)


def _coverage_figure(tables) -> Drawing:
    """Measured loss of every seed and the bound, term by term, for each setting."""
    settings, runs = tables["settings"], tables["runs"]
    v_max = float(settings["v_max"][0])
    count = len(settings["sigma"])
    seeds = len(runs["loss"]) // count
    figure = Figure(figsize=(8.4, 1.5 + 0.5 * count), layout="constrained")
    drawing = Drawing(figure, ("setting", "part", "value_over_v_max"))
    ax = figure.subplots()
    terms = ("approximation", "estimation", "model", "iteration")
    for i in range(count):
        label, left = _setting_label(settings, i), 0.0
        for t, term in enumerate(terms):
            value = settings[term][i] / v_max
            ax.barh(i, value, left=left, height=0.5, color=PALETTE[t], alpha=0.55,
                    label=term if i == 0 else None)  # fmt: skip
            left += value
            drawing.rows.append((label, term, value))
        loss = runs["loss"][i * seeds : (i + 1) * seeds] / v_max
        ax.plot(loss, np.full(seeds, i), "|", color="black", ms=11, clip_on=False,
                label=f"measured, {seeds} seeds" if i == 0 else None)  # fmt: skip
        covered = f"within the bound: {settings['coverage'][i]:.1%}"
        ax.annotate(covered, (left, i), xytext=(5, 0), textcoords="offset points",
                    va="center", fontsize=8.5, color=GREY)  # fmt: skip
        drawing.rows += [(label, "loss_mean", loss.mean()), (label, "loss_max", loss.max())]
    ax.set_yticks(range(count), [_setting_label(settings, i) for i in range(count)])
    ax.set_ylim(count - 0.5, -0.5)
    ax.set_xlim(0, max(1.0, 1.25 * settings["bound"].max() / v_max))
    ax.axvline(1.0, color=GREY, ls=":", lw=1.2)
    ax.set_xlabel("error / $V_{max}$ (beyond 1 the bound says nothing)")
    ax.set_title("Bound of Theorem 4.1 and measured loss")
    figure.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=5)
    return drawing


def plot_fvi(paths: Sequence[str | Path], out: str | Path) -> list[Path]:
    """Draw the results of `autombpo fvi`; several inputs give OUT, OUT-2, ...

    Results of `optimal-ratio`: bound and loss against beta, and the best beta against N_real. Of
    `run`: the bound's terms and every seed's loss. Returns the files written.
    """
    out, written = Path(out), []
    if out.suffix == "":
        out = out.with_suffix(".png")
    for i, path in enumerate(paths):
        tables = _read(Path(path))
        with matplotlib.rc_context(RC):
            drawing = _ratio_figure(tables) if "curve" in tables else _coverage_figure(tables)
        name = out if i == 0 else out.with_stem(f"{out.stem}-{i + 1}")
        written += drawing.save(name)
    return written
