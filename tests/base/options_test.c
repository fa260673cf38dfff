// Laws of the option tables: what is written is what is set, or an error that names its place.

#include "base/options.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/options_value.h"

#define NET_OPTIONS(OPT) \
  OPT(INT, batch_size, 256, 1, 65536, "transitions", "batch of one update") \
  OPT(LONG, seed, 0, 0, 0x1p63, "", "seed of all streams") \
  OPT(LONG, offset, 0, -0x1p63, 1000, "", "what is added to it") \
  OPT(REAL, real_ratio, 0.05, 0, 1, "", "share of real data") \
  OPT(FLAG, automatic, true, 0, 0, "", "tunes itself") \
  OPT(AUTO, entropy, NAN, -10, 10, "nats", "where it tunes itself to")

#define RUN_OPTIONS(OPT) \
  OPT(TIME, max_wall, 0, 0, 31536000, "s", "longest run") \
  OPT(SIZE, max_bytes, 0, 0, 0x1p50, "bytes", "largest file") \
  OPT(TEXT, dir, "runs/{env}/s{seed}", 0, 0, "", "run directory") \
  OPT(CHOICE, precision, "float32", "float32|bfloat16", 0, "", "number type") \
  OPT(LIST, schedule, "[20, 100, 1, 15]", -1000, 1000, "", "rollout schedule")

typedef struct {
  NET_OPTIONS(OPTION_FIELD)
} NetOptions;

typedef struct {
  RUN_OPTIONS(OPTION_FIELD)
} RunOptions;

OPTION_TABLE(net_table, NetOptions, NET_OPTIONS)
OPTION_TABLE(run_table, RunOptions, RUN_OPTIONS)

typedef struct {
  Arena arena;
  Options options;
  NetOptions net;
  RunOptions run;
  Error error;
} Set;

static Set* set_new(const char* search_path) {
  Set* set = calloc(1, sizeof *set);
  arena_init(&set->arena);
  options_init(&set->options, &set->arena, search_path, NULL);
  options_section(&set->options, "net", net_table(), &set->net);
  options_section(&set->options, "run", run_table(), &set->run);
  return set;
}

static void set_free(Set* set) {
  arena_free(&set->arena);
  free(set);
}

// Assigns and expects success.
static void give(Set* set, const char* assignment) {
  if (!options_override(&set->options, assignment, &set->error)) {
    fail_msg("%s", set->error.text);
  }
}

// Loads a text and expects exactly these error lines.
static void expect_errors(const char* yaml, const char* lines) {
  Set* set = set_new(NULL);
  assert_false(options_load_text(&set->options, "a.yaml", yaml, &set->error));
  assert_string_equal(set->error.text, lines);
  set_free(set);
}

static void expect_refused(const char* assignment, const char* line) {
  Set* set = set_new(NULL);
  assert_false(options_override(&set->options, assignment, &set->error));
  assert_string_equal(set->error.text, line);
  set_free(set);
}

static void table_gives_fields_and_defaults(void** state) {
  (void)state;
  Set* set = set_new(NULL);
  assert_int_equal(set->net.batch_size, 256);
  assert_true(set->net.real_ratio == 0.05);
  assert_true(set->net.automatic);
  assert_true(isnan(set->net.entropy));
  assert_string_equal(set->run.dir, "runs/{env}/s{seed}");
  assert_string_equal(set->run.precision, "float32");
  assert_int_equal(set->run.schedule.count, 4);
  assert_true(set->run.schedule.value[3] == 15.0);
  assert_string_equal(options_origin(&set->options, "net.seed"), "default");
  set_free(set);
}

