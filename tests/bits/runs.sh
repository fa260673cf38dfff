# shellcheck shell=bash disable=SC2034,SC2154
# runs.sh - sourced with $source_dir: arguments of the runs whose sealed files are compared.

# MBPO under a controller that learns
tiny=("$source_dir/tests/mpi/tiny.yaml")
# the published sizes of networks, few steps
hopper=("$source_dir/configs/hopper.yaml" scheduler.kind=fixed scheduler.hyper_episodes=1 hyper.train_epochs=1
  hyper.apply_epochs=1 hyper.decision_interval=20 hyper.rollouts=400 mbpo.epoch_length=40
  mbpo.exploration_steps=30 mbpo.min_pool=30 mbpo.policy_updates=2 mbpo.train_interval=20
  mbpo.rollout_interval=20 mbpo.rollouts=400 mbpo.rollout_schedule='[0,1,1,2]' mbpo.evaluation_episodes=1 model.max_epochs=2)
# physics that no fall ends: contacts blow up what two versions of a sine differ by
cheetah=("$source_dir/configs/half-cheetah.yaml" scheduler.kind=fixed scheduler.hyper_episodes=1 hyper.train_epochs=1
  hyper.apply_epochs=1 hyper.decision_interval=600 hyper.critic_loss_batch=100 mbpo.epoch_length=600
  mbpo.exploration_steps=590 mbpo.min_pool=500 mbpo.real_ratio=1 mbpo.policy_updates=1
  mbpo.evaluation_episodes=1 sac.hidden_size=32 sac.batch_size=32)
