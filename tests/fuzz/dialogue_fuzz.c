// libFuzzer entry: any line as the answer of a controller outside is refused with a reason, or is
// read again to the same answer from what the log would say of it.
#include "hyper/dialogue.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const uint8_t allowed[HEAD_COUNT] = {3, 7, 7, 7};
  static const HyperOptions options = {.real_ratio_min = 0.1, .real_ratio_max = 1,
                                       .policy_updates_min = 1, .policy_updates_max = 3,
                                       .rollout_length_min = 1, .rollout_length_max = 2};
  Arena* arena = scratch_arena();
  Answer answer, again;
  Error error = {0};
  char* line = scratch_text(data, size);
  if (dialogue_read(&answer, "fuzz", line, arena, &error)) {
    const char* shown = dialogue_answer(&answer, arena);
    CHECK(dialogue_read(&again, "fuzz", shown, arena, &error), "%s: %s", shown, error.text);
    CHECK(strcmp(shown, dialogue_answer(&again, arena)) == 0, "changed: %s", shown);
    dialogue_check(&answer, "fuzz", allowed, &options, &error);
  } else {
    CHECK(*error.text, "refused without a reason");
  }
  free(line);
  return 0;
}
