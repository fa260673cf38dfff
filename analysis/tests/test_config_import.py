"""Configurations of other programs: each entry becomes an option, or is said; nothing is executed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from autombpo_analysis import config_cli
from autombpo_analysis.config_import import ImportProblem, convert
from autombpo_analysis.config_sources import PROGRAMS

pytest.importorskip("yaml")
OWN = os.environ.get("AUTOMBPO")
TASKS = ["hopper-v4", "hopper-v5", "half-cheetah-v4", "humanoid-truncated", "hopper-bullet", "pendulum-v1"]

# The files of the authors, shortened only where a member repeats another kind.
HOPPER = """params = {
    'type': 'MBPO',
    'universe': 'gym',
    'domain': 'Hopper',
    'task': 'v2',

    'log_dir': '~/ray_mbpo/',
    'exp_name': 'defaults',

    'kwargs': {
        'epoch_length': 1000,
        'train_every_n_steps': 1,
        'n_train_repeat': 20,
        'eval_render_mode': None,
        'eval_n_episodes': 10,
        'eval_deterministic': True,

        'discount': 0.99,
        'tau': 5e-3,
        'reward_scale': 1.0,

        'model_train_freq': 250,
        'model_retain_epochs': 1,
        'rollout_batch_size': 100e3,
        'deterministic': False,
        'num_networks': 7,
        'num_elites': 5,
        'real_ratio': 0.05,
        'target_entropy': -1,
        'max_model_t': None,
        'rollout_schedule': [20, 150, 1, 15],
    }
}
"""
MBRL = """# @package _group_
env: "gym___Hopper-v4"
term_fn: "hopper"

num_steps: 125000
epoch_length: 1000
patience: 5
model_lr: 0.001
model_wd: 5e-5
freq_train_model: 250
effective_model_rollouts_per_step: 400
rollout_schedule: [20, 150, 1, 15]
num_sac_updates_per_step: 40
sac_updates_every_steps: 1
sac_gamma: 0.99
sac_alpha: 0.2
sac_target_update_interval: 4
sac_automatic_entropy_tuning: false
sac_target_entropy: 1 # ignored, since entropy tuning is false
sac_hidden_size: 512
"""
MBRL_ALGORITHM = """name: "mbpo"
freq_train_model: ${overrides.freq_train_model}
real_data_ratio: 0.3
sac_samples_action: false
random_initial_explore: true
"""
ZOO = """default:
  policy: 'MlpPolicy'
HalfCheetahBulletEnv-v0: &pybullet
  n_timesteps: !!float 1e6
  policy: 'MlpPolicy'
  learning_rate: !!float 7.3e-4
  ent_coef: 'auto_0.1'
  gamma: 0.98
  train_freq: 8
  gradient_steps: 16
  learning_starts: 10000
  use_sde: True
  policy_kwargs: "dict(log_std_init=-3, net_arch=dict(pi=[400, 300], qf=[64]))"
HopperBulletEnv-v0:
  <<: *pybullet
  learning_rate: lin_7.3e-4
  ent_coef: 0.005
