# program_id.cmake - writes OUTPUT, a C file with the id of the program: a hash of its sources, of what
# COMPILER says about itself and this CPU under FLAGS, and of the text of OTHERS (the C++ compiler, and
# what else the build was told). Places, times, documents and tests do not count.
file(GLOB_RECURSE files RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/src/*.c ${SOURCE_DIR}/src/*.cpp
  ${SOURCE_DIR}/src/*.h ${SOURCE_DIR}/include/*.h)
list(SORT files)
set(said "${FLAGS}\n${OTHERS}\n")
foreach(file ${files})
  file(SHA256 ${SOURCE_DIR}/${file} hash)
  string(APPEND said "${file} ${hash}\n")
endforeach()

separate_arguments(arguments NATIVE_COMMAND "${FLAGS}")
execute_process(COMMAND ${COMPILER} ${arguments} -dM -E -x c /dev/null OUTPUT_VARIABLE macros
  RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${COMPILER} ${FLAGS} does not say what it is")
endif()

string(SHA256 id "${said}${macros}")
string(SUBSTRING ${id} 0 16 id)
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT
  "#include \"run/program.h\"\n\nconst char program_id[] = \"${id}\";\n")
