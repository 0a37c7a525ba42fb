// SPDX-License-Identifier: Apache-2.0
// The merged ld.so.cache against the one that ldconfig writes for the composed root, byte by byte.

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view k_file = "etc/ld.so.cache";

/// Libraries to put into a root: path below it -> soname.
using Libraries = std::map<std::string, std::string>;

class Ldconfig : public testing::Test {
protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sheaf-ldconfig-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    m_directory = name;
    if (!run("PATH=$PATH:/sbin:/usr/sbin ldconfig --version") || !run("cc --version")) {
      GTEST_SKIP() << "ldconfig or cc is not installed";
    }
  }
  void TearDown() override { fs::remove_all(m_directory); }

  static bool run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

  /// The cache of a root with these libraries.
  std::string cache(std::initializer_list<Libraries> sets) {
    const auto root = m_directory / fmt::format("root{}", m_roots++);
    fs::create_directories(root / "etc");
    // /z before /a: the order of directories is the configuration's, not that of their names.
    std::ofstream(root / "etc/ld.so.conf") << "/opt/z\n/usr/local/lib\n/opt/a\n";
    for (const auto* directory :
         {"opt/z", "opt/a", "usr/local/lib", "lib", "usr/lib", "opt/a/glibc-hwcaps/x86-64-v2"}) {
      fs::create_directories(root / directory);
    }
    for (const auto& set : sets) {
      for (const auto& [path, soname] : set) {
        fs::create_directories((root / path).parent_path());
        fs::copy_file(library(soname), root / path, fs::copy_options::overwrite_existing);
      }
    }
    EXPECT_TRUE(run(fmt::format("PATH=$PATH:/sbin:/usr/sbin ldconfig -X -r {}", root.string())));
    std::ifstream file(root / k_file, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  fs::path library(const std::string& soname) {
    auto file = m_directory / soname;
    if (!fs::exists(file)) {
      EXPECT_TRUE(
          run(fmt::format("echo 'int x;' | cc -shared -nostdlib -x c - -o {} -Wl,-soname,{}", file.string(), soname)));
    }
    return file;
  }

  void expect_join(const Libraries& base, const Libraries& a, const Libraries& b) {
    const auto joined_cache = joined_text(k_file, cache({base}), {cache({base, a}), cache({base, b})});
    const auto expected = cache({base, a, b});
    EXPECT_GT(expected.size(), 48U);
    EXPECT_TRUE(joined_cache == expected);
    EXPECT_TRUE(reprinted(k_file, expected) == expected);
  }

  fs::path m_directory;
  int m_roots = 0;
};

TEST_F(Ldconfig, SmallTrees) {
  expect_join({{"usr/lib/libm.so.6", "libm.so.6"}, {"usr/lib/libc.so.6", "libc.so.6"}},
              {{"usr/lib/libz.so.1.2.13", "libz.so.1"}, {"usr/local/lib/libfoo-2.so.10", "libfoo-2.so.10"}},
              {{"usr/lib/libfoo-2.so.9", "libfoo-2.so.9"}, {"opt/a/lib1.so", "lib1.so"}, {"lib/liba.so", "liba.so"}});
}

TEST_F(Ldconfig, ManyLibraries) {
  Libraries base;
  Libraries a;
  Libraries b;
  for (int i = 0; i < 60; ++i) {
    const auto soname = fmt::format("lib{}{}.so.{}", static_cast<char>('a' + i * 7 % 26), i % 3 == 0 ? "-x" : "", i);
    (i % 3 == 0 ? base : i % 3 == 1 ? a : b)[fmt::format("{}/{}", i % 2 == 0 ? "usr/lib" : "opt/z", soname)] = soname;
  }
  expect_join(base, a, b);
}

TEST_F(Ldconfig, HardwareSubdirectories) {
  expect_join({{"usr/lib/libm.so.6", "libm.so.6"}, {"usr/lib/glibc-hwcaps/x86-64-v3/libm.so.6", "libm.so.6"}},
              {{"usr/lib/glibc-hwcaps/x86-64-v2/libm.so.6", "libm.so.6"}},
              {{"opt/z/libp.so.1", "libp.so.1"}, {"opt/z/glibc-hwcaps/x86-64-v4/libp.so.1", "libp.so.1"}});
}

TEST_F(Ldconfig, OneSonameInManyDirectories) {
  expect_join({{"usr/local/lib/libm.so.6", "libm.so.6"}}, {{"opt/z/libm.so.6", "libm.so.6"}},
              {{"opt/a/libm.so.6", "libm.so.6"}, {"usr/lib/libm.so.6", "libm.so.6"}});
}

} // namespace
} // namespace sheaf::join
