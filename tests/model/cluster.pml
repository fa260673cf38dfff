/* cluster.pml - leases, joining and folding, in all interleavings (spin; model_test.sh).
 *
 * Two starts of one run share a directory, with two workers and with one. Up to CRASHES times a
 * worker dies, or a start with all its workers, which then begins anew. Files are arrays; a step is
 * one call that touches a file, or one message. A stage is one hyper-episode, with a look-ahead of
 * one: v(e) = max(0, e - 1). What a file holds is a number that follows from what it was made of.
 *
 * Laws of docs/design.md, sections 4 and 7, each a variable that an assertion names:
 *   same_bits            each file holds what one start alone would have written
 *   written_once         nothing sealed is written again: a second file of a name has the same bits
 *   leased_once          where nobody died, no hyper-episode runs twice
 *   files_are_the_truth  who ends has all files
 * and nobody is stuck (no invalid end state).
 *
 * Faults, for the test: LEASE_TWICE, FOLD_ORDER, VERSION_NOW, NO_TAKEOVER, FORGETS_LOST.
 */
#define WORKERS 3
#define EPISODES 3
#define NONE EPISODES
#ifndef CRASHES
#define CRASHES 2
#endif

#define first_worker(s) (2 * s)                     /* of start 0: 0 and 1; of start 1: 2 */
#define last_worker(s) (1 + s)
#define version_of(e) (e > 1 -> e - 1 : 0)          /* scheduler_version_of */
#define bits_of(e, v) (1 + e * 4 + v)               /* of a sealed hyper-episode */
#define folded(before, sealed) (before * 7 + sealed)  /* of the next version */
#define me (1 + s + 2 * life[s])                    /* Leases.owner: a process, not a start */
#define is_dead(owner) (life[(owner - 1) % 2] != (owner - 1) / 2)  /* process_is_dead */

/* Files; 0 = it is not there. */
byte episode[EPISODES];                             /* episodes/NNNNNN.h5 */
short policy[EPISODES + 1];                         /* policy/vNNNNNN.h5 */
byte lease[EPISODES];                               /* lease/NNNNNN: its owner; who is not dead renews */

mtype = { IDLE, BEGUN, SAYS_SEALED, SAYS_DROPPED, DEAD, GIVEN_UP };
mtype worker[WORKERS] = IDLE;
byte runs[WORKERS] = NONE;                          /* BeginMessage.hyper_episode */
byte version[WORKERS];                              /* and .policy_version */
byte life[2];                                       /* how often a start has died */
byte crashes;

bool same_bits = true, written_once = true, leased_once = true, files_are_the_truth = true;

#define idle(w) { worker[w] = IDLE; runs[w] = NONE; version[w] = 0 }
#define is_run(w, e) (worker[w] == BEGUN && runs[w] == e)

/* worker.c: it seals what it was given, or finds it sealed by somebody else. */
proctype Worker(byte w) {
end:
  do
  :: d_step { worker[w] == BEGUN && episode[runs[w]] != 0 -> worker[w] = SAYS_DROPPED }
  :: d_step { worker[w] == BEGUN ->                 /* seal, files_publish: by link */
       if
       :: episode[runs[w]] == 0 -> episode[runs[w]] = bits_of(runs[w], version[w])
       :: else -> written_once = (episode[runs[w]] == bits_of(runs[w], version[w]))
       fi;
       assert(written_once);
       same_bits = (episode[runs[w]] == bits_of(runs[w], version_of(runs[w])));
       assert(same_bits);
       worker[w] = SAYS_SEALED }
  :: d_step { worker[w] != DEAD && worker[w] != GIVEN_UP && crashes < CRASHES ->
       crashes++; worker[w] = DEAD }
  od
}

inline release(e) {                                 /* lease_release */
  if
  :: lease[e] == me -> lease[e] = 0
  :: else
  fi
}

inline may_die() {                                  /* all of a start, and the command is repeated */
  if
  :: d_step { crashes < CRASHES -> crashes++; life[s]++ } goto begin
  :: true
  fi
}

#define may_begin(e) (version_of(e) <= newest && !sealed[e] && !running[e])
#define is_open(e) (lease[e] == 0 || lease[e] == me || MAY_TAKE_OVER(e))
#ifdef LEASE_TWICE
#define MAY_TAKE_OVER(e) true
#elif defined(NO_TAKEOVER)
#define MAY_TAKE_OVER(e) false
#else
#define MAY_TAKE_OVER(e) is_dead(lease[e])
#endif
#define may_take(e) (may_begin(e) && is_open(e))