static void each_kind_reads_its_forms(void** state) {
  (void)state;
  Set* set = set_new(NULL);
  give(set, "net.batch_size=5e3");
  assert_int_equal(set->net.batch_size, 5000);
  give(set, "net.seed=9007199254740993");
  assert_true(set->net.seed == 9007199254740993);
  give(set, "run.max_wall=23h50m");
  assert_true(set->run.max_wall == 85800.0);
  give(set, "run.max_wall=0.5");
  assert_true(set->run.max_wall == 0.5);
  give(set, "run.max_wall=1.5h");
  assert_true(set->run.max_wall == 5400.0);
  give(set, "run.max_bytes=1e3");
  assert_int_equal(set->run.max_bytes, 1000);
  give(set, "run.max_bytes=1024T");
  assert_string_equal(options_text(&set->options, "run.max_bytes"), "1024T");
  give(set, "net.offset=-9223372036854775808");
  assert_true(set->net.offset == INT64_MIN);
  give(set, "net.batch_size=+7");
  assert_int_equal(set->net.batch_size, 7);
  give(set, "run.dir=\"a \\u00e9\"");
  assert_string_equal(set->run.dir, "a \xc3\xa9");
  give(set, "run.schedule=7");
  assert_true(set->run.schedule.count == 1 && set->run.schedule.value[0] == 7);
  give(set, "run.max_bytes=20G");
  assert_true(set->run.max_bytes == (int64_t)20 << 30);
  give(set, "run.dir=a b=c: #d");
  assert_string_equal(set->run.dir, "a b=c: #d");
  give(set, "run.dir='it''s'");
  assert_string_equal(set->run.dir, "it's");
  give(set, "run.schedule=[1, 2.5,3]");
  assert_int_equal(set->run.schedule.count, 3);
  assert_true(set->run.schedule.value[1] == 2.5);
  give(set, "run.schedule=[]");
  assert_int_equal(set->run.schedule.count, 0);
  give(set, "net.entropy=-1.5");
  assert_true(set->net.entropy == -1.5);
  give(set, "net.entropy=auto");
  assert_true(isnan(set->net.entropy));
  give(set, "net.automatic=false");
  assert_false(set->net.automatic);
  assert_string_equal(options_origin(&set->options, "net.automatic"), "command line");
  set_free(set);
}

#define NOT_A_TIME \
  "must be a time, such as 90 (seconds), 2s, 15m, 23h50m or, as Slurm writes it, 02:30:00 or " \
  "1-12 (minutes and seconds up to 59; behind days, hours up to 23)"

static void times_are_taken_as_slurm_writes_them(void** state) {
  (void)state;
  static const struct {
    const char* text;
    double seconds;
  } times[] = {{"run.max_wall=1-00:00:00", 86400}, {"run.max_wall=02:30:00", 9000},
               {"run.max_wall=30:00", 1800},       {"run.max_wall=2-12", 216000},
               {"run.max_wall=1-2:30", 95400},     {"run.max_wall=0-0:0:9", 9},
               {"run.max_wall=60", 60},            {"run.max_wall=90:00", 5400},
               {"run.max_wall=100:00:00", 360000}};
  Set* set = set_new(NULL);
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    give(set, times[i].text);
    assert_true(set->run.max_wall == times[i].seconds);
  }
  set_free(set);
  static const char* const wrong[] = {"1:",    ":1",        "1-",   "1:2:3:4",
                                      "1-2-3", "1-1:2:3:4", "1:2m", "1;2",
                                      "02:99:00", "00:60", "1-25:00:00", "1-24", "1-1:1:60",
                                      "1234567:00", "1.5.5h", "1h30", "",
                                      "1111111111111111111111111111111111111111h"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char text[64], expected[sizeof NOT_A_TIME + 96];
    snprintf(text, sizeof text, "run.max_wall=%s", wrong[i]);
    snprintf(expected, sizeof expected, "command line: '%s': " NOT_A_TIME, text);
    expect_refused(text, expected);
  }
  double minutes;
  Error error = {0};
  assert_false(option_parse_time(&minutes, "1:", 60, &error));
  assert_non_null(strstr(error.text, "such as 90 (minutes), 2s"));
}