"""


def imported(tmp_path: Path, kind: str, text: str, env: str | None = None):
    path = tmp_path / "overrides" / "file"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    program = PROGRAMS[kind]
    work = convert(program, program.read(path, env), TASKS)
    return {key: value for key, (value, _) in work.options.items()}, [
        (entry.key, re.sub(".*:", "", entry.place)) for entry, _ in work.remarks
    ]


def test_the_authors_hopper_is_our_hopper(tmp_path: Path):
    options, remarks = imported(tmp_path, "mbpo", HOPPER)
    assert remarks == [("domain", "4")]  # v2, of an older engine
    assert options["env.id"] == "hopper-v4"
    if not OWN:
        pytest.skip("no program")
    source, out = tmp_path / "hopper.py", tmp_path / "out.yaml"
    source.write_text(HOPPER)
    assert config_cli.main(["mbpo", str(source), "-o", str(out)]) == 0
    whole = tmp_path / "ours.yaml"
    shown = [OWN, "config", "show", "-o", whole, "hopper.yaml", "methods/mbpo.yaml"]
    subprocess.run(shown, check=True)
    done = subprocess.run([OWN, "config", "diff", whole, out], capture_output=True, text=True)
    ours = {line.split(":")[0] for line in done.stdout.splitlines()}
    # what a controller needs, and how long a run is, is not in the file; all else is the same
    assert {key for key in ours if not key.startswith(("hyper.", "ppo."))} == set()


def test_each_entry_of_mbrl_lib_is_an_option_or_is_said(tmp_path: Path):
    (tmp_path / "algorithm").mkdir()
    (tmp_path / "algorithm" / "mbpo.yaml").write_text(MBRL_ALGORITHM)
    options, remarks = imported(tmp_path, "mbrl-lib", MBRL)
    assert options["sac.temperature"] == 0.2 and "sac.target_entropy" not in options
    assert options["sac.target_interval"] == 4
    assert options["mbpo.rollouts"] == 100000
    assert options["model.patience"] == 4  # it ends with the fifth, ours after it
    assert options["hyper.apply_epochs"] == options["hyper.train_epochs"] == 125
    assert options["mbpo.mean_actions"] is True
    assert options["mbpo.real_ratio"] == 0.3
    said = [key for key, _ in remarks]
    assert said == ["model_wd", "algorithm.real_data_ratio", "dynamics_model.learn_logvar_bounds"]
    learnt, _ = imported(tmp_path, "mbrl-lib", MBRL.replace("tuning: false", "tuning: true"))
    assert learnt["sac.temperature"] == "auto" and learnt["sac.target_entropy"] == 1


def test_the_first_files_of_mbrl_lib_have_an_option_for_each_key_of_sac(tmp_path: Path):
    shared = MBRL[: MBRL.index("sac_gamma")]
    first = {"sac_critic_lr": 3e-4, "sac_actor_lr": 3e-5, "sac_alpha_lr": 1e-4,
             "sac_critic_target_update_frequency": 4, "sac_actor_update_frequency": 2,
             "sac_target_entropy": -1, "sac_hidden_depth": 3}  # fmt: skip
    text = shared + "".join(f"{key}: {value}\n" for key, value in first.items())
    options, remarks = imported(tmp_path, "mbrl-lib", text)
    assert not [key for key, _ in remarks if key.startswith("sac_")]
    names = ("critic_learning_rate", "policy_learning_rate", "alpha_learning_rate",
             "target_interval", "policy_interval", "target_entropy", "hidden_layers")  # fmt: skip
    assert [options[f"sac.{name}"] for name in names] == list(first.values())
    assert options["sac.temperature"] == "auto"


def test_an_entry_of_the_zoo_with_all_that_it_inherits(tmp_path: Path):
    options, remarks = imported(tmp_path, "sb3", ZOO, "HopperBulletEnv-v0")
    assert options["env.id"] == "hopper-bullet"
    assert options["sac.temperature"] == 0.005 and options["sac.discount"] == 0.98
    assert options["sac.learning_rate"] == 7.3e-4 and options["sac.target_entropy"] == "auto"
    assert options["sac.policy_layers"] == [400, 300] and options["sac.critic_layers"] == [64]
    assert options["mbpo.policy_updates"] == 2 and options["mbpo.real_ratio"] == 1
    assert ("learning_rate", "16") in remarks and ("use_sde", "12") in remarks
    assert ("train_freq", "9") in remarks and ("policy_kwargs.log_std_init", "13") in remarks
    assert len(remarks) == 4
    other, _ = imported(tmp_path, "sb3", ZOO.replace("HalfCheetahBulletEnv-v0", "Hopper-v4"), "Hopper-v4")
    assert other["sac.temperature"] == "auto" and other["sac.initial_alpha"] == 0.1


@pytest.mark.parametrize("kind,text,env", [("mbpo", HOPPER.replace("'tau'", "'tua'"), None),
                                           ("mbrl-lib", MBRL + "tua: 1\n", None),
                                           ("sb3", ZOO.replace("gamma:", "tua:"), "HopperBulletEnv-v0")])
def test_an_unknown_key_is_said(tmp_path: Path, kind: str, text: str, env: str | None):
    _, remarks = imported(tmp_path, kind, text, env)
    assert any(key.endswith("tua") for key, _ in remarks)


@pytest.mark.parametrize("value", ["10 ** 10 ** 10", "1 / 0", "'x' * 99999999999", "int(1e999)", "1" * 400,
                                   "1e999", "[1, 2]", "-" * 5000 + "1", "'\0'", "{[]: 1}", "[{[]: 1}]",
                                   "1 - " * 2000 + "1"],
                         ids=str.__len__)
def test_no_value_of_a_file_breaks_the_import(tmp_path: Path, capsys, value: str):
    file = tmp_path / "hostile.py"
    for key in ("'epoch_length': 1000", "'n_train_repeat': 20", "'tau': 5e-3"):
        assert key in HOPPER
        file.write_text(HOPPER.replace(key, f"{key.split(':')[0]}: {value}"))
        try:
            convert(PROGRAMS["mbpo"], PROGRAMS["mbpo"].read(file, None), TASKS)
        except ImportProblem as problem:
            assert "hostile.py" in str(problem)


def test_a_default_that_a_file_s_value_breaks_is_not_blamed(tmp_path: Path):
    zoo = "HopperBulletEnv-v0:\n  train_freq: often\n"
    with pytest.raises(ImportProblem, match=r"file:2: 'train_freq: often' is no value of this key$"):
        imported(tmp_path, "sb3", zoo, "HopperBulletEnv-v0")
    with pytest.raises(ImportProblem, match="file:3: 'gradient_steps: 4' is .* beside 'train_freq: often'"):
        imported(tmp_path, "sb3", zoo + "  gradient_steps: 4\n", "HopperBulletEnv-v0")


@pytest.mark.parametrize("kind,text", [
    ("mbpo", "params = {'kwargs': {int: 1}}"), ("mbpo", "params = {**params}"),
    ("sb3", "HopperBulletEnv-v0:\n  gamma: !!float ''\n"),
    ("sb3", "HopperBulletEnv-v0:\n  policy_kwargs: 'dict(net_arch=[print])'\n"),
    ("sb3", f"HopperBulletEnv-v0:\n  policy_kwargs: '{'-' * 9999}1'\n"),
])  # fmt: skip
def test_what_no_reader_takes_is_refused_with_its_file(tmp_path: Path, kind: str, text: str):
    with pytest.raises(ImportProblem, match="overrides/file"):
        imported(tmp_path, kind, text, "HopperBulletEnv-v0")


@pytest.mark.parametrize("kind,text,expected", [
    ("mbpo", HOPPER.replace("5e-3", "open('bad', 'w')"), ":19: 'kwargs.tau': 'open"),
    ("mbpo", HOPPER.replace("'v2'", "TODO"), ":5: 'task': 'TODO' is no plain value"),
    ("mbpo", "x = 1", "assigns no dictionary to `params`"),
    ("mbpo", "x = (", "is no Python"),
    ("mbpo", "params = {}", "no 'domain'"),
    ("mbrl-lib", "a: [", "is no YAML"),
    ("mbrl-lib", "- 1", "is no map of options"),
    ("mbrl-lib", "a: 1", "is none of mbrl-lib's"),
    ("mbrl-lib", MBRL.replace("125000", "many"), ":5: 'num_steps: many' is no value of this key"),
    ("mbrl-lib", MBRL.replace("train_model: 250", "train_model: 99999999999").replace("step: 400", "step: x"),
     "'effective_model_rollouts_per_step: x' is no value of this key"),
    ("mbrl-lib", "a: !!python/object/apply:os.system [touch bad]", "is no"),
    ("sb3", ZOO, "--env NAME: HalfCheetahBulletEnv-v0, HopperBulletEnv-v0, default"),
    ("mbpo", HOPPER.replace("0.99", "1.5"), "'sac.discount=1.5': must be in [0, 1]"),
])  # fmt: skip
def test_a_bad_file_is_refused_and_nothing_is_run(tmp_path, monkeypatch, capsys, kind, text, expected):
    if not OWN:
        pytest.skip("no program")
    monkeypatch.chdir(tmp_path)
    Path("file").write_text(text)
    assert config_cli.main([kind, "file", "-o", "out.yaml"]) == 2
    assert expected in capsys.readouterr().err
    assert not Path("bad").exists() and not Path("out.yaml").exists()


def test_the_verb_is_this_program(tmp_path: Path):
    if not OWN:
        pytest.skip("no program")
    (tmp_path / "hopper.py").write_text(HOPPER)
    done = subprocess.run([OWN, "config", "import", "mbpo", "hopper.py", "-o", "out.yaml"], cwd=tmp_path,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "hopper.py:4: 'domain: Hopper' cannot be expressed: " in done.stderr
    assert "discount: 0.99  # hopper.py:18: 'kwargs.discount: 0.99'" in (tmp_path / "out.yaml").read_text()
