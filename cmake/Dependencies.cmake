# SPDX-License-Identifier: Apache-2.0
# Third-party libraries. Where Debian ships an archive (.a) we link it: the program is executed again for
# every build step, and each shared library less is start-up time saved in every step.

find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_path(SHEAF_TOML_INCLUDE toml++/toml.h REQUIRED) # headers alone, of libtomlplusplus-dev

# Debian has fmt as a shared library or as headers; the archive is ours.
add_library(sheaf_dep_fmt STATIC ${PROJECT_SOURCE_DIR}/cmake/fmt.cpp)
target_include_directories(sheaf_dep_fmt SYSTEM PUBLIC $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_features(sheaf_dep_fmt PUBLIC cxx_std_20)
target_link_libraries(sheaf_dep_fmt PRIVATE sheaf_settings)

# sheaf_archive(<target> <archive> [<link libraries>...]): an INTERFACE target for a static library of Debian.
function(sheaf_archive target archive)
  find_library(SHEAF_${target}_LIBRARY NAMES ${archive} REQUIRED)
  add_library(sheaf_dep_${target} INTERFACE)
  target_link_libraries(sheaf_dep_${target} INTERFACE ${SHEAF_${target}_LIBRARY} ${ARGN})
endfunction()

sheaf_archive(libyaml libyaml.a)
sheaf_archive(crypto libcrypto.a Threads::Threads ${CMAKE_DL_LIBS})
sheaf_archive(sqlite libsqlite3.a Threads::Threads ${CMAKE_DL_LIBS} m)
sheaf_archive(seccomp libseccomp.a)
sheaf_archive(zlib libz.a)
sheaf_archive(deflate libdeflate.a)
sheaf_archive(zstd libzstd.a Threads::Threads)
sheaf_archive(lzma liblzma.a Threads::Threads)
sheaf_archive(bzip2 libbz2.a)
# Only tar and these filters are enabled, so that what else Debian's libarchive could need (libxml2, libacl, lz4, nettle)
# is never pulled in by the linker.
sheaf_archive(archive libarchive.a sheaf_dep_zstd sheaf_dep_lzma sheaf_dep_bzip2 sheaf_dep_zlib)
