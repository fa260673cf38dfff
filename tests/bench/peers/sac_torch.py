"""SAC gradient updates in PyTorch, tuned: one flat function, twin critics in one batched product.

--precision bfloat16 multiplies in bfloat16 (float32_matmul_precision "medium").
"""

# first: it sets the number of threads
from timing import GAMMA, RATE, ROWS, TAU, arguments, critic_widths, measure, policy_widths

import torch
import torch.nn.functional as F

args = arguments()
O, A, B = args.obs, args.act, args.batch
torch.set_num_threads(1)
torch.manual_seed(0)
torch.set_float32_matmul_precision("medium" if args.precision == "bfloat16" else "highest")


def network(members: int, widths: list[int]) -> list[torch.Tensor]:
    """Weights (E, in, out) and biases (E, 1, out) of each layer."""
    tensors = []
    for i, o in zip(widths, widths[1:]):
        tensors.append((torch.rand(members, i, o) * 2 - 1) / i**0.5)
        tensors.append(torch.zeros(members, 1, o))
    return tensors


def forward(net: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    if net[0].shape[0] == 1:
        x = F.relu(torch.addmm(net[1][0], x, net[0][0]))
        x = F.relu(torch.addmm(net[3][0], x, net[2][0]))
        return torch.addmm(net[5][0], x, net[4][0])
    x = x.expand(net[0].shape[0], *x.shape)
    x = F.relu(torch.baddbmm(net[1], x, net[0]))
    x = F.relu(torch.baddbmm(net[3], x, net[2]))
    return torch.baddbmm(net[5], x, net[4])[..., 0]


def draw(net: list[torch.Tensor], obs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean, log_std = forward(net, obs).chunk(2, 1)
    log_std = log_std.clamp(-20, 2)
    noise = torch.randn_like(mean)
    x = mean + log_std.exp() * noise
    log_det = 2 * (0.6931471805599453 - x - F.softplus(-2 * x))
    logp = (-0.5 * noise * noise - log_std - 0.9189385332046727 - log_det).sum(1)
    return torch.tanh(x), logp


policy, critics = network(1, policy_widths(args)), network(2, critic_widths(args))
targets = [w.clone() for w in critics]
log_alpha = torch.zeros(())
learnt = [*policy, *critics, log_alpha]
for tensor in learnt:
    tensor.requires_grad_()
optimizer = torch.optim.Adam(learnt, lr=RATE, fused=True)
data = torch.randn(ROWS, 2 * O + A + 2)
data[:, -1] = 0


def update() -> None:
    rows = data[torch.randint(ROWS, (B,))]
    obs, next_obs, act, rew, ended = rows.split([O, O, A, 1, 1], 1)
    alpha = log_alpha.detach().exp()
    with torch.no_grad():
        next_act, next_logp = draw(policy, next_obs)
        next_q = forward(targets, torch.cat([next_obs, next_act], 1)).amin(0)
        target_q = rew[:, 0] + GAMMA * (1 - ended[:, 0]) * (next_q - alpha * next_logp)
    q = forward(critics, torch.cat([obs, act], 1))
    critic_loss = 0.5 * ((q - target_q) ** 2).mean(1).sum()
    drawn, logp = draw(policy, obs)
    # the critics' weights need no gradient of the policy's loss
    frozen = [w.detach() for w in critics]
    policy_loss = (alpha * logp - forward(frozen, torch.cat([obs, drawn], 1)).amin(0)).mean()
    alpha_loss = -log_alpha * (logp.detach().mean() - 1)
    optimizer.zero_grad()
    (critic_loss + policy_loss + alpha_loss).backward()
    optimizer.step()
    with torch.no_grad():
        torch._foreach_lerp_(targets, [w.detach() for w in critics], TAU)


measure("PyTorch, tuned", args, update, 1)
