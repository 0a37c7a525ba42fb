# SPDX-License-Identifier: Apache-2.0
# sheaf_embed(<target> <directory>): compiles every file below <directory> into <target> as a table
# (see src/catalogue/builtin.hpp for the reader). Paths are relative to <directory>.
function(sheaf_embed target directory)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS LIST_DIRECTORIES false ${directory}/*)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded_data.cpp)
  add_custom_command(OUTPUT ${output}
    COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/embed_data.py ${directory} ${output}
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/tools/embed_data.py
    COMMENT "Embedding ${directory}")
  target_sources(${target} PRIVATE ${output})
endfunction()
