// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "plan/layer_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace sheaf::plan {
namespace {

using testing::ElementsAre;
using testing::Pair;

ConfigDelta with(const std::string& name, const std::string& value) {
  ConfigDelta delta;
  delta.environment[name] = value;
  return delta;
}

std::string path_after(const std::vector<const ConfigDelta*>& deltas) { return compose_environment(deltas).at("PATH"); }

TEST(ComposeEnvironment, StartsWithTheDefaultPath) {
  EXPECT_THAT(compose_environment({}), ElementsAre(Pair("PATH", k_default_path)));
}

TEST(ComposeEnvironment, PathKeepsWhatEachSiblingAddedInFront) {
  const auto go = with("PATH", std::string("/go/bin:") + k_default_path);
  const auto node = with("PATH", std::string("/node/bin:") + k_default_path);
  EXPECT_EQ(path_after({&go, &node}), std::string("/node/bin:/go/bin:") + k_default_path);
  EXPECT_EQ(path_after({&go, &go}), std::string("/go/bin:") + k_default_path);
}

TEST(ComposeEnvironment, PathHoldsTheSameFoldersInAnyOrderOfSiblings) {
  const auto a = with("PATH", std::string("/a:/shared:") + k_default_path);
  const auto b = with("PATH", std::string("/b:/shared:") + k_default_path);
  const auto folders = [](const std::string& path) {
    const auto parts = split(path, ':');
    return std::multiset<std::string>(parts.begin(), parts.end());
  };
  EXPECT_EQ(folders(path_after({&a, &b})), folders(path_after({&b, &a})));
}

/// "PATH=$PATH:/x" was written to come last; in front it would hide the system's programs.
TEST(ComposeEnvironment, WhatWasAppendedStaysBehind) {
  const auto extra = with("PATH", std::string(k_default_path) + ":/extra");
  EXPECT_EQ(path_after({&extra}), std::string(k_default_path) + ":/extra");
}

TEST(ComposeEnvironment, OtherVariablesAreTheLastOnes) {
  const auto one = with("EDITOR", "ed");
  const auto two = with("EDITOR", "vi");
  EXPECT_EQ(compose_environment({&one, &two}).at("EDITOR"), "vi");
}

TEST(ComposeEnvironment, OtherListsMergeToo) {
  const auto one = with("LD_LIBRARY_PATH", "/a");
  const auto two = with("LD_LIBRARY_PATH", "/b");
  EXPECT_EQ(compose_environment({&one, &two}).at("LD_LIBRARY_PATH"), "/b:/a");
}

/// Not everything that ends in _PATH is a list: puppeteer's browser is one file.
TEST(ComposeEnvironment, ASinglePathIsReplaced) {
  const auto one = with("PUPPETEER_EXECUTABLE_PATH", "/usr/bin/chromium");
  const auto two = with("PUPPETEER_EXECUTABLE_PATH", "/opt/chrome");
  EXPECT_EQ(compose_environment({&one, &two}).at("PUPPETEER_EXECUTABLE_PATH"), "/opt/chrome");
}

TEST(ComposeConfig, ALaterWordWinsAndSilenceKeeps) {
  ConfigDelta one;
  one.user = "a";
  one.directory = "/a";
  one.command = {"a"};
  one.labels = {{"x", "1"}, {"y", "1"}};
  ConfigDelta two;
  two.user = "b";
  two.labels = {{"y", "2"}};
  const auto config = compose_config({&one, &two});
  EXPECT_EQ(config.user, "b");
  EXPECT_EQ(config.directory, "/a");
  EXPECT_THAT(config.command, ElementsAre("a"));
  EXPECT_THAT(config.labels, ElementsAre(Pair("x", "1"), Pair("y", "2")));
}

} // namespace
} // namespace sheaf::plan
