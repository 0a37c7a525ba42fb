// SPDX-License-Identifier: Apache-2.0
#include "join/extended_states.hpp"

#include <fmt/format.h>

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

constexpr std::string_view k_file = "var/lib/apt/extended_states";
constexpr std::string_view k_status = "var/lib/dpkg/status";

std::string mark(std::string_view package, int automatic = 1) {
  return fmt::format("Package: {}\nArchitecture: amd64\nAuto-Installed: {}\n\n", package, automatic);
}
std::string installed(std::string_view package, std::string_view architecture = "amd64") {
  return fmt::format("Package: {}\nStatus: install ok installed\nArchitecture: {}\nVersion: 1\n\n", package,
                     architecture);
}
NamedFacts layer(std::string name, std::string status, std::string marks) {
  return {std::move(name),
          facts_of({}, {{std::string(k_file), std::move(marks)}, {std::string(k_status), std::move(status)}})};
}

TEST(ExtendedStates, SortsByPackage) {
  EXPECT_EQ(joined_text(k_file, mark("z"), {mark("z") + mark("b"), mark("z") + mark("a")}),
            mark("a") + mark("b") + mark("z"));
}

TEST(ExtendedStates, ManualWins) {
  EXPECT_EQ(joined_text(k_file, "", {mark("a", 1), mark("a", 0)}), mark("a", 0));
  EXPECT_EQ(joined_text(k_file, mark("a", 0) + mark("b"), {mark("b"), mark("a", 1) + mark("b")}), mark("b"));
}

TEST(ExtendedStates, APackageThatSomeLayerAskedForIsManual) {
  const auto asks = layer("asks", installed("doc", "all") + installed("jq") + installed("libonig"), mark("libonig"));
  const auto uses = layer("uses", installed("doc", "all") + installed("jq") + installed("libonig"),
                          mark("doc") + mark("jq") + mark("libonig"));
  EXPECT_EQ(join_facts({}, {asks, uses}).files.at(std::string(k_file)), mark("libonig"));
  EXPECT_EQ(join_facts({}, {uses, asks}).files.at(std::string(k_file)), mark("libonig"));
}

} // namespace
} // namespace sheaf::join
