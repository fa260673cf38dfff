# shellcheck shell=bash disable=SC2034
# hold.sh - sourced by the tests that disturb a run in its middle, however fast it is, with their
# directory in $work: AUTOMBPO_FAULT holds a process at a point (include/base/fault.h).

# hold POINT:COUNT: of the processes that are started from now on, the first to pass this point waits
# there for a signal, or until it is let go; and when it has ended, the next one.
hold() {
  holder=$(mktemp "$work/held-XXXXXX")
  chmod 666 "$holder"
  export AUTOMBPO_FAULT=$1:$holder
}

# is_held: whether one waits that no earlier call has found; it is $held. It has a lock on the file, what
# the dead have written there does not count.
is_held() {
  [[ -s $holder ]] && grep -q ":$(stat -c %i "$holder") 0 EOF" /proc/locks || return 1
  held=$(<"$holder")
  : >"$holder"
}

# let_go: it goes on, and nobody else is held.
let_go() {
  rm "$holder"
  unset AUTOMBPO_FAULT
}
