# SPDX-License-Identifier: Apache-2.0
# Compiler settings as INTERFACE targets, linked PRIVATE by our own targets only.

add_library(sheaf_settings INTERFACE)
target_compile_features(sheaf_settings INTERFACE cxx_std_20)
target_compile_definitions(sheaf_settings INTERFACE _GNU_SOURCE SHEAF_VERSION="${PROJECT_VERSION}")
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
if(SHEAF_SANITIZE)
  target_compile_options(sheaf_settings INTERFACE -fsanitize=${SHEAF_SANITIZE} -fno-omit-frame-pointer)
  if(SHEAF_SANITIZE MATCHES undefined) # which says what it found and goes on, unless told to stop
    target_compile_options(sheaf_settings INTERFACE -fno-sanitize-recover=all)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # vptr looks at an object through a pipe, and takes a lack of descriptors for a wrong type. The others note every
      # access of memory: 230 MB to be relocated at each start of the program. The fuzz targets have them, by clang.
      target_compile_options(sheaf_settings INTERFACE -fno-sanitize=vptr,null,alignment,object-size)
    endif()
  endif()
  string(REPLACE "fuzzer-no-link," "" sheaf_link_sanitize "${SHEAF_SANITIZE}")
  target_link_options(sheaf_settings INTERFACE -fsanitize=${sheaf_link_sanitize})
endif()
# Our own source paths must not reach the binary: error locations are relative to the project.
target_compile_options(sheaf_settings INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

add_library(sheaf_warnings INTERFACE)
target_compile_options(sheaf_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wconversion -Wsign-conversion -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough)
if(SHEAF_WERROR)
  target_compile_options(sheaf_warnings INTERFACE -Werror)
endif()
# g++ 12 reports null dereferences, overlaps and uninitialised members inside inlined std::optional, std::string and
# tl::expected code that cannot happen; clang-tidy and the sanitizer builds look for the real ones.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(sheaf_warnings INTERFACE -Wno-null-dereference -Wno-restrict -Wno-maybe-uninitialized)
endif()

find_program(SHEAF_CCACHE ccache)
if(SHEAF_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${SHEAF_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SHEAF_CCACHE})
endif()
