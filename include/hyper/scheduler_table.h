// scheduler_table.h - the kinds of scheduler, a row each: KIND(name, who sets the hyperparameters).
//
// A kind is a file of hyper/schedulers/, which defines the SchedulerKind scheduler_NAME, and its
// row here. Nobody else names it.
#ifndef HYPER_SCHEDULER_TABLE_H
#define HYPER_SCHEDULER_TABLE_H

#define SCHEDULER_TABLE(KIND) \
  KIND(fixed, "MBPO itself") \
  KIND(random, "chance, at each decision") \
  KIND(static, "chance, once a run") \
  KIND(ppo, "the controller that learns") \
  KIND(apply, "a trained controller") \
  KIND(replay, "a schedule from a file") \
  KIND(pbt, "population-based training") \
  KIND(ror, "RoR's trainer") \
  KIND(fork, "who did in another run, but for one decision") \
  KIND(external, "another program")

// The one that this program is for: it learns, and is asked at each decision.
#define SCHEDULER_DEFAULT "ppo"

#define SCHEDULER_ONE(name, meaning) +1
#define SCHEDULER_WORD(name, meaning) "|" #name
#define SCHEDULER_MEANING(name, meaning) "; " #name " = " meaning

// How many there are; "fixed|random|...", and "fixed = MBPO itself; ...".
#define SCHEDULER_KINDS (0 SCHEDULER_TABLE(SCHEDULER_ONE))
#define SCHEDULER_WORDS (&(SCHEDULER_TABLE(SCHEDULER_WORD))[1])
#define SCHEDULER_MEANINGS SCHEDULER_TABLE(SCHEDULER_MEANING)

#endif  // HYPER_SCHEDULER_TABLE_H
