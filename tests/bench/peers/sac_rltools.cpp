// sac_rltools - SAC gradient updates of RLtools, whose sizes are fixed when it is compiled
// (sac_rltools.py does that): its own functions, in the order of its own loop.
//
// usage: sac_rltools REPEATS SECONDS; prints one line of JSON.
#define RL_TOOLS_NN_DISABLE_GENERIC_FORWARD_BACKWARD  // that of the BLAS instead
#include <rl_tools/operations/cpu_mux.h>
// in this order
// clang-format off
#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn/layers/sample_and_squash/operations_generic.h>
#include <rl_tools/rl/environments/environments.h>
#include <rl_tools/rl/environments/operations_generic.h>
// clang-format on

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

// A task that only has sizes; the buffer is filled without it.
namespace rl_tools::rl::environments {
template <typename TI>
struct SizesObservation {
  static constexpr TI DIM = PEER_OBS;
};
template <typename T_T, typename T_TI>
struct Sizes : Environment<T_T, T_TI> {
  using T = T_T;
  using TI = T_TI;
  struct State {};
  struct Parameters {};
  using Observation = SizesObservation<TI>;
  using ObservationPrivileged = Observation;
  static constexpr TI ACTION_DIM = PEER_ACT;
  static constexpr TI EPISODE_STEP_LIMIT = 1000;
};
}  // namespace rl_tools::rl::environments

namespace rl_tools {
template <typename DEVICE, typename T, typename TI>
void malloc(DEVICE&, rl::environments::Sizes<T, TI>&) {}
template <typename DEVICE, typename T, typename TI>
void init(DEVICE&, rl::environments::Sizes<T, TI>&) {}
template <typename DEVICE, typename T, typename TI, typename PARAMETERS>
void initial_parameters(DEVICE&, rl::environments::Sizes<T, TI>&, PARAMETERS&) {}
}  // namespace rl_tools

// in this order
// clang-format off
#include <rl_tools/nn_models/mlp/operations_generic.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>
#include <rl_tools/nn_models/random_uniform/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>
#include <rl_tools/rl/algorithms/sac/loop/core/config.h>
#include <rl_tools/rl/algorithms/sac/loop/core/operations_generic.h>
// clang-format on

namespace rlt = rl_tools;
using Policy = rlt::numeric_types::Policy<float>;
using Device = rlt::devices::DEVICE_FACTORY<>;
using Random = Device::SPEC::RANDOM::ENGINE<>;
using Index = Device::index_t;
using Task = rlt::rl::environments::Sizes<float, Index>;

struct Parameters : rlt::rl::algorithms::sac::loop::core::DefaultParameters<Policy, Index, Task> {
  struct SAC_PARAMETERS
      : rlt::rl::algorithms::sac::DefaultParameters<Policy, Index, Task::ACTION_DIM> {
    static constexpr Index ACTOR_BATCH_SIZE = PEER_BATCH;
    static constexpr Index CRITIC_BATCH_SIZE = PEER_BATCH;
  };
  static constexpr Index REPLAY_BUFFER_CAP = 100000;
  static constexpr Index ACTOR_HIDDEN_DIM = PEER_HIDDEN;  // of two layers
  static constexpr Index CRITIC_HIDDEN_DIM = PEER_HIDDEN;
};
using Config =
    rlt::rl::algorithms::sac::loop::core::Config<Policy, Index, Random, Task, Parameters>;

static Device device;
static Config::State<Config> state;

static void fill_buffer() {
  auto& buffer = rlt::get(state.off_policy_runner.replay_buffers, 0, 0);
  rlt::randn(device, buffer.data, state.rng);
  rlt::set_all(device, buffer.terminated, 0);
  rlt::set_all(device, buffer.truncated, 0);
  buffer.full = true;
}

static void update() {
  auto& s = state;
  rlt::gather_batch(device, s.off_policy_runner, s.critic_batch, s.rng);
  rlt::randn(device, s.action_noise_critic, s.rng);
  for (int c = 0; c < 2; c++) {
    rlt::train_critic(device, s.actor_critic, s.actor_critic.critics[c], s.critic_batch,
                      s.actor_critic.critic_optimizers[c], s.actor_target_buffers[c],
                      s.critic_buffers[c], s.critic_target_buffers[c],
                      s.critic_training_buffers[c], s.action_noise_critic, s.rng);
  }
  rlt::update_critic_targets(device, s.actor_critic);
  rlt::randn(device, s.action_noise_actor, s.rng);
  rlt::train_actor(device, s.actor_critic, s.critic_batch, s.actor_critic.actor_optimizer,
                   s.actor_buffers[0], s.critic_buffers[0], s.actor_training_buffers,
                   s.action_noise_actor, s.rng);
}

static double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

static double rate(double length) {
  int calls = 0;
  double start = seconds();
  while (calls == 0 || seconds() - start < length) {
    update();
    calls++;
  }
  return calls / (seconds() - start);
}

int main(int count, char** values) {
  if (count != 3) {
    std::fputs("usage: sac_rltools REPEATS SECONDS\n", stderr);
    return 2;
  }
  rlt::init(device);
  rlt::malloc(device, state);
  rlt::init(device, state, 1);
  fill_buffer();
  for (int i = 0; i < 5; i++) {
    update();
  }
  std::vector<double> rates(std::max(1, std::atoi(values[1])));
  for (double& r : rates) {
    r = rate(std::atof(values[2]));
  }
  std::sort(rates.begin(), rates.end());
  size_t n = rates.size();
  double median = (rates[(n - 1) / 2] + rates[n / 2]) / 2;
  float q = rlt::get(device, rlt::output(device, state.actor_critic.critics[0]), 0, 0, 0);
  std::printf("{\"peer\": \"RLtools, " PEER_BLAS
              "\", \"precision\": \"float32\", \"value\": %.6g, "
              "\"spread\": %.3g, \"repeats\": %d}\n",
              median, (rates[n - 1] - rates[0]) / median, static_cast<int>(n));
  return std::isfinite(q) ? 0 : 1;
}
