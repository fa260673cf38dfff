# install.cmake - what `cmake --install` and `cpack` put where.
#
# An installed copy is whole and can be moved: the program looks for share/autombpo beside its bin/,
# scripts for each other beside themselves, and what names a prefix (pkg-config, CMake package, module
# file) works it out from its own place.
include(CMakePackageConfigHelpers)
set(share ${CMAKE_INSTALL_DATADIR}/autombpo)
set(made ${CMAKE_BINARY_DIR}/packaging)

install(TARGETS autombpo)
install(DIRECTORY configs DESTINATION ${share})
install(FILES LICENSE README.md CHANGELOG.md CITATION.cff TYPE DOC)
install(DIRECTORY docs/ TYPE DOC)
install(DIRECTORY ${said}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${said}/autombpo.yaml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES ${said}/autombpo DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${said}/_autombpo DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${said}/autombpo.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# The scripts, and in bin/ a link autombpo-NAME to those that people call.
set(commands local plot report export import)
file(RELATIVE_PATH place ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_DATADIR}/autombpo/mpi_launch)
file(MAKE_DIRECTORY ${made}/bin)
foreach(name ${commands})
  install(PROGRAMS mpi_launch/${name} DESTINATION ${share}/mpi_launch)
  file(CREATE_LINK ${place}/${name} ${made}/bin/autombpo-${name} SYMBOLIC)
  install(FILES ${made}/bin/autombpo-${name} TYPE BIN)
endforeach()
file(GLOB sourced mpi_launch/*.sh mpi_launch/*.sbatch)
install(FILES ${sourced} DESTINATION ${share}/mpi_launch)
install(DIRECTORY analysis/src DESTINATION ${share}/analysis PATTERN "__pycache__" EXCLUDE
  PATTERN "*.egg-info" EXCLUDE)

file(CONFIGURE OUTPUT ${made}/module/${PROJECT_VERSION} @ONLY CONTENT [=[#%Module1.0
# autombpo @PROJECT_VERSION@, for Environment Modules and Lmod: module use PREFIX/share/modulefiles
set prefix [file dirname [file dirname [file dirname [file dirname [file normalize $ModulesCurrentModulefile]]]]]
module-whatis "autombpo @PROJECT_VERSION@: populations of model-based RL runs on CPUs, over MPI"
conflict autombpo
prepend-path PATH $prefix/@CMAKE_INSTALL_BINDIR@
prepend-path MANPATH $prefix/@CMAKE_INSTALL_MANDIR@
prepend-path PKG_CONFIG_PATH $prefix/@CMAKE_INSTALL_DATADIR@/pkgconfig
prepend-path CMAKE_PREFIX_PATH $prefix
setenv AUTOMBPO $prefix/@CMAKE_INSTALL_BINDIR@/autombpo
setenv AUTOMBPO_HOME $prefix/@CMAKE_INSTALL_DATADIR@/autombpo
]=])
install(FILES ${made}/module/${PROJECT_VERSION}
  DESTINATION ${CMAKE_INSTALL_DATADIR}/modulefiles/autombpo)

# The interface for tasks of one's own (docs/examples/env_plugin): a header, and how to find it.
install(FILES include/env/plugin.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/autombpo
  RENAME env_plugin.h COMPONENT plugin)
file(CONFIGURE OUTPUT ${made}/autombpo.pc @ONLY CONTENT [[prefix=${pcfiledir}/../..
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: autombpo
Description: Interface for tasks of one's own of autombpo (a header)
Version: @PROJECT_VERSION@
Cflags: -I${includedir}
]])
file(CONFIGURE OUTPUT ${made}/autombpo-config.cmake @ONLY CONTENT [[# find_package(autombpo) gives autombpo::plugin, the header of tasks of one's own.
get_filename_component(autombpo_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET autombpo::plugin)
  add_library(autombpo::plugin INTERFACE IMPORTED)
  set_target_properties(autombpo::plugin PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${autombpo_prefix}/@CMAKE_INSTALL_INCLUDEDIR@")
endif()
]])
write_basic_package_version_file(${made}/autombpo-config-version.cmake VERSION ${PROJECT_VERSION}
  COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES ${made}/autombpo.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig COMPONENT plugin)
install(FILES ${made}/autombpo-config.cmake ${made}/autombpo-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_DATADIR}/cmake/autombpo COMPONENT plugin)

# The Debian package, in one piece. Built from the preset `portable`, it runs on any CPU with AVX2.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "autombpo")
set(CPACK_PACKAGE_CONTACT "the maintainers of autombpo <maintainers@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "trains populations of model-based RL runs over MPI")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "openmpi-bin, procps")  # the scripts watch over processes
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
  "python3-numpy, python3-h5py, python3-matplotlib, python3-jinja2, python3-munkres, python3-yaml")
include(CPack)
