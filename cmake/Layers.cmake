# SPDX-License-Identifier: Apache-2.0
# One static library per folder of src/. The list of layers a folder may include is said once, in its
# sheaf_layer() call; it links the target and feeds the test `lint.layers`.

set_property(GLOBAL PROPERTY SHEAF_LAYERS "")

# sheaf_layer(<name> SOURCES ... HEADERS ... [LAYERS ...] [LIBRARIES ...])
#   LAYERS: the folders whose headers this one may include. LIBRARIES: third-party, never visible to users of the folder.
function(sheaf_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;LAYERS;LIBRARIES" ${ARGN})
  add_library(sheaf_${name} STATIC ${arg_SOURCES})
  target_sources(sheaf_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${arg_HEADERS})
  target_link_libraries(sheaf_${name} PRIVATE sheaf_settings sheaf_warnings ${arg_LIBRARIES})
  target_link_libraries(sheaf_${name} PUBLIC tl::expected sheaf_dep_fmt)
  target_compile_features(sheaf_${name} PUBLIC cxx_std_20)
  set_target_properties(sheaf_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  foreach(layer IN LISTS arg_LAYERS)
    target_link_libraries(sheaf_${name} PUBLIC sheaf_${layer})
  endforeach()
  set_property(GLOBAL APPEND_STRING PROPERTY SHEAF_LAYERS "${name}: ${arg_LAYERS}\n")
endfunction()

# Writes the table that tools/check_layers.py reads.
function(sheaf_write_layers file)
  get_property(layers GLOBAL PROPERTY SHEAF_LAYERS)
  string(REPLACE ";" " " layers "${layers}")
  file(GENERATE OUTPUT ${file} CONTENT "${layers}")
endfunction()