static void wrong_values_are_refused_with_what_was_expected(void** state) {
  (void)state;
  expect_refused("net.real_ratio=1.7", "command line: 'net.real_ratio=1.7': must be in [0, 1]");
  expect_refused("net.batch_size=2.5", "command line: 'net.batch_size=2.5': must be an integer");
  expect_refused("net.batch_size=99999999999",
                 "command line: 'net.batch_size=99999999999': must be in [1, 65536]");
  expect_refused("net.batch_size=0", "command line: 'net.batch_size=0': must be in [1, 65536]");
  expect_refused("net.batch_size=-", "command line: 'net.batch_size=-': must be an integer");
  expect_refused("net.batch_size=5x", "command line: 'net.batch_size=5x': must be an integer");
  expect_refused("net.offset=1001",
                 "command line: 'net.offset=1001': must be in [-9.223372036854776e+18, 1000]");
  expect_refused("net.seed=1e16",
                 "command line: 'net.seed=1e16': must be written with all its digits");
  expect_refused("net.real_ratio=-1", "command line: 'net.real_ratio=-1': must be in [0, 1]");
  expect_refused("net.entropy=-11", "command line: 'net.entropy=-11': must be in [-10, 10]");
  expect_refused("run.max_bytes=-1", "command line: 'run.max_bytes=-1': must be in [0, 1024T]");
  static const char* const no_sizes[] = {"K", "1Q", "1KB", "1111111111111111111111111111111111111.5"};
  for (size_t i = 0; i < sizeof no_sizes / sizeof *no_sizes; i++) {
    char assignment[96], expected[192];
    snprintf(assignment, sizeof assignment, "run.max_bytes=%s", no_sizes[i]);
    snprintf(expected, sizeof expected,
             "command line: '%s': must be a number of bytes, such as 500M or 20G", assignment);
    expect_refused(assignment, expected);
  }
  expect_refused("run.precision=", "command line: 'run.precision=': must be one of "
                                   "float32|bfloat16");
  expect_refused("run.schedule=[1", "command line: 'run.schedule=[1': item 1 must be a number");
  expect_refused("run.schedule=1]", "command line: 'run.schedule=1]': item 1 must be a number");
  expect_refused("run.schedule=x", "command line: 'run.schedule=x': item 1 must be a number");
  expect_refused("run.schedule", "command line: 'run.schedule' is not of the form key=value");
  expect_refused("net.seed=1e30", "command line: 'net.seed=1e30': must be in "
                                  "[0, 9.223372036854776e+18]");
  expect_refused("net.seed=9223372036854775808",
                 "command line: 'net.seed=9223372036854775808': must be a 64-bit integer");
  expect_refused("net.real_ratio=nan", "command line: 'net.real_ratio=nan': must be a number");
  expect_refused("net.entropy=nan", "command line: 'net.entropy=nan': must be auto or a number");
  expect_refused("net.entropy=11", "command line: 'net.entropy=11': must be in [-10, 10]");
  expect_refused("net.real_ratio=0x1", "command line: 'net.real_ratio=0x1': must be a number");
  expect_refused("net.automatic=yes", "command line: 'net.automatic=yes': must be true or false");
  expect_refused("run.max_wall=3 h",
                 "command line: 'run.max_wall=3 h': " NOT_A_TIME);
  expect_refused("run.max_wall=1000d", "command line: 'run.max_wall=1000d': must be in [0s, 365d]");
  expect_refused("run.max_bytes=1Gb",
                 "command line: 'run.max_bytes=1Gb': must be a number of bytes, such as 500M or "
                 "20G");
  expect_refused("run.precision=float", "command line: 'run.precision=float': must be one of "
                                        "float32|bfloat16");
  expect_refused("run.schedule=[1, x]",
                 "command line: 'run.schedule=[1, x]': item 2 must be a number");
  expect_refused("run.schedule=[1, 2000]",
                 "command line: 'run.schedule=[1, 2000]': item 2: must be in [-1000, 1000]");
  expect_refused("run.dir=a\nb",
                 "command line: 'run.dir=a\nb': must be printable UTF-8 in one line");
  expect_refused("=1", "command line: '=1' is not of the form key=value");
}

// What is longer than its option can hold: `item`, so often.
static void expect_too_long(const char* key, const char* item, int times, const char* expected) {
  Set* set = set_new(NULL);
  Text text;
  text_init(&text, &set->arena);
  text_add(&text, "%s=", key);
  for (int i = 0; i < times; i++) {
    text_add(&text, "%s", item);
  }
  assert_false(options_override(&set->options, text.bytes, &set->error));
  assert_non_null(strstr(set->error.text, expected));
  set_free(set);
}

