# SPDX-License-Identifier: Apache-2.0
# Developer targets: format, check-format, tidy.

find_package(Python3 REQUIRED COMPONENTS Interpreter)

file(GLOB_RECURSE SHEAF_ALL_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/src/*.[ch]pp ${PROJECT_SOURCE_DIR}/tests/*.[ch]pp ${PROJECT_SOURCE_DIR}/bench/*.[ch]pp)
find_program(SHEAF_CLANG_FORMAT NAMES clang-format-14 clang-format)
if(SHEAF_CLANG_FORMAT)
  add_custom_target(format COMMAND ${SHEAF_CLANG_FORMAT} -i ${SHEAF_ALL_SOURCES} VERBATIM)
  add_custom_target(check-format COMMAND ${SHEAF_CLANG_FORMAT} --dry-run --Werror ${SHEAF_ALL_SOURCES} VERBATIM)
endif()
find_program(SHEAF_RUN_CLANG_TIDY NAMES run-clang-tidy-14 run-clang-tidy)
if(SHEAF_RUN_CLANG_TIDY)
  add_custom_target(tidy COMMAND ${SHEAF_RUN_CLANG_TIDY} -quiet -p ${CMAKE_BINARY_DIR} "${PROJECT_SOURCE_DIR}/src/.*" VERBATIM)
endif()
