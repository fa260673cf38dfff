"""The hyper-MDP as a Gymnasium environment: needs gymnasium and the program (AUTOMBPO)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")
PROGRAM = os.environ.get("AUTOMBPO", "autombpo")
if not shutil.which(PROGRAM):
    pytest.skip("no autombpo: AUTOMBPO=build/autombpo names it", allow_module_level=True)

from autombpo import HyperEnv  # noqa: E402

TINY = Path(__file__).parents[2] / "tests/mpi/tiny.yaml"
ARGUMENTS = (TINY, "mbpo.exploration_steps=60", "hyper.apply_epochs=2", "log.transitions=false")


@pytest.fixture()
def env():
    made = HyperEnv(*ARGUMENTS, program=PROGRAM)
    yield made
    made.close()


def play(env, policy):
    """Rewards and the last info of an episode."""
    observation, _ = env.reset(seed=3)
    rewards, ended, info = [], False, {}
    while not ended:
        assert env.observation_space.contains(observation)
        observation, reward, ended, truncated, info = env.step(policy(observation))
        assert not truncated
        rewards.append(reward)
    return rewards, info


@pytest.mark.parametrize("actions", ["choices", "values"])
def test_it_is_a_gymnasium_environment(actions):
    from gymnasium.utils.env_checker import check_env

    env = HyperEnv(*ARGUMENTS, program=PROGRAM, actions=actions)
    check_env(env, skip_render_check=True)
    env.close()


def test_an_episode_is_a_hyper_episode_with_the_same_rewards(env, tmp_path):
    from autombpo_analysis import load

    env.root = tmp_path
    rewards, info = play(env, lambda _: [1, 2, 1, 1])
    episode = load(info["run"])[0].episodes[0]
    assert len(rewards) == env.describe()["cutoff"] == 6
    assert rewards == episode.decisions["reward"].tolist()
    assert info["score"] == episode.score and not info["diverged"]
    assert episode.decisions["action"].tolist() == [[1, 2, 1, 1]] * 6


def test_the_same_seed_and_actions_are_the_same_episode(env):
    first, _ = play(env, lambda _: [1, 1, 1, 1])
    again, _ = play(env, lambda _: [1, 1, 1, 1])
    other, _ = play(env, lambda _: [0, 0, 2, 1])
    assert first == again and first != other


def test_values_are_within_the_bounds():
    env = HyperEnv(*ARGUMENTS, "hyper.real_ratio_min=0.05", program=PROGRAM, actions="values")
    env.reset(seed=0)
    _, _, _, _, info = env.step(np.array([-1, 1, 1, -1], np.float32))
    assert info["hyperparameters"] == {"real_ratio": 1, "policy_updates": 4, "rollout_length": 1}
    _, _, _, _, info = env.step(np.array([1, -1, -1, 1], np.float32))
    assert info["hyperparameters"] == {"real_ratio": 0.05, "policy_updates": 1, "rollout_length": 3}
    env.close()


def test_several_run_at_once(tmp_path):
    make = [lambda: HyperEnv(*ARGUMENTS, program=PROGRAM, root=tmp_path)] * 2
    envs = gymnasium.vector.AsyncVectorEnv(make)
    observations, _ = envs.reset(seed=[1, 2])
    assert observations.shape == (2, 8) and not np.array_equal(*observations)
    for _ in range(6):
        _, rewards, ended, _, _ = envs.step(np.ones((2, 4), int))
    assert ended.all() and rewards.shape == (2,)
    envs.close()
    assert len(list(tmp_path.glob("*/COMPLETE"))) == 2


def test_what_the_program_refuses_is_said():
    with pytest.raises(RuntimeError, match="mbpo.nonsense"):
        HyperEnv(TINY, "mbpo.nonsense=1", program=PROGRAM)


def test_an_action_beyond_a_bound_keeps_where_it_is_masked():
    env = HyperEnv(*ARGUMENTS, "ppo.at_bounds=mask", program=PROGRAM)
    env.reset(seed=0)
    assert env.action_masks().tolist() == [True] * 2 + [True] * 3 + [True] * 3 + [False, True, True]
    _, _, _, _, info = env.step([0, 1, 1, 0])
    assert info["hyperparameters"]["rollout_length"] == 1
    env.close()