static void what_is_longer_than_an_option_can_hold_is_refused(void** state) {
  (void)state;
  char items[64], numbers[64], characters[64];
  snprintf(items, sizeof items, "must have at most %d items", OPTION_LIST_SIZE);
  snprintf(numbers, sizeof numbers, "is too long for a list of %d numbers", OPTION_LIST_SIZE);
  snprintf(characters, sizeof characters, "must be shorter than %d characters", OPTION_TEXT_SIZE);
  expect_too_long("run.schedule", "1,", OPTION_LIST_SIZE + 1, items);
  expect_too_long("run.schedule", "1,", OPTION_LIST_SIZE * TEXT_NUMBER_SIZE, numbers);
  expect_too_long("run.dir", "a", OPTION_TEXT_SIZE, characters);
  expect_too_long("run.precision", "float32", OPTION_CHOICE_SIZE, "must be one of float32|bfloat16");
  expect_too_long("net.a_key_that", "x", 1, "unknown key 'net.a_key_that'");
  expect_too_long("net.a_key_that_is_longer_than_any_that_could_be_meant_by_it_and_longer_and_longer_and_longer_"
                  "and_longer_and_longer", "x", 1, "unknown key 'net.a_key_that_is_longer");
}

static void a_value_set_by_name_names_its_origin(void** state) {
  (void)state;
  Set* set = set_new(NULL);
  assert_false(options_set(&set->options, "net.sed", "1", "here", &set->error));
  assert_string_equal(set->error.text, "here: unknown key 'net.sed' (did you mean 'net.seed'?)");
  set->error.text[0] = '\0';
  assert_false(options_set(&set->options, "net.seed", "x", "here", &set->error));
  assert_string_equal(set->error.text, "here: 'net.seed=x': must be an integer");
  set_free(set);
}

static void quotes_are_those_of_yaml(void** state) {
  (void)state;
  Set* set = set_new(NULL);
  assert_false(options_override(&set->options, "run.dir=\"open", &set->error));
  assert_non_null(strstr(set->error.text, "command line:1:"));
  give(set, "run.dir='a': b");  // a map of YAML: as it stands
  assert_string_equal(set->run.dir, "'a': b");
  set_free(set);
}

static void unknown_keys_get_a_suggestion(void** state) {
  (void)state;
  expect_refused("net.bach_size=1",
                 "command line: unknown key 'net.bach_size' (did you mean 'net.batch_size'?)");
  expect_refused("batch_size=1",
                 "command line: unknown key 'batch_size' (did you mean 'net.batch_size'?)");
  expect_refused("net.dir=1", "command line: unknown key 'net.dir' (did you mean 'run.dir'?)");
  expect_refused("zzzzzzzz.qqqqqq=1", "command line: unknown key 'zzzzzzzz.qqqqqq'");
}

