// dialogue.c - the lines that are exchanged with a controller outside: hello, questions, answers.
//
// Lines to the controller are built with store/json; lines from it are read as YAML, of which JSON
// is a part, with the same bounds against hostile input and no second parser.
//
// Reading and checking are two calls. dialogue_read takes what is an answer by itself: types,
// names, no head twice; it is also how the log of answers is read. dialogue_check compares it with
// the question: the heads that were asked and no others, choices that are allowed, values within
// their bounds. Each mistake names the field, what it was and what was expected, because it goes
// back to whoever writes the controller.
#include "hyper/dialogue.h"

#include <math.h>
#include <string.h>

#include "base/yaml.h"
#include "store/json.h"

// What is said ------------------------------------------------------------------------------------

typedef struct {
  Text text;
  Json json;
} Line;

static void begin(Line* line, const char* type, Arena* arena) {
  text_init(&line->text, arena);
  json_init(&line->json, &line->text);
  json_begin_object(&line->json, NULL);
  json_text(&line->json, "type", type);
}

static const char* end(Line* line) {
  json_end(&line->json);
  return line->text.bytes;
}

static void bounds(double* low, double* high, HyperHead h, const HyperOptions* o) {
  const double range[HEAD_COUNT][2] = {
      [HEAD_TRAIN_MODEL] = {0, 1},
      [HEAD_REAL_RATIO] = {o->real_ratio_min, o->real_ratio_max},
      [HEAD_POLICY_UPDATES] = {o->policy_updates_min, o->policy_updates_max},
      [HEAD_ROLLOUT_LENGTH] = {o->rollout_length_min, o->rollout_length_max},
  };
  *low = range[h][0];
  *high = range[h][1];
}

static void add_head(Json* json, HyperHead h, const HyperOptions* o) {
  double low, high;
  bounds(&low, &high, h, o);
  json_begin_object(json, head_name(h));
  json_integer(json, "choices", head_choices(h));
  json_number(json, "low", low);
  json_number(json, "high", high);
  json_bool(json, "integer", h != HEAD_REAL_RATIO);
  json_end(json);
}

static void add_heads(Json* json, const Scheduler* s) {
  const HyperOptions* o = &s->spec->hyper;
  json_begin_object(json, "heads");
  for (HyperHead h = 0; h < HEAD_COUNT; h++) {
    if (hyper_schedules(o, h)) {
      add_head(json, h, o);
    }
  }
  json_end(json);
}

static void add_features(Json* json) {
  json_begin_array(json, "features");
  for (HyperFeature f = 0; f < FEATURE_COUNT; f++) {
    json_text(json, NULL, feature_name(f));
  }
  json_end(json);
}

const char* dialogue_hello(const Scheduler* s, Arena* arena) {
  const RunSpec* x = s->spec;
  Line line;
  Json* json = &line.json;
  begin(&line, "hello", arena);
  json_integer(json, "v", DIALOGUE_VERSION);
  json_text(json, "run", s->directory->path);
  json_text(json, "env", x->env);
  json_text(json, "method", x->method);
  json_integer(json, "seed", (int64_t)x->seed);
  json_text(json, "config_hash", x->config_hash);
  json_integer(json, "hyper_episodes", s->plan.hyper_episodes);
  json_integer(json, "epochs", s->plan.epochs);
  json_integer(json, "epoch_length", x->mbpo.epoch_length);
  json_integer(json, "decision_interval", x->hyper.decision_interval);
  json_integer(json, "decisions", hyper_episode_most_decisions(x));
  json_number(json, "reward_scale", x->hyper.reward_scale);
  json_number(json, "feature_min", x->hyper.feature_min);
  add_heads(json, s);
  add_features(json);
  return end(&line);
}

static void add_numbers(Json* json, const char* key, const double* values) {
  json_begin_array(json, key);
  for (int f = 0; f < FEATURE_COUNT; f++) {
    json_number(json, NULL, values[f]);
  }
  json_end(json);
}

static void add_choices(Json* json, HyperHead h, unsigned allowed) {
  json_begin_array(json, head_name(h));
  for (int c = 0; c < head_choices(h); c++) {
    if (allowed >> c & 1) {
      json_integer(json, NULL, c);
    }
  }
  json_end(json);
}

