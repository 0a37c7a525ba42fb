// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bytes of /etc/ld.so.cache as a value: reading what ldconfig wrote, and writing the same bytes that ldconfig
// would. Only glibc's own format 1.1, little-endian, with its extensions (glibc >= 2.33); docs/formats/ld-so-cache.md.

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::join {

/// One library of the cache.
struct CachedLibrary {
  std::string soname;
  std::string path;
  /// Kind and ABI, for example 0x303: ELF for glibc on x86-64.
  std::int32_t flags = 0;
  std::uint32_t os_version = 0;
  /// Bits of the CPU features it needs (glibc < 2.37); 0 if `subdirectory` is set.
  std::uint64_t hwcap = 0;
  /// Its glibc-hwcaps subdirectory, for example "x86-64-v3"; empty for none.
  std::string subdirectory;
  /// The ISA level it is marked with, 0..1023; only with a subdirectory.
  std::uint32_t isa_level = 0;
  bool operator==(const CachedLibrary&) const = default;
};

struct LdSoCacheFile {
  /// In file order.
  std::vector<CachedLibrary> libraries;
  /// Strings that no library uses: ldconfig leaves the names of empty glibc-hwcaps directories in the table.
  std::vector<std::string> unused_strings;
  /// "ldconfig (Debian GLIBC ...) ...".
  std::string generator;

  /// `corrupt` with the byte offset; `unsupported` for the old format, the other byte order, or no extensions.
  static Result<LdSoCacheFile> parse(std::string_view bytes);
  /// The bytes for `libraries` in their present order. Strings may not hold NUL.
  std::string print() const;
};

/// ldconfig's order of libraries: negative if `a` comes first, 0 if the order of their directories decides.
/// Source: glibc elf/cache.c (compare), elf/dl-cache.c (_dl_cache_libcmp).
int compare_libraries(const CachedLibrary& a, const CachedLibrary& b);

} // namespace sheaf::join
