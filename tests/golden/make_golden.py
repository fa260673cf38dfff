"""Writes sac*.golden and ensemble.golden: ten float64 updates of SAC and the dynamics ensemble.

They are the reference of tests/sac/golden_test.c and tests/dynamics/golden_test.c.
Run in any environment that has PyTorch (the files here were made on the CPU, sac.golden and
ensemble.golden with torch 2.15.0, the others with 1.13.1; other versions give the same numbers up to
float64 rounding and other random inputs):

    python3 -m venv venv && venv/bin/pip install torch==2.15.0
    venv/bin/python tests/golden/make_golden.py

The files are written beside this script. All inputs are float32 values, so that a float32 program
starts from exactly the same numbers. Format: the line "golden 1", then records: a text line
"name f32|f64 count" and `count` little-endian numbers.
"""

import math
import pathlib
import struct

import torch
from torch.nn.functional import softplus

STEPS = 10
OBS, ACT, BATCH = 5, 2, 32
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


class Golden:
    """A file of named arrays, read in the order in which they were written."""

    def __init__(self, name):
        self.file = open(pathlib.Path(__file__).parent / name, "wb")
        self.file.write(b"golden 1\n")

    def put(self, name, tensors, kind="f64"):
        if isinstance(tensors, (torch.Tensor, float)):
            tensors = [tensors]
        flat = torch.cat([torch.as_tensor(t).detach().reshape(-1) for t in tensors])
        self.file.write(f"{name} {kind} {flat.numel()}\n".encode())
        code = "f" if kind == "f32" else "d"
        self.file.write(struct.pack(f"<{flat.numel()}{code}", *flat.tolist()))


def draw(generator, *shape, scale=1.0):
    """Normal numbers that float32 holds exactly."""
    numbers = torch.randn(*shape, generator=generator, dtype=torch.float32) * scale
    return numbers.double()


def make_networks(generator, members, widths, last_scale=1.0):
    """[W0 (E, in, out), b0 (E, out), W1, b1, ...], in the order of one flat parameter array."""
    params = []
    for i, (n_in, n_out) in enumerate(zip(widths, widths[1:])):
        scale = last_scale if i + 2 == len(widths) else 1.0
        params.append(draw(generator, members, n_in, n_out, scale=scale / math.sqrt(n_in)))
        params.append(draw(generator, members, n_out, scale=0.1))
    return [p.requires_grad_() for p in params]


def evaluate(params, x, activation):
    """x (B, in) for all members or (E, B, in) -> (E, B, out)."""
    if x.dim() == 2:
        x = x.expand(params[0].shape[0], *x.shape)
    for i in range(0, len(params), 2):
        x = torch.bmm(x, params[i]) + params[i + 1].unsqueeze(1)
        if i + 2 < len(params):
            x = activation(x)
    return x


def policy(params, obs, noise):
    """An action of the squashed Gaussian policy and its log-density."""
    mean, log_std = evaluate(params, obs, torch.relu)[0].chunk(2, dim=-1)
    std = log_std.clamp(-20, 2).exp()
    u = mean + std * noise
    logp = torch.distributions.Normal(mean, std).log_prob(u)
    logp = logp - 2 * (math.log(2) - u - softplus(-2 * u, threshold=1e9))
    return torch.tanh(u), logp.sum(-1)


def step(optimizer, params, gradients):
    for p, g in zip(params, gradients):
        p.grad = g.clone()
    optimizer.step()


