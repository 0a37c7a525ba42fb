// SPDX-License-Identifier: Apache-2.0
#include "join/ld_so_cache.hpp"
#include "join/ld_so_cache_file.hpp"

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

constexpr std::string_view k_file = "etc/ld.so.cache";

/// A cache of those paths, in this order; the soname is the file name.
std::string cache(const std::vector<std::string>& paths) {
  LdSoCacheFile file;
  for (const auto& path : paths) {
    file.libraries.push_back({path.substr(path.rfind('/') + 1), path, 0x303, 0, 0, {}, 0});
  }
  file.generator = "ldconfig";
  return file.print();
}

TEST(LdSoCache, UnitesLibraries) {
  EXPECT_EQ(joined_text(k_file, cache({"/lib/libm.so"}),
                        {cache({"/lib/libz.so", "/lib/libm.so"}), cache({"/lib/libm.so", "/opt/liba.so.1"})}),
            cache({"/lib/libz.so", "/lib/libm.so", "/opt/liba.so.1"}));
}

TEST(LdSoCache, KeepsTheOrderOfDirectories) {
  EXPECT_EQ(reprinted(k_file, cache({"/z/l.so", "/a/l.so", "/m/l.so"})), cache({"/z/l.so", "/a/l.so", "/m/l.so"}));
  EXPECT_EQ(joined_text(k_file, cache({"/m/l.so"}), {cache({"/z/l.so", "/m/l.so"}), cache({"/m/l.so", "/a/l.so"})}),
            cache({"/z/l.so", "/m/l.so", "/a/l.so"}));
  EXPECT_EQ(joined_text(k_file, cache({"/m/l.so"}), {cache({"/z/l.so", "/m/l.so"}), cache({"/a/l.so", "/m/l.so"})}),
            cache({"/a/l.so", "/z/l.so", "/m/l.so"}));
  EXPECT_EQ(joined_text(k_file, cache({"/z/l.so", "/b/l.so", "/a/l.so"}),
                        {cache({"/z/l.so", "/a/l.so"}), cache({"/z/l.so", "/b/l.so", "/a/l.so", "/0/l.so"})}),
            cache({"/z/l.so", "/a/l.so", "/0/l.so"}));
}

TEST(LdSoCache, ContradictingOrdersEndByPath) {
  EXPECT_EQ(joined_text(k_file, cache({}), {cache({"/a/l.so", "/b/l.so"}), cache({"/b/l.so", "/a/l.so"})}),
            cache({"/a/l.so", "/b/l.so"}));
}

TEST(LdSoCache, RefusesForeignRecords) {
  const LdSoCache driver;
  for (const auto key : {"x", "library", "library\ta", "library\ta\tg\t0\t0x0\t/a", "library\ta\t1\t0\t:1\t/a",
                         "library\ta\t1\t0\t0\t/a"}) {
    EXPECT_FALSE(driver.print(k_file, {{key, ""}})) << key;
  }
  EXPECT_FALSE(driver.print(k_file, {{std::string("string\t\0", 8), ""}}));
  EXPECT_FALSE(driver.print(k_file, {{std::string("library\ta\0\t1\t0\t0x0\t/a", 22), ""}}));
}

} // namespace
} // namespace sheaf::join
