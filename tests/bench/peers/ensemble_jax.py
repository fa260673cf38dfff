"""Gradient steps of seven dynamics models in JAX: a jitted scan, members by vmap."""

# first: it sets the number of threads
from timing import DECAY, MEMBERS, MODEL_RATE, ROWS, arguments, measure, model_widths

from functools import partial

import jax
import jax.numpy as jnp

STEPS = 10  # of one call

args = arguments()
O, A, B = args.obs, args.act, args.batch
D = O + 1
if args.precision == "bfloat16":
    jax.config.update("jax_default_matmul_precision", "bfloat16")

widths = model_widths(args)
keys = jax.random.split(jax.random.PRNGKey(0), 8)
nets = [
    (jax.random.normal(k, (MEMBERS, i, o)) / (2 * i**0.5), jnp.zeros((MEMBERS, o)))
    for k, i, o in zip(keys, widths, widths[1:])
]
params = (nets, jnp.full((D,), 0.5), jnp.full((D,), -10.0))
inputs = jax.random.normal(keys[5], (ROWS, O + A))
targets = jax.random.normal(keys[6], (ROWS, D))


def likelihood(nets, highest, lowest, x, y):
    for w, b in nets[:-1]:
        x = jax.nn.silu(x @ w + b)
    w, b = nets[-1]
    mean, logvar = jnp.split(x @ w + b, 2, axis=1)
    logvar = highest - jax.nn.softplus(highest - logvar)
    logvar = lowest + jax.nn.softplus(logvar - lowest)
    return ((mean - y) ** 2 * jnp.exp(-logvar) + logvar).mean()


def loss(params, x, y):
    nets, highest, lowest = params
    total = jax.vmap(likelihood, (0, None, None, 0, 0))(nets, highest, lowest, x, y).sum()
    decay = sum(0.5 * d * (w**2).sum() for (w, _), d in zip(nets, DECAY))
    return total + 0.01 * (highest.sum() - lowest.sum()) + decay


def step(state, _):
    params, first, second, t, key = state
    key, rows_key = jax.random.split(key)
    rows = jax.random.randint(rows_key, (MEMBERS, B), 0, ROWS)
    grads = jax.grad(loss)(params, inputs[rows], targets[rows])
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
    fix1, fix2 = 1 - 0.9 ** (t + 1), 1 - 0.999 ** (t + 1)

    def move(p, m, v):
        return p - MODEL_RATE * (m / fix1) / (jnp.sqrt(v / fix2) + 1e-8)

    return (jax.tree.map(move, params, first, second), first, second, t + 1, key), None


@partial(jax.jit, donate_argnums=0)
def steps(state):
    return jax.lax.scan(step, state, None, length=STEPS)[0]



def zeros():
    return jax.tree.map(jnp.zeros_like, params)


# each array of its own: a call writes its results where its arguments were
state = (params, zeros(), zeros(), jnp.zeros(()), keys[7])


def run():
    global state
    state = jax.block_until_ready(steps(state))


measure("JAX", args, run, STEPS)
