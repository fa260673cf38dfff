"""Gradient steps of seven dynamics models in PyTorch: one batched product a layer, fused Adam.

--precision bfloat16 multiplies in bfloat16 (float32_matmul_precision "medium").
"""

# first: it sets the number of threads
from timing import DECAY, MEMBERS, MODEL_RATE, ROWS, arguments, measure, model_widths

import torch
import torch.nn.functional as F

STEPS = 5  # of one call

args = arguments()
O, A, B = args.obs, args.act, args.batch
D = O + 1
torch.set_num_threads(1)
torch.manual_seed(0)
torch.set_float32_matmul_precision("medium" if args.precision == "bfloat16" else "highest")

widths = model_widths(args)
weights = [
    torch.nn.Parameter(torch.randn(MEMBERS, i, o) / (2 * i**0.5))
    for i, o in zip(widths, widths[1:])
]
biases = [torch.nn.Parameter(torch.zeros(MEMBERS, 1, o)) for o in widths[1:]]
highest = torch.nn.Parameter(torch.full((D,), 0.5))
lowest = torch.nn.Parameter(torch.full((D,), -10.0))
groups = [dict(params=[w], weight_decay=d) for w, d in zip(weights, DECAY)]
groups.append(dict(params=[*biases, highest, lowest]))
optimizer = torch.optim.Adam(groups, lr=MODEL_RATE, fused=True)
inputs, targets = torch.randn(ROWS, O + A), torch.randn(ROWS, D)


def step() -> None:
    rows = torch.randint(ROWS, (MEMBERS, B))
    x, y = inputs[rows], targets[rows]
    for w, b in zip(weights[:-1], biases[:-1]):
        x = F.silu(torch.baddbmm(b, x, w))
    mean, logvar = torch.baddbmm(biases[-1], x, weights[-1]).split(D, 2)
    logvar = highest - F.softplus(highest - logvar)
    logvar = lowest + F.softplus(logvar - lowest)
    likelihood = ((mean - y) ** 2 * torch.exp(-logvar) + logvar).mean((1, 2)).sum()
    loss = likelihood + 0.01 * (highest.sum() - lowest.sum())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def run() -> None:
    for _ in range(STEPS):
        step()


measure("PyTorch, batched", args, run, STEPS)
