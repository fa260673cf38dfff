# shellcheck shell=bash disable=SC2034
# scenario.sh - sourced by the tests of this directory: a cluster, a run to disturb, and waiting.
# Their usage: NAME_test.sh PROGRAM SOURCE_DIR REFERENCE_DIR, the last as made by `undisturbed`.
# shellcheck source=tests/slurm/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/cli/hold.sh
source "$here/../cli/hold.sh"

need_slurm
export AUTOMBPO=$1 AUTOMBPO_HOME=$2
reference=$3
patience=${patience:-800}  # seconds that anything is waited for
end_scenario() {
  local code=$?
  if [[ $code != 0 ]]; then
    tail -n 30 "$work"/*.log "$work"/cluster/log/slurmctld.log >&2 || true
  fi
  "$here/cluster_down" "$work/cluster"
  rm -rf "$work"
  exit $code
}

work=$(mktemp -d)
chmod 755 "$work"  # munged insists
trap 'end_scenario' EXIT
cd "$work"
started=${EPOCHREALTIME/./}
"$here/cluster_up" "$work/cluster" 3
printf 'cluster up in %d ms\n' $(((${EPOCHREALTIME/./} - started) / 1000))
# shellcheck source=/dev/null
source "$work/cluster/env.sh"
unset "${!SLURM_JOB@}"  # should the test itself be run in a job

config=$AUTOMBPO_HOME/tests/slurm/steady.yaml
train=(train -q "$config" "scheduler.baseline=$reference/baseline.yaml")
expected=$("$AUTOMBPO" inspect --checksum "$reference/run")

# submit SCRIPT OPTION... -- ARGUMENT...: submits mpi_launch/SCRIPT; its job id is in $job.
submit() {
  local script=$1 options=()
  shift
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  job=$(sbatch --parsable "${options[@]}" "$AUTOMBPO_HOME/mpi_launch/$script" "$@")
}

# state_of JOB: PENDING, RUNNING, COMPLETED ..., one line for each task of an array.
state_of() { scontrol show job "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }

is_pending() { [[ $(state_of "$1") == *PENDING* ]]; }
is_running() { [[ $(state_of "$1") == *RUNNING* ]]; }

# Tasks of a job that went back into the queue are held for two minutes: here for two seconds. (In
# the second of the requeue itself, Slurm would refuse to start them: "Job credential revoked".)
hurry() {
  local task begin
  while read -r task begin; do
    if (($(date -d "$begin" +%s) > $(date +%s) + 5)); then
      scontrol update "JobId=$task" StartTime=now+2
    fi
  done < <(scontrol -o show job "$1" |
    sed -n 's/^JobId=\([0-9]*\) .*JobState=PENDING .* StartTime=\(2[^ ]*\) .*/\1 \2/p')
}

# await TEXT COMMAND...: until COMMAND succeeds; TEXT says what that means.
await() {
  local text=$1 deadline=$((SECONDS + patience))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || fail "waited $patience s for: $text"
    sleep 0.1
  done
}

# holds: whether the job has a worker that has saved, and is held.
holds() {
  [[ $(state_of "$job") != *FAILED* ]] || fail "job $job failed before it was disturbed"
  is_held
}

# submit_held ARGUMENT...: as submit, and waits until a worker of it has saved. There it is held until
# let_go, as is one of each later start of the job.
submit_held() {
  hold after-save:1
  submit "$@"
  await_held
}
await_held() { await "a checkpoint of job $job" holds; }

has_ended() {
  local states
  states=$(state_of "$1")
  if [[ $states == *PENDING* ]]; then
    hurry "$1"
  fi
  # no answer at all comes from a controller that is busy; a job passes through other states than
  # these (CONFIGURING, COMPLETING, REQUEUED, NODE_FAIL) on its way
  [[ $states ]] &&
    ! grep -qvxE 'COMPLETED|FAILED|CANCELLED|TIMEOUT|DEADLINE|OUT_OF_MEMORY' <<<"$states"
}

# await_end JOB: until every task of it has ended, however often it comes back.
await_end() { await "the end of job $1" has_ended "$1"; }

# starts_of DIRECTORY
starts_of() { wc -l <"$1/starts.jsonl"; }

# check_completed JOB DIRECTORY [CHECKSUM]: ended well, with the checksum of the undisturbed run.
check_completed() {
  local found
  ! state_of "$1" | grep -v COMPLETED >/dev/null || fail "job $1: $(state_of "$1")"
  found=$("$AUTOMBPO" inspect --checksum "$2")
  echo "$2: $found, $(starts_of "$2") starts"
  [[ -e $2/COMPLETE && $found == "${3:-$expected}" ]] || fail "$2: expected ${3:-$expected}"
}
