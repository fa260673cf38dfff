# program_id.cmake - writes OUTPUT, a C file with the id of the program: a hash of its sources and of
# FLAGS, those that might change results. The CPU, the compiler and how much it optimises change none
# (tests/bits); places, times, documents and tests do not count.
file(GLOB_RECURSE files RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/src/*.c ${SOURCE_DIR}/src/*.cpp
  ${SOURCE_DIR}/src/*.h ${SOURCE_DIR}/include/*.h)
list(SORT files)
set(said "${FLAGS}\n")
foreach(file ${files})
  file(SHA256 ${SOURCE_DIR}/${file} hash)
  string(APPEND said "${file} ${hash}\n")
endforeach()

string(SHA256 id "${said}")
string(SUBSTRING ${id} 0 16 id)
# For people, beside the id: the commit that the sources were checked out at when they were compiled.
find_program(git git)
set(revision "")
if(git AND EXISTS ${SOURCE_DIR}/.git)
  execute_process(COMMAND ${git} -c safe.directory=${SOURCE_DIR} -C ${SOURCE_DIR} describe --always
    --dirty --abbrev=12 OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT revision)
  set(revision "unknown")  # no git, or no repository
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#include \"run/program.h\"

const char program_id[] = \"${id}\";
const char program_revision[] = \"${revision}\";
")
