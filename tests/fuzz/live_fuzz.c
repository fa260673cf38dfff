// libFuzzer entry: what `status` and `top` read of a run directory may be anything, and what they show
// has no control characters. The input is status.json, metrics.jsonl, starts.jsonl and run.yaml, with
// a zero byte behind each.
#include <sys/stat.h>

#include "cli/live_text.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

static char directory[SCRATCH_PATH_SIZE];
static const char* const names[] = {"status.json", "metrics.jsonl", "starts.jsonl", "run.yaml"};

static void make_directory(void) {
  snprintf(directory, sizeof directory, "%s/live_XXXXXX", scratch_parent());
  CHECK(mkdtemp(directory), "cannot make %s", directory);
}

static void write_part(const char* name, const uint8_t* data, size_t size) {
  char path[SCRATCH_PATH_SIZE + 32];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE* file = fopen(path, "wb");
  CHECK(file && fwrite(data, 1, size, file) == size && fclose(file) == 0, "cannot write %s", path);
}

static void look(const LiveView* view, Arena* arena) {
  static const LiveScreen screen = {.columns = 80, .rows = 24, .blocks = true};
  Text text;
  text_init(&text, arena);
  live_print(&text, view, &screen);
  for (const char* c = text.bytes; *c; c++) {
    CHECK(*c == '\n' || (unsigned char)*c >= ' ', "control character %d", *c);
  }
  live_print_json(&text, view);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena* arena = scratch_arena();
  LiveView view;
  Error error = {0};
  if (!*directory) {
    make_directory();
  }
  for (int i = 0; i < 4; i++) {
    const uint8_t* zero = size > 0 ? memchr(data, 0, size) : NULL;
    size_t length = zero && i < 3 ? (size_t)(zero - data) : size;
    write_part(names[i], data, length);
    size_t used = zero && i < 3 ? length + 1 : size;
    data += used;
    size -= used;
  }
  if (live_read(&view, directory, arena, &error)) {
    look(&view, arena);
  } else {
    CHECK(*error.text, "refused without a reason");
  }
  return 0;
}
