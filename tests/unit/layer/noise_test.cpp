// SPDX-License-Identifier: Apache-2.0
#include "layer/noise.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace sheaf::layer {
namespace {

/// A path that the rule must drop.
std::string example_of(const NoiseRule& rule) {
  std::string path;
  for (const char c : rule.pattern) {
    path += c == '*' ? "x" : std::string(1, c);
  }
  return path;
}

TEST(Noise, EveryRuleDropsAnExampleOfIt) {
  for (const auto& rule : noise_rules()) {
    const auto path = example_of(rule);
    const auto* found = noise_at(path, PathIs::other);
    ASSERT_NE(found, nullptr) << path;
    EXPECT_EQ(found->pattern, rule.pattern) << path;
    EXPECT_FALSE(rule.reason.empty()) << path;
  }
}

TEST(Noise, KindsAreTheDocumentedOnes) {
  const std::set<std::string_view> kinds = {"log", "cache", "backup", "lock", "temporary", "runtime", "identity"};
  for (const auto& rule : noise_rules()) {
    EXPECT_TRUE(kinds.contains(rule.kind)) << rule.pattern;
  }
}

TEST(Noise, WhatIsBelowGoesButTheDirectoryStays) {
  for (const auto* path : {"tmp", "run", "var/tmp", "root/.cache", "var/lib/apt/lists"}) {
    EXPECT_EQ(noise_at(path, PathIs::directory), nullptr) << path;
    EXPECT_NE(noise_at(std::string(path) + "/a/b/.c", PathIs::other), nullptr) << path;
    EXPECT_NE(noise_at(std::string(path) + "/a", PathIs::directory), nullptr) << path;
  }
}

TEST(Noise, LogDirectoriesStayAndLogFilesGo) {
  EXPECT_EQ(noise_at("var/log/nginx", PathIs::directory), nullptr);
  EXPECT_EQ(noise_at("var/log", PathIs::directory), nullptr);
  ASSERT_NE(noise_at("var/log/apt/history.log", PathIs::other), nullptr);
  EXPECT_EQ(noise_at("var/log/apt/history.log", PathIs::other)->kind, "log");
}

/// A dotfile's folder is as much below a home as any other; "home/*/.cache/**" has two stars.
TEST(Noise, CachesOfEveryUserGoAtAnyDepth) {
  EXPECT_NE(noise_at("home/dev/.cache/pip", PathIs::directory), nullptr);
  EXPECT_NE(noise_at("home/dev/.cache/pip/http/x", PathIs::other), nullptr);
  EXPECT_NE(noise_at("home/dev/.npm/.hidden", PathIs::other), nullptr);
}

TEST(Noise, NeighboursStay) {
  for (const auto* path :
       {"tmpfile", "etc/passwd", "etc/hostname.d", "etc/hosts.allow", "var/lib/dpkg/status", "var/logs/a", "runtime/x",
        "home/dev/.cached", "etc/ssh/ssh_config", "opt/tmp/x", "usr/etc/machine-id"}) {
    EXPECT_EQ(noise_at(path, PathIs::other), nullptr) << path;
  }
}

} // namespace
} // namespace sheaf::layer
