// verb_play.c - autombpo play: rolls out a trained policy, or random actions.
//
// Arguments decide who acts (PlayActor) and what is kept; play.c plays, play_policy.c reads the
// policy, play_states.c and movie.c keep. A policy brings its task; another one may be named if its
// sizes fit. If the task is code (a plugin), it must be named: a data file must not have code
// loaded.
//
// Everything is opened before the first episode (files, renderer, encoder), so that a mistake costs
// no time. Frames are chosen by the task's own time step, so that a video runs at the robot's
// speed.
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run/assets.h"
#include "cli/play.h"
#include "cli/verbs.h"
#include "store/json.h"

#define MAX_PIXELS 4096
#define PACE 30.0  // frames per second that --every aims at if it is not given

static const char USAGE[] =
    "usage: autombpo play [options] RUN|EPISODE.h5\n"
    "       autombpo play [options] --random|--zero --task TASK\n\n"
    "Plays episodes with the policy of a sealed hyper-episode\n"
    "(RUN/episodes/NNNNNN.h5; of a run directory the one with the largest mean\n"
    "evaluation return), or with uniformly random or zero actions; prints returns.\n\n"
    "  --task TASK      another task than the policy's own (autombpo env list)\n"
    "  --episodes N     default 10\n"
    "  --steps N        longest episode; default: the task's time limit\n"
    "  --seed S         of start states and random actions; default 0\n"
    "  --stochastic     draw the policy's actions instead of taking their means\n"
    "  --json           one JSON object instead of text\n"
    "  --states FILE    write states, actions and rewards (HDF5; an input for 'env\n"
    "                   replay')\n"
    "  --frames DIR     write pictures DIR/frame-NNNNNN.png\n"
    "  --video FILE     write a video with the program ffmpeg, e.g. FILE.mp4\n"
    "  --size WxH       pixels; default 640x480\n"
    "  --every N        steps from frame to frame; default: about 30 frames a second\n"
    "  --camera NAME    of the model; default 'track'\n"
    "  --assets DIR     directory of the MJCF files\n\n"
    "Pictures need no display. MUJOCO_GL=egl or osmesa chooses how they are drawn.\n";

typedef struct {
  const char* policy;
  const char* task;
  const char* states;
  const char* frames;
  const char* video;
  const char* camera;
  const char* assets;
  PlayActor actor;
  int64_t episodes, steps, seed, every;
  int width, height;
  bool stochastic, json, help;
} Arguments;

static int usage_error(const char* text) {
  fprintf(stderr, "autombpo play: %s\n%s", text, USAGE);
  return EXIT_USAGE;
}

static int fail(const char* text) {
  fprintf(stderr, "autombpo play: %s\n", text);
  return EXIT_FAILED;
}

static bool parse_number(int64_t* value, const char* name, int64_t low, int64_t high) {
  char* end;
  errno = 0;
  *value = strtoll(optarg, &end, 10);
  if (errno == 0 && *optarg && !*end && low <= *value && *value <= high) {
    return true;
  }
  fprintf(stderr, "autombpo play: --%s is '%s', expected a number from %lld to %lld\n", name,
          optarg, (long long)low, (long long)high);
  return false;
}

static bool parse_size(Arguments* arguments) {
  char rest;
  int read = sscanf(optarg, "%dx%d%c", &arguments->width, &arguments->height, &rest);
  if (read == 2 && arguments->width >= 16 && arguments->height >= 16 &&
      arguments->width <= MAX_PIXELS && arguments->height <= MAX_PIXELS) {
    return true;
  }
  fprintf(stderr, "autombpo play: --size is '%s', expected WIDTHxHEIGHT from 16x16 to %dx%d\n",
          optarg, MAX_PIXELS, MAX_PIXELS);
  return false;
}

static bool take_number(Arguments* arguments, int option) {
  switch (option) {
    case 'n':
      return parse_number(&arguments->episodes, "episodes", 1, 1000000);
    case 's':
      return parse_number(&arguments->steps, "steps", 1, 1000000);
    case 'S':
      return parse_number(&arguments->seed, "seed", 0, INT64_MAX);
    case 'e':
      return parse_number(&arguments->every, "every", 1, 1000000);
    case 'W':
      return parse_size(arguments);
    default:
      fputs(USAGE, stderr);
      return false;
  }
}

// Options with a text.
static const char** text_of(Arguments* arguments, int option) {
  switch (option) {
    case 't':
      return &arguments->task;
    case 'o':
      return &arguments->states;
    case 'f':
      return &arguments->frames;
    case 'v':
      return &arguments->video;
    case 'c':
      return &arguments->camera;
    case 'a':
      return &arguments->assets;
    default:
      return NULL;
  }
}

static bool take_flag(Arguments* arguments, int option) {
  switch (option) {
    case 'r':
      arguments->actor = PLAY_RANDOM;
      return true;
    case 'z':
      arguments->actor = PLAY_ZERO;
      return true;
    case 'd':
      arguments->stochastic = true;
      return true;
    case 'j':
      arguments->json = true;
      return true;
    case 'h':
      arguments->help = true;
      return true;
    default:
      return false;
  }
}

