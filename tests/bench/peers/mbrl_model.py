"""What the scripts for mbrl-lib share: its ensemble, and transitions as its MBPO stores them."""

from __future__ import annotations

import argparse

from timing import ELITES, MEMBERS  # first: it sets the number of threads

import mbrl.models
import mbrl.types
import numpy as np
import torch


def make_model(args: argparse.Namespace) -> mbrl.models.OneDTransitionRewardModel:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    networks = mbrl.models.GaussianMLP(
        args.obs + args.act,
        args.obs + 1,
        "cpu",
        num_layers=4,
        ensemble_size=MEMBERS,
        hid_size=args.model_hidden,
        propagation_method="random_model",
        activation_fn_cfg={"_target_": "torch.nn.SiLU"},
    )
    networks.set_elite(list(range(ELITES)))
    return mbrl.models.OneDTransitionRewardModel(
        networks,
        target_is_delta=True,
        normalize=True,
        normalize_double_precision=True,
        learned_rewards=True,
        num_elites=ELITES,
    )


def make_transitions(args: argparse.Namespace, rows: int) -> mbrl.types.TransitionBatch:
    """In double precision, as its configuration of MBPO has them."""
    rng = np.random.default_rng(0)
    never = np.zeros(rows, bool)
    return mbrl.types.TransitionBatch(
        rng.standard_normal((rows, args.obs)),
        rng.uniform(-1, 1, (rows, args.act)),
        rng.standard_normal((rows, args.obs)),
        rng.standard_normal(rows),
        never,
        never,
    )
