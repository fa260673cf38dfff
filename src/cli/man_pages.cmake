# man_pages.cmake - writes into OUTPUT a man page for each verb of PROGRAM, from what its --help says,
# and autombpo.1, which lists them. VERSION is that of the program.
set(ENV{ASAN_OPTIONS} detect_leaks=0)

# say(OUT ARGUMENT...): what PROGRAM prints.
function(say out)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_VARIABLE text RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${PROGRAM} ${ARGN}: exit code ${failed}")
  endif()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# roff(OUT TEXT): as roff shows it literally.
function(roff out text)
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# page(NAME MEANING HELP): the paragraph of usage is the synopsis, the rest the description.
# That is 80 columns wide already, so it is not indented.
function(page name meaning help)
  string(FIND "${help}" "\n\n" end)
  string(SUBSTRING "${help}" 0 ${end} usage)
  string(SUBSTRING "${help}" ${end} -1 rest)
  string(REGEX REPLACE "(^|\n)(usage:|      ) " "\\1" usage "${usage}")
  string(TOUPPER "${name}" title)
  foreach(part name meaning usage rest title)
    roff(${part} "${${part}}")
  endforeach()
  string(REPLACE "\\-" "-" file "${name}")
  file(WRITE ${OUTPUT}/${file}.1
    ".TH \"${title}\" 1 \"\" \"autombpo ${VERSION}\"\n.SH NAME\n${name} \\- ${meaning}\n"
    ".SH SYNOPSIS\n.nf\n${usage}\n.fi\n.SH DESCRIPTION\n.nf\n.in 0${rest}.fi\n"
    ".SH SEE ALSO\n.BR autombpo (1),\n.BR autombpo.yaml (5)\n")
endfunction()

file(REMOVE_RECURSE ${OUTPUT})
say(help --help)
string(FIND "${help}" "usage:" start)
string(SUBSTRING "${help}" ${start} -1 help)
page(autombpo "train populations of model-based RL runs on CPUs" "${help}")
string(REPLACE ";" "<semicolon>" help "${help}") # of a text, not of a list
string(REGEX MATCHALL "\n  [a-z]+ +[^\n]+" lines "${help}")
foreach(line ${lines})
  string(REGEX MATCH "\n  ([a-z]+) +(.+)" matched "${line}")
  set(verb ${CMAKE_MATCH_1})
  string(REPLACE "<semicolon>" ";" meaning "${CMAKE_MATCH_2}")
  say(help ${verb} --help)
  page(autombpo-${verb} "${meaning}" "${help}")
endforeach()
