"""Gradient steps of seven dynamics models in mbrl-lib (PyTorch): its model, trainer and batches."""

from timing import MEMBERS, MODEL_RATE, arguments, measure  # first: it sets the number of threads

import mbrl.models
from mbrl.util.replay_buffer import BootstrapIterator
from mbrl_model import make_model, make_transitions

STEPS = 5  # of one call, which is an epoch

args = arguments()
model = make_model(args)
transitions = make_transitions(args, STEPS * args.batch)
model.update_normalizer(transitions)
trainer = mbrl.models.ModelTrainer(model, optim_lr=MODEL_RATE, weight_decay=1e-5)
batches = BootstrapIterator(transitions, args.batch, MEMBERS, shuffle_each_epoch=True)


def run() -> None:
    trainer.train(batches, num_epochs=1, evaluate=False, silent=True)


measure("mbrl-lib", args, run, STEPS)