static void all_errors_of_a_file_are_listed_with_their_places(void** state) {
  (void)state;
  expect_errors(
      "net:\n"
      "  batchsize: 3\n"
      "  real_ratio: 1.7\n"
      "  seed: 1\n"
      "  seed: 2\n"
      "run: 5\n"
      "nett: {seed: 1}\n",
      "a.yaml:5:3: duplicate key 'seed' (first in line 4)\n"
      "a.yaml:2:3: unknown key 'net.batchsize' (did you mean 'net.batch_size'?)\n"
      "a.yaml:3:15: 'net.real_ratio=1.7': must be in [0, 1]\n"
      "a.yaml:6:1: 'run' is a section: its options go below it\n"
      "a.yaml:7:1: unknown key 'nett' (did you mean 'net'?)");
  expect_errors(
      "net:\n"
      "  batchsize: 3\n"
      "  real_ratio: 1.7\n"
      "  seed:\n"
      "net.real_ratio: 0.5\n"
      "run: 5\n"
      "nett: {seed: 1}\n",
      "a.yaml:2:3: unknown key 'net.batchsize' (did you mean 'net.batch_size'?)\n"
      "a.yaml:3:15: 'net.real_ratio=1.7': must be in [0, 1]\n"
      "a.yaml:4:8: 'net.seed' has no value\n"
      "a.yaml:6:1: 'run' is a section: its options go below it\n"
      "a.yaml:7:1: unknown key 'nett' (did you mean 'net'?)");
  expect_errors("net: {seed: 1}\nnet.seed: 2\n",
                "a.yaml:2:11: 'net.seed' is given twice in this file (first at a.yaml:1:13)");
  expect_errors("net:\n  seed: [1]\n", "a.yaml:2:9: 'net.seed' must be a single value");
  expect_errors("net:\n  seed: {a: 1}\n", "a.yaml:2:9: 'net.seed' must be a single value");
  expect_errors("run: {schedule: [1, x]}\n",
                "a.yaml:1:17: 'run.schedule=[...]': item 2 must be a number");
  expect_errors("- 1\n", "a.yaml:1:1: must be a map of sections");
  expect_errors("include: [[a.yaml], ~]\n", "a.yaml:1:11: 'include' must list file names\n"
                                            "a.yaml:1:21: 'include' must list file names");
  expect_errors("include: nowhere.yaml\n",
                "a.yaml:1:10: cannot find 'nowhere.yaml' (searched as given, beside this file, in "
                "AUTOMBPO_PATH and among the installed configurations)");
  expect_errors("\"\": 1\nne: {seed: 1}\n", "a.yaml:1:1: unknown key ''\n"
                                            "a.yaml:2:1: unknown key 'ne' (did you mean 'net'?)");
  expect_errors("net: {seed: 1}\ninclude: [b.yaml]\n",
                "a.yaml:2:1: 'include' must be the first key of the file");
}

static void an_empty_section_or_file_changes_nothing(void** state) {
  (void)state;
  Set* set = set_new(NULL);
  assert_true(options_load_text(&set->options, "a", "net:\n", &set->error));
  assert_true(options_load_text(&set->options, "b", "~\n", &set->error));
  assert_true(options_load_text(&set->options, "c", "include: []\n", &set->error));
  assert_true(options_load_text(&set->options, "c", "{}\n", &set->error));
  assert_int_equal(set->net.batch_size, 256);
  for (int i = 0; i < 100 && options_load_text(&set->options, "d", "~\n", &set->error); i++) {
  }
  assert_string_equal(set->error.text, "d: more than 64 configuration files");
  assert_false(options_load_record(&set->options, "record", "net: [", &set->error));
  assert_non_null(strstr(set->error.text, "record:"));
  set_free(set);
}

static void later_assignments_win(void** state) {
  (void)state;
  Set* set = set_new(NULL);
  assert_true(options_load_text(&set->options, "a", "net: {seed: 1, batch_size: 2}", &set->error));
  assert_true(options_load_text(&set->options, "b", "net: {seed: 3}", &set->error));
  give(set, "net.batch_size=4");
  assert_true(set->net.seed == 3 && set->net.batch_size == 4);
  assert_string_equal(options_origin(&set->options, "net.seed"), "b:1:13");
  set_free(set);
}

// Random valid values, ugly text included.
static void fill_at_random(Set* set) {
  static const char* const texts[] = {"", "true", "null", "1e3", "a: b", "x # y", "\"q\\", "-", "[",
                                      "\xc3\xa9", " lead", "{env}", "~", "it's", "/abs/p.q"};
  set->net.batch_size = 1 + rand() % 65536;
  set->net.seed = (int64_t)rand() << 31 | rand();
  set->net.real_ratio = (double)rand() / RAND_MAX;
  set->net.automatic = rand() % 2;
  set->net.entropy = rand() % 2 ? NAN : 20.0 * ((double)rand() / RAND_MAX) - 10.0;
  set->run.max_wall = rand() % 2 ? rand() % 1000000 : (double)rand() / 7.0 / 1000.0;
  set->run.max_bytes = (int64_t)(rand() % 5000) << rand() % 31;
  strcpy(set->run.dir, texts[rand() % 15]);
  strcpy(set->run.precision, rand() % 2 ? "float32" : "bfloat16");
  set->run.schedule.count = rand() % (OPTION_LIST_SIZE + 1);
  for (int i = 0; i < set->run.schedule.count; i++) {
    set->run.schedule.value[i] = 2000.0 * ((double)rand() / RAND_MAX) - 1000.0;
  }
}

