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

class MachineFiles : public testing::TestWithParam<std::string> {};

TEST_P(MachineFiles, RoundTrip) {
  const auto& file = GetParam();
  const auto text = read("/" + file).value();
  EXPECT_TRUE(reprinted(file, text) == text) << file;
}

/// Those that this machine has, and lets us read.
std::vector<std::string> those_that_are_here() {
  // Not extended_states: apt keeps no order, and ours is canonical.
  std::vector<std::string> files = {"var/lib/dpkg/status",
                                    "var/lib/dpkg/diversions",
                                    "var/lib/dpkg/statoverride",
                                    "var/lib/dpkg/triggers/File",
                                    "var/lib/dpkg/triggers/ldconfig",
                                    "var/cache/debconf/config.dat",
                                    "var/cache/debconf/templates.dat",
                                    "etc/passwd",
                                    "etc/group",
                                    "etc/shadow",
                                    "etc/gshadow",
                                    "etc/subuid",
                                    "etc/subgid",
                                    "etc/shells",
                                    "etc/environment",
                                    "etc/ca-certificates.conf",
                                    "etc/locale.gen",
                                    "etc/sgml/catalog",
                                    "var/lib/shells.state",
                                    "etc/ld.so.cache",
                                    "var/lib/dpkg/alternatives/awk",
                                    "var/lib/dpkg/alternatives/editor"};
  std::erase_if(files, [](const auto& file) { return read("/" + file).value_or("").empty(); });
  return files;
}

INSTANTIATE_TEST_SUITE_P(All, MachineFiles, testing::ValuesIn(those_that_are_here()));

} // namespace
} // namespace sheaf::join
