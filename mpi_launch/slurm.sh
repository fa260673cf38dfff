# shellcheck shell=bash disable=SC2154
# slurm.sh - one run, or its share of one, inside a Slurm job; needs supervise.sh. Sourced by the
# scripts *.sbatch, and part of what `autombpo launch` prints.

# slurm_stop TEXT: ends the job as failed.
slurm_stop() {
  note "$*"
  exit 1
}

# This job or array task, as scontrol names it. (SLURM_JOB_ID of one task is that of the array.)
slurm_job() {
  if [[ -n ${SLURM_ARRAY_JOB_ID-} ]]; then
    echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
  else
    echo "$SLURM_JOB_ID"
  fi
}

# Sets up the environment of every rank; without it Open MPI gets one core of each node.
slurm_environment() {
  local end
  mpi_environment
  export SLURM_WHOLE=1
  # newer versions of Slurm say it themselves
  if [[ -z ${SLURM_JOB_END_TIME-} ]]; then
    end=$(scontrol show job "$(slurm_job)" | sed -n 's/.* EndTime=\([0-9T:-]*\).*/\1/p')
    if [[ $end == 2* ]]; then
      SLURM_JOB_END_TIME=$(date -d "$end" +%s)
      export SLURM_JOB_END_TIME
    fi
  fi
}

# Puts this job back into the queue: it goes on from its checkpoints.
slurm_requeue() {
  note "$1: back into the queue"
  scontrol requeue "$(slurm_job)" ||
    slurm_stop "Slurm refused; submit the same script again, it goes on from the checkpoints"
  exit 0
}

# idle_starts DIRECTORY: how many starts it has recorded since something was last sealed or saved.
idle_starts() {
  local newest
  newest=$({ TZ=UTC0 find "$1" -name '*.h5' -printf '%TFT%TT\n' 2>/dev/null || true; } | sort |
    tail -n 1)
  { sed -n 's/^{"start":"\([^"]*\)Z".*/\1/p' "$1/starts.jsonl" 2>/dev/null || true; } |
    awk -v newest="${newest%.*}" '$0 > newest { n++ } END { print n + 0 }'
}

# slurm_run VERB ARGUMENT...: runs autombpo with a worker for each task of the job, and rank 0
# beside them; a single task is one process without MPI. Returns only when the run is complete. Else it
# exits, with 0 when the job is back in the queue, 75 when Slurm or scancel ended it, else it failed: also when
# too many starts in a row were stopped before they had sealed or saved anything.
slurm_run() {
  local program=${AUTOMBPO:-autombpo} tasks=${SLURM_NTASKS:-1} command=() directory before idle code=0
  catch_signals
  slurm_environment
  directory=$(run_directory "$program" "$@") || slurm_stop "no such run: $*"
  if ((tasks > 1)); then
    mpi_command $((tasks + 1)) none
    command=("${mpi[@]}")
  fi
  note "job $(slurm_job), start $((${SLURM_RESTART_COUNT:-0} + 1)), $tasks workers on" \
    "${SLURM_JOB_NODELIST:-?}: $directory"
  before=$(progress_of "$directory")
  supervise "$directory" "${AUTOMBPO_RESTARTS:-8}" "${command[@]}" "$program" "$@" || code=$?
  case $code:$supervise_stop in
  0:*) return 0 ;;
  75:TERM) exit 75 ;; # cancelled, or Slurm puts it back by itself
  75:*)
    # with too little time for a start, it would come back for ever
    idle=$(idle_starts "$directory")
    if ((idle > ${AUTOMBPO_RESTARTS:-8})); then
      slurm_stop "the last $idle starts sealed and saved nothing: run.max_wall or the job's time is" \
        "too short; submit the same script again with more"
    fi
    slurm_requeue "stopped with checkpoints"
    ;;
  1:*)
    # a broken node, perhaps: the next start gets others
    if [[ $(progress_of "$directory") != "$before" ]]; then
      slurm_requeue "this start made progress before it failed"
    fi
    ;;
  esac
  exit $code
}
