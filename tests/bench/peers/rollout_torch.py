"""Imaginary transitions in PyTorch: 2000 states at a time, permuted and divided among the elites.

Each step: an action of the policy, a prediction by one elite, the test for the end, and the
transition is stored. --precision bfloat16 as in the other scripts.
"""

# first: it sets the number of threads
from timing import ELITES, arguments, measure, model_widths, policy_widths

import torch
import torch.nn.functional as F

BRANCHES = 2000  # at a time: the activations stay in the second-level cache

args = arguments()
O, A, K = args.obs, args.act, args.length
D = O + 1
torch.set_num_threads(1)
torch.manual_seed(0)
torch.set_grad_enabled(False)
torch.set_float32_matmul_precision("medium" if args.precision == "bfloat16" else "highest")

widths = model_widths(args)
weights = [torch.randn(ELITES, i, o) / (2 * i**0.5) for i, o in zip(widths, widths[1:])]
biases = [torch.zeros(ELITES, 1, o) for o in widths[1:]]
weights[-1] *= 0.02
widths = policy_widths(args)
policy = [(torch.randn(o, i) / i**0.5, torch.zeros(o)) for i, o in zip(widths, widths[1:])]
highest, lowest = torch.full((D,), 0.5), torch.full((D,), -10.0)
mean_in, scale_in = torch.zeros(O + A), torch.ones(O + A)
stored = [torch.zeros(BRANCHES * K, width) for width in (O, A, 1, O)]
ends = torch.zeros(BRANCHES * K, dtype=torch.bool)
start = torch.randn(BRANCHES, O)


def ended(obs: torch.Tensor) -> torch.Tensor:
    healthy = torch.isfinite(obs).all(1) & (obs[:, 1:].abs() < 100).all(1)
    return ~(healthy & (obs[:, 0] > 0.7) & (obs[:, 1].abs() < 0.2))


def predict(x: torch.Tensor) -> torch.Tensor:
    order = torch.randperm(BRANCHES)
    y = x[order].view(ELITES, BRANCHES // ELITES, O + A)
    for w, b in zip(weights[:-1], biases[:-1]):
        y = F.silu(torch.baddbmm(b, y, w), inplace=True)
    y = torch.baddbmm(biases[-1], y, weights[-1]).view(BRANCHES, 2 * D)
    out = torch.empty_like(y)
    out[order] = y
    return out


def step(obs: torch.Tensor, k: int) -> torch.Tensor:
    h = obs
    for w, b in policy[:-1]:
        h = F.relu_(F.linear(h, w, b))
    mean, log_std = F.linear(h, *policy[-1]).split(A, 1)
    act = torch.tanh(mean + log_std.clamp(-20, 2).exp() * torch.randn(BRANCHES, A))
    out = predict((torch.cat([obs, act], 1) - mean_in) * scale_in)
    mean, logvar = out.split(D, 1)
    logvar = highest - F.softplus(highest - logvar)
    logvar = lowest + F.softplus(logvar - lowest)
    sample = mean + (0.5 * logvar).exp() * torch.randn(BRANCHES, D)
    next_obs = obs + sample[:, :O]
    rows = slice(k * BRANCHES, (k + 1) * BRANCHES)
    for array, values in zip(stored, (obs, act, sample[:, O:], next_obs)):
        array[rows] = values
    ends[rows] = ended(next_obs)
    return next_obs.clamp_(-5, 5)


def run() -> None:
    obs = start
    for k in range(K):
        obs = step(obs, k)


measure("PyTorch, by elite", args, run, BRANCHES * K)