/* coordinator.c, rank 0 of a start. */
proctype Start(byte s) {
  bool sealed[EPISODES], running[EPISODES];         /* Coordinator.status */
  byte newest, e, w, owner;
begin:
  skip;
  d_step {                                          /* coordinator_init: a scan of the directory */
    w = first_worker(s);
    do
    :: w <= last_worker(s) -> idle(w); w++
    :: else -> break
    od;
    e = 0;
    do
    :: e < EPISODES -> sealed[e] = (episode[e] != 0); running[e] = false; e++
    :: else -> break
    od;
    newest = 0;
    do
    :: newest < EPISODES && policy[newest + 1] != 0 -> newest++
    :: else -> break
    od;
    e = 0; w = 0; owner = 0
  }
turn:
  do
  /* coordinator_next: the first that may begin and can be leased; lease_take sees whose it is */
  :: d_step { (may_take(0) || may_take(1) || may_take(2)) &&
              (worker[first_worker(s)] == IDLE || worker[last_worker(s)] == IDLE) ->
       w = (worker[first_worker(s)] == IDLE -> first_worker(s) : last_worker(s));
       e = (may_take(0) -> 0 : (may_take(1) -> 1 : 2));
       owner = lease[e] }
     goto take

  :: d_step { worker[first_worker(s)] == SAYS_SEALED || worker[last_worker(s)] == SAYS_SEALED ->
       w = (worker[first_worker(s)] == SAYS_SEALED -> first_worker(s) : last_worker(s));
       release(runs[w]);                            /* coordinator_sealed */
       running[runs[w]] = false; sealed[runs[w]] = true; idle(w); w = 0 }

  :: d_step { worker[first_worker(s)] == SAYS_DROPPED || worker[last_worker(s)] == SAYS_DROPPED ->
       w = (worker[first_worker(s)] == SAYS_DROPPED -> first_worker(s) : last_worker(s));
       release(runs[w]);                            /* coordinator_decide: coordinator_give_back */
       running[runs[w]] = false; idle(w); w = 0 }

#ifndef FORGETS_LOST
  /* serve.c: a rank that is silent is given up; when all are, the start ends, and is repeated */
  :: d_step { worker[first_worker(s)] == DEAD || worker[last_worker(s)] == DEAD ->
       w = (worker[first_worker(s)] == DEAD -> first_worker(s) : last_worker(s));
       if
       :: runs[w] != NONE -> release(runs[w]); running[runs[w]] = false
       :: else
       fi;
       idle(w); worker[w] = GIVEN_UP; w = 0 }
  :: worker[first_worker(s)] == GIVEN_UP && worker[last_worker(s)] == GIVEN_UP ->
       life[s]++; goto begin
#endif

  /* coordinator_look: what others have sealed */
  :: d_step { !sealed[0] && !running[0] && episode[0] != 0 -> sealed[0] = true }
  :: d_step { !sealed[1] && !running[1] && episode[1] != 0 -> sealed[1] = true }
  :: d_step { !sealed[2] && !running[2] && episode[2] != 0 -> sealed[2] = true }

  /* fold_complete_stages: update k folds hyper-episode k */
#ifdef FOLD_ORDER
  :: d_step { newest < EPISODES && sealed[0] + sealed[1] + sealed[2] > newest ->
       e = (sealed[newest] -> newest : (sealed[0] && newest != 0 -> 0 : (sealed[1] -> 1 : 2)));
#else
  :: d_step { newest < EPISODES && sealed[newest] ->
       e = newest;
#endif
       if
       :: policy[newest + 1] == 0 -> policy[newest + 1] = folded(policy[newest], episode[e])
       :: else -> written_once = (policy[newest + 1] == folded(policy[newest], episode[e]))
       fi;
       assert(written_once);
       same_bits = (policy[newest + 1] ==
                    folded(policy[newest], bits_of(newest, version_of(newest))));
       assert(same_bits);
       newest++; e = 0 }

  :: newest == EPISODES && sealed[0] && sealed[1] && sealed[2] -> break  /* coordinator_complete */

  /* all of it dies, and a supervisor repeats the command */
  :: d_step { crashes < CRASHES -> crashes++; life[s]++ } goto begin
  od;
  files_are_the_truth = (episode[0] && episode[1] && episode[2] && policy[EPISODES]);
  assert(files_are_the_truth);
  goto over;

take:                                               /* lease_take: by link, so one of two has it */
  skip;
  d_step {
    if
    :: lease[e] == owner && owner != 0 && owner != me -> lease[e] = 0  /* remove_lease */
    :: else
    fi
  }
  may_die();
  d_step {
    if
    :: lease[e] == 0 || lease[e] == me -> lease[e] = me; owner = me
    :: else -> owner = 0
    fi
  }
  may_die();
  d_step {
    if
    :: owner != me
    :: owner == me && (episode[e] != 0 || worker[w] != IDLE) -> release(e)  /* sealed meanwhile */
    :: else ->
       leased_once = (crashes > 0 || !(is_run(0, e) || is_run(1, e) || is_run(2, e)));
       assert(leased_once);
#ifdef VERSION_NOW
       version[w] = newest;
#else
       version[w] = version_of(e);
#endif
       runs[w] = e; worker[w] = BEGUN; running[e] = true
    fi;
    e = 0; w = 0; owner = 0
  }
  goto turn;
over:
  skip
}

init {
  atomic {
    policy[0] = 1;
    run Worker(0); run Worker(1); run Worker(2);
    run Start(0); run Start(1)
  }
}