static void shown_text_gives_the_same_set_back(void** state) {
  (void)state;
  srand(1);
  for (int round = 0; round < 200; round++) {
    Set* a = set_new(NULL);
    Set* b = set_new(NULL);
    Text shown, first, second;
    text_init(&shown, &a->arena);
    text_init(&first, &a->arena);
    text_init(&second, &b->arena);
    fill_at_random(a);
    options_show(&a->options, &shown);
    if (!options_load_text(&b->options, "shown", shown.bytes, &b->error)) {
      fail_msg("%s\n%s", b->error.text, shown.bytes);
    }
    options_canonical(&a->options, NULL, &first);
    options_canonical(&b->options, NULL, &second);
    assert_string_equal(first.bytes, second.bytes);
    assert_true(a->net.real_ratio == b->net.real_ratio && a->net.seed == b->net.seed);
    assert_true(isnan(a->net.entropy) ? isnan(b->net.entropy) : a->net.entropy == b->net.entropy);
    assert_memory_equal(a->run.schedule.value, b->run.schedule.value,
                        (size_t)a->run.schedule.count * sizeof(double));
    assert_int_equal(options_diff(&a->options, &b->options, NULL, &first), 0);
    set_free(a);
    set_free(b);
  }
}

static void canonical_text_leaves_out_what_is_excluded(void** state) {
  (void)state;
  Set* set = set_new(NULL);
  Text out;
  text_init(&out, &set->arena);
  static const char* const excluded[] = {"net", "run.dir", "run.schedule", "run.max_bytes=1",
                                         "run.precision=float32", NULL};
  options_canonical(&set->options, excluded, &out);
  assert_string_equal(out.bytes, "run:\n  max_wall: 0s\n  max_bytes: 0\n");
  set_free(set);
}