def sac(name, policy_layers=(16, 16), critic_layers=(16, 16), learning_rates=(3e-4, 3e-4, 3e-4),
        reward_scale=1.0, policy_interval=1, target_interval=1, temperature=None,
        target_entropy=-1.5):  # fmt: skip
    """An interval: the first update is one of it; temperature: fixed, and without a gradient."""
    generator = torch.Generator().manual_seed(1)
    discount, target_rate = 0.99, 0.005
    golden = Golden(name)
    policy_params = make_networks(generator, 1, [OBS, *policy_layers, 2 * ACT])
    critic_params = make_networks(generator, 2, [OBS + ACT, *critic_layers, 1])
    targets = [p.detach() + draw(generator, *p.shape, scale=0.05) for p in critic_params]
    targets = [p.float().double() for p in targets]
    start = -0.5 if temperature is None else torch.tensor(math.log(temperature)).item()
    log_alpha = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    golden.put("policy", policy_params, "f32")
    golden.put("critics", critic_params, "f32")
    golden.put("targets", targets, "f32")
    golden.put("log_alpha", log_alpha, "f32")
    optimizers = [
        torch.optim.Adam(p, lr=rate)
        for p, rate in zip((policy_params, critic_params, [log_alpha]), learning_rates)
    ]
    d_policy = [torch.zeros_like(p) for p in policy_params]
    for update in range(STEPS):
        obs, next_obs = draw(generator, BATCH, OBS), draw(generator, BATCH, OBS)
        act = torch.tanh(draw(generator, BATCH, ACT)).float().double()
        rew = draw(generator, BATCH)
        terminated = (torch.rand(BATCH, generator=generator) < 0.25).double()
        noise, next_noise = draw(generator, BATCH, ACT), draw(generator, BATCH, ACT)
        golden.put("obs", obs, "f32")
        golden.put("act", act, "f32")
        golden.put("next_obs", next_obs, "f32")
        golden.put("rew", rew, "f32")
        golden.put("terminated", terminated, "f32")
        golden.put("noise", noise, "f32")
        golden.put("next_noise", next_noise, "f32")

        alpha = log_alpha.detach().exp()
        with torch.no_grad():
            next_act, next_logp = policy(policy_params, next_obs, next_noise)
            next_q = evaluate(targets, torch.cat([next_obs, next_act], -1), torch.relu).squeeze(-1)
            value = next_q.min(0).values - alpha * next_logp
            y = reward_scale * rew + discount * (1 - terminated) * value
        q = evaluate(critic_params, torch.cat([obs, act], -1), torch.relu).squeeze(-1)
        critic_losses = 0.5 * ((q - y) ** 2).mean(-1)
        d_critics = torch.autograd.grad(critic_losses.sum(), critic_params)

        new_act, logp = policy(policy_params, obs, noise)
        new_q = evaluate(critic_params, torch.cat([obs, new_act], -1), torch.relu).squeeze(-1)
        policy_loss = (alpha * logp - new_q.min(0).values).mean()
        policy_due = update % policy_interval == 0
        if policy_due:  # else the one before stands
            d_policy = torch.autograd.grad(policy_loss, policy_params)
        learnt = 1.0 if temperature is None else 0.0
        alpha_loss = -learnt * (log_alpha * (logp.detach() + target_entropy)).mean()
        d_log_alpha = torch.autograd.grad(alpha_loss, [log_alpha])

        # critic, policy and temperature loss; alpha, entropy and mean Q of the batch
        golden.put("losses", [critic_losses.mean(), policy_loss, alpha_loss, alpha, -logp.mean(),
                              q.mean()])
        golden.put("d_policy", d_policy)
        golden.put("d_critics", d_critics)
        golden.put("d_log_alpha", d_log_alpha)
        step(optimizers[1], critic_params, d_critics)
        if policy_due:
            step(optimizers[0], policy_params, d_policy)
            step(optimizers[2], [log_alpha], d_log_alpha)
        with torch.no_grad():
            for target, p in zip(targets, critic_params):
                if update % target_interval == 0:
                    target.add_(target_rate * (p - target))
    golden.put("policy", policy_params)
    golden.put("critics", critic_params)
    golden.put("targets", targets)
    golden.put("log_alpha", log_alpha)


def ensemble():
    generator = torch.Generator().manual_seed(2)
    members, batch, targets_size = 3, 16, 1 + OBS
    golden = Golden("ensemble.golden")
    widths = [OBS + ACT, 8, 8, 8, 8, 2 * targets_size]
    params = make_networks(generator, members, widths, last_scale=2.0)
    decays = [2.5e-5, 5e-5, 7.5e-5, 7.5e-5, 1e-4]
    # bounds close to the raw log-variances, so that both softplus matter
    max_logvar = (0.5 + draw(generator, targets_size, scale=0.1)).float().double().requires_grad_()
    min_logvar = (-2 + draw(generator, targets_size, scale=0.1)).float().double().requires_grad_()
    learnt = params + [max_logvar, min_logvar]
    golden.put("params", learnt, "f32")
    optimizer = torch.optim.Adam(learnt, lr=1e-3)
    for _ in range(STEPS):
        x = draw(generator, members, batch, OBS + ACT)
        y = draw(generator, members, batch, targets_size)
        golden.put("in", x, "f32")
        golden.put("target", y, "f32")
        mean, raw = evaluate(params, x, torch.nn.functional.silu).chunk(2, dim=-1)
        logvar = max_logvar - softplus(max_logvar - raw, threshold=1e9)
        logvar = min_logvar + softplus(logvar - min_logvar, threshold=1e9)
        loss = ((mean - y) ** 2 * torch.exp(-logvar) + logvar).mean((1, 2)).sum()
        loss = loss + sum(0.5 * c * (w**2).sum() for c, w in zip(decays, params[::2]))
        loss = loss + 0.01 * (max_logvar.sum() - min_logvar.sum())
        gradients = torch.autograd.grad(loss, learnt)
        golden.put("loss", loss)
        golden.put("gradient", gradients)
        step(optimizer, learnt, gradients)
    golden.put("params", learnt)


sac("sac.golden")
sac("sac_options.golden", policy_layers=(12, 7, 20), critic_layers=(24, 9),
    learning_rates=(1e-3, 2e-3, 5e-3), reward_scale=2.5, policy_interval=2, target_interval=3,
    target_entropy=-ACT)  # fmt: skip
sac("sac_fixed.golden", temperature=0.2)
ensemble()