// False: wrong usage, already reported.
static bool parse(Arguments* arguments, int argc, char** argv) {
  static const struct option options[] = {
      {"task", required_argument, NULL, 't'},   {"states", required_argument, NULL, 'o'},
      {"frames", required_argument, NULL, 'f'}, {"video", required_argument, NULL, 'v'},
      {"camera", required_argument, NULL, 'c'}, {"assets", required_argument, NULL, 'a'},
      {"random", no_argument, NULL, 'r'},       {"zero", no_argument, NULL, 'z'},
      {"stochastic", no_argument, NULL, 'd'},   {"json", no_argument, NULL, 'j'},
      {"help", no_argument, NULL, 'h'},         {"episodes", required_argument, NULL, 'n'},
      {"steps", required_argument, NULL, 's'},  {"seed", required_argument, NULL, 'S'},
      {"every", required_argument, NULL, 'e'},  {"size", required_argument, NULL, 'W'},
      {0},
  };
  optind = 0;
  for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    const char** text = text_of(arguments, c);
    if (text) {
      *text = optarg;
    } else if (!take_flag(arguments, c) && !take_number(arguments, c)) {
      return false;
    }
  }
  return true;
}

static void print_text(const PlayEpisode* episodes, int count, double mean, double deviation) {
  for (int i = 0; i < count; i++) {
    const PlayEpisode* e = &episodes[i];
    printf("episode %d: return %.6g, %d steps, %s\n", i, e->total, e->length,
           e->diverged ? "diverged" : e->terminated ? "terminated" : "truncated");
  }
  printf("mean return %.6g, deviation %.6g, over %d episodes\n", mean, deviation, count);
}

static void print_json(const PlayEpisode* episodes, int count, double mean, double deviation,
                       const Arguments* arguments, const EnvSpec* spec, Arena* arena) {
  Text text;
  Json json;
  text_init(&text, arena);
  json_init(&json, &text);
  json_begin_object(&json, NULL);
  json_text(&json, "task", spec->id);
  json_text(&json, "engine", spec->engine);
  json_text(&json, "policy", arguments->policy);
  json_integer(&json, "seed", arguments->seed);
  json_number(&json, "return_mean", mean);
  json_number(&json, "return_std", deviation);
  json_begin_array(&json, "episodes");
  for (int i = 0; i < count; i++) {
    json_begin_object(&json, NULL);
    json_number(&json, "return", episodes[i].total);
    json_integer(&json, "steps", episodes[i].length);
    json_bool(&json, "terminated", episodes[i].terminated);
    json_bool(&json, "diverged", episodes[i].diverged);
    json_end(&json);
  }
  json_end(&json);
  json_end(&json);
  puts(text.bytes);
}

// Mean and deviation (which divides by the count) of the returns.
static void print(const PlayEpisode* episodes, int count, const Arguments* arguments,
                  const EnvSpec* spec, Arena* arena) {
  double mean = 0, square = 0;
  for (int i = 0; i < count; i++) {
    mean += episodes[i].total / count;
  }
  for (int i = 0; i < count; i++) {
    square += (episodes[i].total - mean) * (episodes[i].total - mean) / count;
  }
  if (arguments->json) {
    print_json(episodes, count, mean, sqrt(square), arguments, spec, arena);
  } else {
    print_text(episodes, count, mean, sqrt(square));
  }
}

// Opens what pictures need; play->renderer stays NULL without --frames and --video.
static bool open_pictures(Play* play, Movie* movie, const Arguments* arguments, Arena* arena,
                          Error* error) {
  const EnvSpec* spec = &play->env->spec;
  if (!arguments->frames && !arguments->video) {
    return true;
  }
  if (!spec->model) {
    return error_set(error, "task %s has no model to draw", spec->id);
  }
  if (arguments->video && (arguments->width % 2 || arguments->height % 2)) {
    return error_set(error, "a video of %d x %d pixels: both must be even", arguments->width,
                     arguments->height);
  }
  double usual = fmax(1, round(1 / (PACE * spec->step_seconds)));
  play->every = arguments->every ? (int)arguments->every : (int)usual;
  play->movie = movie;
  play->rgb = ARENA_NEW(arena, 3 * arguments->width * arguments->height, uint8_t);
  RenderOptions options = {arguments->width, arguments->height, arguments->camera};
  if (!movie_open(movie, arguments->frames, arguments->video, arguments->width, arguments->height,
                  1 / (play->every * spec->step_seconds), error)) {
    return false;
  }
  if (!renderer_open(&play->renderer, spec->model, &options, arena, error)) {
    Error ignored;
    movie_close(movie, &ignored);
    return false;
  }
  return true;
}

static bool close_pictures(Play* play, bool ok, Error* error) {
  if (!play->renderer) {
    return ok;
  }
  Error ignored;
  renderer_close(play->renderer);
  return movie_close(play->movie, ok ? error : &ignored) && ok;
}

