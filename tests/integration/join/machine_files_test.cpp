// SPDX-License-Identifier: Apache-2.0
// The databases of the machine the test runs on: reading and printing them must give the same bytes.

#include <fstream>
#include <sstream>

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

std::optional<std::string> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class MachineFiles : public testing::TestWithParam<const char*> {};

TEST_P(MachineFiles, RoundTrip) {
  const std::string file = GetParam();
  const auto text = read("/" + file);
  if (!text || text->empty()) {
    GTEST_SKIP() << "there is no readable /" << file;
  }
  EXPECT_TRUE(reprinted(file, *text) == *text) << file;
}

// Not extended_states: apt keeps no order, and ours is canonical.
INSTANTIATE_TEST_SUITE_P(All, MachineFiles,
                         testing::Values("var/lib/dpkg/status", "var/lib/dpkg/diversions", "var/lib/dpkg/statoverride",
                                         "var/lib/dpkg/triggers/File", "var/lib/dpkg/triggers/ldconfig",
                                         "var/cache/debconf/config.dat", "var/cache/debconf/templates.dat",
                                         "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/subuid",
                                         "etc/subgid", "etc/shells", "etc/environment", "etc/ca-certificates.conf",
                                         "etc/locale.gen", "etc/sgml/catalog", "var/lib/shells.state",
                                         "etc/ld.so.cache", "var/lib/dpkg/alternatives/awk",
                                         "var/lib/dpkg/alternatives/editor"));

} // namespace
} // namespace sheaf::join
