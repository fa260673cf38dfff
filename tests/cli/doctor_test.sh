#!/usr/bin/env bash
# doctor names what is no good and what to do about it, ends with 1 then, and leaves nothing behind. How
# busy the machine is that tests run on is not judged.
source "$(dirname "$0")/common.sh"
# doctor DIR: its lines but that of the load
doctor() { "$program" doctor "$@" >all 2>&1; grep -v ' load ' all >out; }

mkdir place
doctor place || true
for topic in program kernel libraries cores threads memory directory disk sync links clock; do
  says "^(ok|BAD ) +$topic "
done
if command -v mpirun >/dev/null; then
  says "^ok +mpi +MPI connects 2 ranks, a message there and back in [0-9]+ us"
fi
[[ -z $(ls -A place) ]] || fail "it left files behind: $(ls -A place)"

code=0
PATH=/nowhere "$program" doctor place >out 2>&1 || code=$?
[[ $code == 1 ]] || fail "without mpirun: exit code $code"
says "^BAD +mpi +no mpirun on the PATH: load the MPI"
says "need a look$"

code=0
"$program" doctor nowhere >out 2>&1 || code=$?
[[ $code == 1 ]] || fail "no directory: exit code $code"
says "^BAD +directory +nowhere is not there: mkdir -p it"
expect 2 usage doctor one two

# A mpirun that hangs or fails is told of.
mkdir tools
printf '#!/bin/sh\necho no slots; exit 3\n' >tools/mpirun
chmod +x tools/mpirun
PATH=$PWD/tools:$PATH "$program" doctor place >out 2>&1 || true
says "^BAD +mpi +mpirun ended with 3: no slots"
(ulimit -Sv 8000000 && "$program" doctor place >out 2>&1) || true
says "^BAD +limits +address space is limited: ulimit -v unlimited"
