// libFuzzer entry: any bytes as the CSV file of a schedule are refused, or give finite values
// everywhere.
#include <math.h>

#include "hyper/schedule.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

static void look(const Schedule* schedule) {
  const double progress[] = {0, 0.3, 1};
  const int decisions[] = {0, 1, 1000000};
  for (int i = 0; i < 3 * HEAD_COUNT; i++) {
    HyperHead head = (HyperHead)(i % HEAD_COUNT);
    if (schedule->has[head]) {
      double value = schedule_value(schedule, head, decisions[i / HEAD_COUNT],
                                    progress[i / HEAD_COUNT]);
      CHECK(isfinite(value), "%s is not finite", head_name(head));
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena* arena = scratch_arena();
  Schedule schedule;
  Error error = {0};
  Text text;
  if (schedule_read(&schedule, scratch_file(data, size), arena, &error)) {
    look(&schedule);
    text_init(&text, arena);
    schedule_format(&schedule, &text);
  } else {
    CHECK(*error.text, "refused without a reason");
  }
  return 0;
}
