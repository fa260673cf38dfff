"""Imaginary transitions in JAX: as rollout_torch.py, K steps in one jitted scan."""

# first: it sets the number of threads
from timing import ELITES, arguments, measure, model_widths, policy_widths

import jax
import jax.numpy as jnp

BRANCHES = 2000

args = arguments()
O, A, K = args.obs, args.act, args.length
D = O + 1
if args.precision == "bfloat16":
    jax.config.update("jax_default_matmul_precision", "bfloat16")

keys = iter(jax.random.split(jax.random.PRNGKey(0), 16))
widths = model_widths(args)
model = [
    (jax.random.normal(next(keys), (ELITES, i, o)) / (2 * i**0.5), jnp.zeros((ELITES, 1, o)))
    for i, o in zip(widths, widths[1:])
]
model[-1] = (model[-1][0] * 0.02, model[-1][1])
widths = policy_widths(args)
policy = [
    (jax.random.normal(next(keys), (i, o)) / i**0.5, jnp.zeros(o))
    for i, o in zip(widths, widths[1:])
]
highest, lowest = jnp.full((D,), 0.5), jnp.full((D,), -10.0)
mean_in, scale_in = jnp.zeros(O + A), jnp.ones(O + A)


def ended(obs):
    healthy = jnp.isfinite(obs).all(1) & (jnp.abs(obs[:, 1:]) < 100).all(1)
    return ~(healthy & (obs[:, 0] > 0.7) & (jnp.abs(obs[:, 1]) < 0.2))


def predict(model, x, key):
    order = jax.random.permutation(key, BRANCHES)
    y = x[order].reshape(ELITES, BRANCHES // ELITES, O + A)
    for w, b in model[:-1]:
        y = jax.nn.silu(jnp.matmul(y, w) + b)
    w, b = model[-1]
    y = (jnp.matmul(y, w) + b).reshape(BRANCHES, 2 * D)
    return jnp.zeros_like(y).at[order].set(y, unique_indices=True)


def step(params, carry, _):
    policy, model = params
    obs, key = carry
    key, act_key, order_key, noise_key = jax.random.split(key, 4)
    h = obs
    for w, b in policy[:-1]:
        h = jax.nn.relu(h @ w + b)
    w, b = policy[-1]
    mean, log_std = jnp.split(h @ w + b, 2, axis=1)
    noise = jax.random.normal(act_key, mean.shape)
    act = jnp.tanh(mean + jnp.exp(jnp.clip(log_std, -20, 2)) * noise)
    x = (jnp.concatenate([obs, act], 1) - mean_in) * scale_in
    mean, logvar = jnp.split(predict(model, x, order_key), 2, axis=1)
    logvar = highest - jax.nn.softplus(highest - logvar)
    logvar = lowest + jax.nn.softplus(logvar - lowest)
    sample = mean + jnp.exp(0.5 * logvar) * jax.random.normal(noise_key, mean.shape)
    next_obs = obs + sample[:, :O]
    transition = (obs, act, sample[:, O], next_obs, ended(next_obs))
    return (jnp.clip(next_obs, -5, 5), key), transition


@jax.jit
def rollout(params, obs, key):
    return jax.lax.scan(lambda c, x: step(params, c, x), (obs, key), None, length=K)[1]


start, key = jax.random.normal(next(keys), (BRANCHES, O)), next(keys)


def run():
    jax.block_until_ready(rollout((policy, model), start, key))


measure("JAX", args, run, BRANCHES * K)