// The reward of the decision before; the first has none.
static void add_reward(Json* json, bool has, double reward) {
  if (has) {
    json_number(json, "reward", reward);
  } else {
    json_null(json, "reward");
  }
}

const char* dialogue_question(const SchedulerRequest* request, Arena* arena) {
  const HyperState* state = request->state;
  Line line;
  Json* json = &line.json;
  begin(&line, "decide", arena);
  json_integer(json, "hyper_episode", request->hyper_episode);
  json_integer(json, "decision", request->decision);
  add_reward(json, request->decision > 0, request->reward);
  add_numbers(json, "state", state->scaled);
  add_numbers(json, "features_raw", state->raw);
  json_begin_object(json, "allowed");
  for (HyperHead h = 0; h < HEAD_COUNT; h++) {
    if (state->allowed[h]) {
      add_choices(json, h, state->allowed[h]);
    }
  }
  json_end(json);
  json_begin_object(json, "hyperparameters");
  for (HyperFeature f = FEATURE_REAL_RATIO; f <= FEATURE_ROLLOUT_LENGTH; f++) {
    json_number(json, feature_name(f), state->raw[f]);
  }
  json_end(json);
  return end(&line);
}

const char* dialogue_sealed(const SchedulerOutcome* outcome, Arena* arena) {
  Line line;
  begin(&line, "sealed", arena);
  json_integer(&line.json, "hyper_episode", outcome->hyper_episode);
  json_number(&line.json, "score", outcome->score);
  json_bool(&line.json, "diverged", outcome->diverged);
  add_reward(&line.json, outcome->decisions > 0, outcome->reward);
  return end(&line);
}

const char* dialogue_error(const char* text, Arena* arena) {
  Line line;
  begin(&line, "error", arena);
  json_text(&line.json, "error", text);
  return end(&line);
}

// Answers -----------------------------------------------------------------------------------------

const char* dialogue_answer(const Answer* answer, Arena* arena) {
  const HyperAction* a = &answer->action;
  Text text;
  Json json;
  text_init(&text, arena);
  json_init(&json, &text);
  json_begin_object(&json, NULL);
  json_integer(&json, "hyper_episode", answer->hyper_episode);
  json_integer(&json, "decision", answer->decision);
  json_begin_object(&json, "choice");
  for (HyperHead h = 0; h < HEAD_COUNT; h++) {
    if (a->choice[h] != ACTION_NONE) {
      json_integer(&json, head_name(h), a->choice[h]);
    }
  }
  json_end(&json);
  json_begin_object(&json, "value");
  for (HyperHead h = 0; h < HEAD_COUNT; h++) {
    if (a->sets[h]) {
      json_number(&json, head_name(h), a->value[h]);
    }
  }
  json_end(&json);
  json_end(&json);
  return text.bytes;
}

static const char* text_of(const YamlNode* node) {
  return node->kind == YAML_MAP ? "{...}" : node->kind == YAML_SEQUENCE ? "[...]" : node->text;
}

// A number that stands there as one, in [low, high]. `name` is what the node is a member of.
static bool read_number(double* value, const YamlNode* node, double low, double high, bool integer,
                        const char* name, Error* error) {
  bool good = node->kind == YAML_SCALAR && !node->quoted && text_read_number(value, node->text) &&
              *value >= low && *value <= high && (!integer || *value == floor(*value));
  return good || error_set(error, "%s: %s is '%.64s', expected %s from %.17g to %.17g", name,
                           node->key, text_of(node), integer ? "an integer" : "a number", low,
                           high);
}

static int find_head(const char* name) {
  int h = HEAD_COUNT - 1;
  while (h >= 0 && strcmp(head_name((HyperHead)h), name) != 0) {
    h--;
  }
  return h;
}

static bool read_head(HyperAction* a, const YamlNode* node, int h, bool chooses, const char* name,
                      Error* error) {
  double number, low = chooses ? 0 : -1e9, high = chooses ? head_choices((HyperHead)h) - 1 : 1e9;
  if (!read_number(&number, node, low, high, chooses, name, error)) {
    return false;
  }
  if (chooses) {
    a->choice[h] = (int8_t)number;
  } else {
    a->sets[h] = true;
    a->value[h] = number;
  }
  return true;
}

