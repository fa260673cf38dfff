"""SAC gradient updates in JAX: 20 of them in one jitted scan, drawing their batches inside."""

# first: it sets the number of threads
from timing import GAMMA, RATE, ROWS, TAU, arguments, critic_widths, measure, policy_widths

from functools import partial

import jax
import jax.numpy as jnp

UPDATES = 20  # of one call, as MBPO makes them for one real step

args = arguments()
O, A, B = args.obs, args.act, args.batch
if args.precision == "bfloat16":
    jax.config.update("jax_default_matmul_precision", "bfloat16")


def network(key, widths):
    keys = jax.random.split(key, 3)
    return [
        (jax.random.uniform(k, (i, o), minval=-1, maxval=1) / i**0.5, jnp.zeros(o))
        for k, i, o in zip(keys, widths, widths[1:])
    ]


def forward(net, x):
    for w, b in net[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = net[-1]
    return x @ w + b


def q_values(critics, obs, act):
    x = jnp.concatenate([obs, act], 1)
    return jnp.stack([forward(critic, x)[:, 0] for critic in critics])


def draw(policy, obs, key):
    mean, log_std = jnp.split(forward(policy, obs), 2, axis=1)
    log_std = jnp.clip(log_std, -20, 2)
    noise = jax.random.normal(key, mean.shape)
    x = mean + jnp.exp(log_std) * noise
    log_det = 2 * (0.6931471805599453 - x - jax.nn.softplus(-2 * x))
    logp = (-0.5 * noise**2 - log_std - 0.9189385332046727 - log_det).sum(1)
    return jnp.tanh(x), logp


def adam(params, grads, first, second, t):
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
    fix1, fix2 = 1 - 0.9**t, 1 - 0.999**t

    def step(p, m, v):
        return p - RATE * (m / fix1) / (jnp.sqrt(v / fix2) + 1e-8)

    return jax.tree.map(step, params, first, second), first, second


def update(data, state, _):
    params, targets, first, second, t, key = state
    policy, critics, log_alpha = params
    key, rows_key, next_key, act_key = jax.random.split(key, 4)
    rows = data[jax.random.randint(rows_key, (B,), 0, ROWS)]
    obs, next_obs, act = rows[:, :O], rows[:, O : 2 * O], rows[:, 2 * O : 2 * O + A]
    rew, ended = rows[:, -2], rows[:, -1]
    alpha = jnp.exp(log_alpha)
    next_act, next_logp = draw(policy, next_obs, next_key)
    next_q = q_values(targets, next_obs, next_act).min(0) - alpha * next_logp
    target_q = jax.lax.stop_gradient(rew + (1 - ended) * GAMMA * next_q)

    def critic_loss(critics):
        return 0.5 * ((q_values(critics, obs, act) - target_q) ** 2).mean(1).sum()

    def policy_loss(policy):
        drawn, logp = draw(policy, obs, act_key)
        return (alpha * logp - q_values(critics, obs, drawn).min(0)).mean(), logp.mean()

    d_policy, logp = jax.grad(policy_loss, has_aux=True)(policy)
    grads = (d_policy, jax.grad(critic_loss)(critics), -(logp - 1))
    params, first, second = adam(params, grads, first, second, t + 1)
    targets = jax.tree.map(lambda x, y: x + TAU * (y - x), targets, params[1])
    return (params, targets, first, second, t + 1, key), None


@partial(jax.jit, donate_argnums=0)
def updates(state, data):
    return jax.lax.scan(lambda s, x: update(data, s, x), state, None, length=UPDATES)[0]


key = jax.random.PRNGKey(0)
keys = jax.random.split(key, 4)
critics = [network(k, critic_widths(args)) for k in keys[1:3]]
params = (network(keys[0], policy_widths(args)), critics, jnp.zeros(()))

def zeros():
    return jax.tree.map(jnp.zeros_like, params)


# each array of its own: a call writes its results where its arguments were
state = (params, jax.tree.map(jnp.copy, critics), zeros(), zeros(), jnp.zeros(()), key)
data = jax.random.normal(keys[3], (ROWS, 2 * O + A + 2)).at[:, -1].set(0.0)


def run():
    global state
    state = jax.block_until_ready(updates(state, data))


measure("JAX", args, run, UPDATES)