static void write_file(const char* path, const char* text) {
  FILE* file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static void includes_are_found_and_overruled_by_the_including_file(void** state) {
  (void)state;
  char dir[] = "/tmp/options_test_XXXXXX";
  assert_non_null(mkdtemp(dir));
  char path[4][128];
  const char* names[] = {"main.yaml", "task.yaml", "sub/method.yaml", "circle.yaml"};
  for (int i = 0; i < 4; i++) {
    snprintf(path[i], sizeof path[i], "%s/%s", dir, names[i]);
  }
  char sub[128], loop[512];
  snprintf(sub, sizeof sub, "%s/sub", dir);
  assert_int_equal(access(sub, F_OK), -1);
  char command[256];
  snprintf(command, sizeof command, "mkdir -p %s", sub);
  assert_int_equal(system(command), 0);
  write_file(path[0], "include: [task.yaml, method.yaml]\nnet: {seed: 7}\n");
  write_file(path[1], "net: {seed: 1, batch_size: 64}\n");
  write_file(path[2], "net: {batch_size: 32}\nrun: {precision: bfloat16}\n");
  write_file(path[3], "include: circle.yaml\n");

  Set* set = set_new(sub);
  assert_true(options_load(&set->options, path[0], &set->error));
  assert_true(set->net.seed == 7 && set->net.batch_size == 32);
  assert_string_equal(set->run.precision, "bfloat16");
  assert_false(options_load(&set->options, path[3], &set->error));
  assert_non_null(strstr(set->error.text, "circle.yaml:1:10: includes nest deeper than 8"));
  set->error.text[0] = '\0';
  snprintf(loop, sizeof loop, "%s/mian.yaml", dir);
  assert_false(options_load(&set->options, loop, &set->error));
  assert_non_null(strstr(set->error.text, "mian.yaml: no such file (did you mean '"));
  assert_non_null(strstr(set->error.text, "main.yaml'?)"));
  set->error.text[0] = '\0';
  assert_false(options_load(&set->options, "nowhere/main.yaml", &set->error));
  assert_string_equal(set->error.text, "nowhere/main.yaml: No such file or directory");
  write_file(path[1], "net: {seed: 1}\nnet: {seed: 2}\n");  // not as YAML wants it, and options for all that
  set->error.text[0] = '\0';
  assert_false(options_load(&set->options, path[1], &set->error));
  assert_non_null(strstr(set->error.text, "task.yaml:2:1: duplicate key 'net'"));
  set->error.text[0] = '\0';
  snprintf(loop, sizeof loop, "%s/none.yaml", dir);
  assert_false(options_load(&set->options, loop, &set->error));
  assert_non_null(strstr(set->error.text, "none.yaml: No such file"));
  set_free(set);
  snprintf(command, sizeof command, "rm -r %s", dir);
  assert_int_equal(system(command), 0);
}

static void a_record_of_another_version_gives_what_it_knows(void** state) {
  (void)state;
  Set* set = set_new(NULL);
  const char* text =
      "include: [/nowhere.yaml]\nnet:\n  batch_size: 64\n  of_the_past: 3\ngone:\n  x: 1\n"
      "run:\n  schedule: [1, 2]\n";
  assert_true(options_load_record(&set->options, "record", text, &set->error));
  assert_int_equal(set->net.batch_size, 64);
  assert_int_equal(set->run.schedule.count, 2);
  assert_string_equal(options_origin(&set->options, "net.batch_size"), "record:3:15");
  assert_string_equal(options_origin(&set->options, "net.seed"), "default");
  assert_false(options_load_record(&set->options, "record", "net:\n  seed: x\n", &set->error));
  assert_non_null(strstr(set->error.text, "record:2:9: 'net.seed=x'"));
  set_free(set);
}

static void a_value_is_taken_over_with_its_origin(void** state) {
  (void)state;
  static const char* const keys[] = {"net.batch_size", "net.seed",      "net.real_ratio",
                                     "net.automatic",  "run.max_wall",  "run.max_bytes",
                                     "run.dir",        "run.precision", "run.schedule"};
  static const char* const values[] = {"7",  "8",   "0.9",      "false",   "3s",
                                       "5K", "a b", "bfloat16", "[1, -2]"};
  Set* from = set_new(NULL);
  Set* to = set_new(NULL);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    assert_true(options_set(&from->options, keys[i], values[i], "there", &from->error));
    assert_string_not_equal(options_text(&to->options, keys[i]),
                            options_text(&from->options, keys[i]));
    options_take(&to->options, &from->options, keys[i]);
    assert_string_equal(options_text(&to->options, keys[i]),
                        options_text(&from->options, keys[i]));
    assert_string_equal(options_origin(&to->options, keys[i]), "there");
  }
  Text difference;
  text_init(&difference, &to->arena);
  assert_int_equal(options_diff(&to->options, &from->options, NULL, &difference), 0);
  set_free(from);
  set_free(to);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_gives_fields_and_defaults),
      cmocka_unit_test(each_kind_reads_its_forms),
      cmocka_unit_test(times_are_taken_as_slurm_writes_them),
      cmocka_unit_test(wrong_values_are_refused_with_what_was_expected),
      cmocka_unit_test(unknown_keys_get_a_suggestion),
      cmocka_unit_test(all_errors_of_a_file_are_listed_with_their_places),
      cmocka_unit_test(an_empty_section_or_file_changes_nothing),
      cmocka_unit_test(what_is_longer_than_an_option_can_hold_is_refused),
      cmocka_unit_test(a_value_set_by_name_names_its_origin),
      cmocka_unit_test(quotes_are_those_of_yaml),
      cmocka_unit_test(later_assignments_win),
      cmocka_unit_test(shown_text_gives_the_same_set_back),
      cmocka_unit_test(a_record_of_another_version_gives_what_it_knows),
      cmocka_unit_test(a_value_is_taken_over_with_its_origin),
      cmocka_unit_test(canonical_text_leaves_out_what_is_excluded),
      cmocka_unit_test(includes_are_found_and_overruled_by_the_including_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