static bool play_all(Play* play, const Arguments* arguments, Arena* arena, Error* error) {
  int count = (int)arguments->episodes;
  PlayEpisode* episodes = ARENA_NEW(arena, count, PlayEpisode);
  for (int i = 0; i < count; i++) {
    if (!play_episode(&episodes[i], play, i, arena, error)) {
      return false;
    }
  }
  if (play->states && !play_states_write(play->states, arguments->states, play->env, error)) {
    return false;
  }
  print(episodes, count, arguments, &play->env->spec, arena);
  return true;
}

static bool play_env(Env* env, PlayPolicy* policy, const Arguments* arguments, Arena* arena,
                     Error* error) {
  PlayStates states;
  Movie movie;
  Play play = {
      .env = env,
      .policy = policy,
      .limit = arguments->steps ? (int)arguments->steps : env->spec.time_limit,
      .seed = (uint64_t)arguments->seed,
  };
  if ((arguments->states && !files_check_output(arguments->states, error)) ||
      !open_pictures(&play, &movie, arguments, arena, error)) {
    return false;
  }
  if (arguments->states) {
    play.states = &states;
    play_states_init(&states, env, (int)arguments->episodes, play.limit);
  }
  bool ok = play_all(&play, arguments, arena, error);
  if (arguments->states) {
    play_states_free(&states, env, (int)arguments->episodes, play.limit);
  }
  return close_pictures(&play, ok, error);
}

static bool check_policy(const PlayPolicy* policy, const Env* env, const char* path,
                         Error* error) {
  const EnvSpec* spec = &env->spec;
  const Sac* sac = &policy->sac;
  if (sac->obs_size != spec->obs_size || sac->act_size != spec->act_size) {
    return error_set(error, "%s: a policy of %s with %d observations and %d actions, but %s has %d "
                     "and %d", path, policy->task, sac->obs_size, sac->act_size, spec->id,
                     spec->obs_size, spec->act_size);
  }
  if (strcmp(policy->engine, spec->engine) != 0) {
    fprintf(stderr, "autombpo play: note: trained with %s, played with %s\n", policy->engine,
            spec->engine);
  }
  return true;
}

// Of a run directory, the file of its best hyper-episode.
static bool choose_file(Arguments* arguments, Arena* arena, Error* error) {
  struct stat info;
  PlayBest best;
  if (stat(arguments->policy, &info) != 0 || !S_ISDIR(info.st_mode)) {
    return true;
  }
  if (!play_find_best(&best, arguments->policy, arena, error)) {
    return false;
  }
  fprintf(stderr,
          "autombpo play: %s: the best of %d hyper-episodes (%d diverged), mean evaluation return "
          "%.6g\n",
          best.path, best.hyper_episodes, best.diverged, best.score);
  arguments->policy = best.path;
  return true;
}

// A data file must not have code loaded.
static bool names_code(const char* task) { return strncmp(task, "plugin:", 7) == 0; }

static int run(Arguments* arguments, Arena* arena) {
  Error error = {0};
  PlayPolicy policy = {.kind = arguments->actor, .stochastic = arguments->stochastic};
  if (!arguments->assets && !(arguments->assets = assets_find(arena, &error))) {
    return fail(error.text);
  }
  if (policy.kind == PLAY_POLICY && !choose_file(arguments, arena, &error)) {
    return fail(error.text);
  }
  if (policy.kind == PLAY_POLICY && !play_policy_read(&policy, arguments->policy, arena, &error)) {
    return fail(error.text);
  }
  if (!arguments->task && names_code(policy.task)) {
    error_set(&error, "%s: its task is code of your own; say that it may be loaded: --task %s",
              arguments->policy, policy.task);
    return fail(error.text);
  }
  const char* task = arguments->task ? arguments->task : policy.task;
  Env env;
  if (!env_open(&env, task, arguments->assets, arena, &error)) {
    fail(error.text);
    return verb_refusal(&error);
  }
  bool ok = (policy.kind != PLAY_POLICY || check_policy(&policy, &env, arguments->policy, &error))
            && play_env(&env, &policy, arguments, arena, &error);
  env_close(&env);
  return ok ? EXIT_SUCCESS : fail(error.text);
}

int verb_play(int argc, char** argv) {
  Arguments arguments = {.episodes = 10, .width = 640, .height = 480};
  if (!parse(&arguments, argc, argv)) {
    return EXIT_USAGE;
  }
  if (arguments.help) {
    fputs(USAGE, stdout);
    return EXIT_SUCCESS;
  }
  bool trained = arguments.actor == PLAY_POLICY;
  if (argc - optind != (trained ? 1 : 0)) {
    return usage_error(trained ? "expected a run or the file of a hyper-episode, --random or --zero"
                               : "--random and --zero take no file");
  }
  if (!trained && !arguments.task) {
    return usage_error("--random and --zero need --task");
  }
  arguments.policy = trained ? argv[optind] : NULL;
  int code = trained ? verb_check_run("play", arguments.policy) : -1;
  if (code >= 0) {
    return code;
  }
  Arena arena;
  arena_init(&arena);
  code = run(&arguments, &arena);
  arena_free(&arena);
  return code;
}
