#include "hyper/fork.h"

#include <stdio.h>
#include <string.h>

const char* fork_choice_name(HyperHead head, int choice) {
  static const char* const steps[] = {"down", "keep", "up"};
  static const char* const train[] = {"skip", "train"};
  return head == HEAD_TRAIN_MODEL ? train[choice] : steps[choice];
}

static bool read_choice(ForkChoice* choice, const char* word, size_t size, Error* error) {
  char known[64];
  for (int h = 0; h < HEAD_COUNT; h++) {
    for (int c = 0; c < head_choices((HyperHead)h); c++) {
      int length = snprintf(known, sizeof known, "%s=%s", head_name((HyperHead)h),
                            fork_choice_name((HyperHead)h, c));
      if ((size_t)length == size && strncmp(known, word, size) == 0) {
        *choice = (ForkChoice){(HyperHead)h, c};
        return true;
      }
    }
  }
  return error_set(error, "'%.*s' is not a choice, expected HEAD=CHOICE: train_model=skip or "
                   "train; real_ratio, policy_updates or rollout_length=down, keep or up",
                   (int)size, word);
}

bool fork_read_choices(ForkChoice* choices, int* count, const char* text, Error* error) {
  *count = 0;
  while (*text) {
    size_t size = strcspn(text, ",");
    if (*count == FORK_MOST_CHOICES) {
      return error_set(error, "'%s': more than %d choices", text, FORK_MOST_CHOICES);
    }
    if (!read_choice(&choices[(*count)++], text, size, error)) {
      return false;
    }
    text += size + (text[size] == ',');
  }
  return *count > 0 || error_set(error, "names no choice, expected HEAD=CHOICE");
}