// The heads of "choice" or "value"; a head may be in one of them.
static bool read_heads(HyperAction* a, const YamlNode* map, const char* name, Arena* arena,
                       Error* error) {
  bool chooses = strcmp(map->key, "choice") == 0;
  const char* inside = text_format(arena, "%s: %s", name, map->key);
  if (map->kind != YAML_MAP) {
    return error_set(error, "%s: %s is '%.64s', expected an object with a member for each head",
                     name, map->key, map->text);
  }
  for (const YamlNode* node = map->first; node; node = node->next) {
    int h = find_head(node->key);
    if (h < 0 || a->choice[h] != ACTION_NONE || a->sets[h]) {
      return error_set(error, "%s: '%.64s' is not a head, or occurs twice, expected train_model, "
                       "real_ratio, policy_updates, rollout_length", inside, node->key);
    }
    if (!read_head(a, node, h, chooses, inside, error)) {
      return false;
    }
  }
  return true;
}

static bool read_member(Answer* answer, const YamlNode* node, const char* name, Arena* arena,
                        Error* error) {
  double number;
  if (strcmp(node->key, "choice") == 0 || strcmp(node->key, "value") == 0) {
    return read_heads(&answer->action, node, name, arena, error);
  }
  if (strcmp(node->key, "hyper_episode") == 0) {
    bool good = read_number(&number, node, 0, 1e9, true, name, error);
    answer->hyper_episode = good ? (int64_t)number : -1;
    return good;
  }
  if (strcmp(node->key, "decision") == 0) {
    bool good = read_number(&number, node, 0, 1e9, true, name, error);
    answer->decision = good ? (int)number : -1;
    return good;
  }
  return error_set(error, "%s: '%.64s' is unknown, expected hyper_episode, decision, choice, value",
                   name, node->key);
}

bool dialogue_read(Answer* answer, const char* name, const char* line, Arena* arena,
                   Error* error) {
  YamlNode* root;
  Error problem = {0};
  *answer = (Answer){.hyper_episode = -1, .decision = -1};
  hyper_action_none(&answer->action);
  if (!yaml_read(&root, name, line, strlen(line), arena, &problem)) {
    return error_set(error, "%s: '%.80s' is not a JSON object: %.200s", name, line, problem.text);
  }
  if (root->kind != YAML_MAP || line[strspn(line, " ")] != '{') {
    return error_set(error, "%s: '%.80s' is not a JSON object", name, line);
  }
  for (const YamlNode* node = root->first; node; node = node->next) {
    if (!read_member(answer, node, name, arena, error)) {
      return false;
    }
  }
  if (answer->hyper_episode < 0 || answer->decision < 0) {
    return error_set(error, "%s: %s is missing, expected that of the question", name,
                     answer->hyper_episode < 0 ? "hyper_episode" : "decision");
  }
  return true;
}

static bool check_value(double value, HyperHead h, const char* name, const HyperOptions* o,
                        Error* error) {
  double low, high;
  bool integer = h != HEAD_REAL_RATIO;
  bounds(&low, &high, h, o);
  return (value >= low && value <= high && (!integer || value == floor(value))) ||
         error_set(error, "%s: value: %s is %.17g, expected %s from %.17g to %.17g", name,
                   head_name(h), value, integer ? "an integer" : "a number", low, high);
}

bool dialogue_check(const Answer* answer, const char* name, const uint8_t allowed[HEAD_COUNT],
                    const HyperOptions* o, Error* error) {
  const HyperAction* a = &answer->action;
  for (HyperHead h = 0; h < HEAD_COUNT; h++) {
    int choice = a->choice[h];
    bool given = a->sets[h] || choice != ACTION_NONE;
    if (given != (allowed[h] != 0)) {
      return error_set(error, given ? "%s: %s was not asked, expected only the heads in allowed"
                                    : "%s: %s is missing, expected a choice or a value of each "
                                      "head in allowed",
                       name, head_name(h));
    }
    if (choice != ACTION_NONE && !(allowed[h] >> choice & 1)) {
      return error_set(error, "%s: choice: %s is %d, which is not in allowed", name, head_name(h),
                       choice);
    }
    if (a->sets[h] && !check_value(a->value[h], h, name, o, error)) {
      return false;
    }
  }
  return true;
}
