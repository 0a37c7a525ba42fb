// SPDX-License-Identifier: Apache-2.0
#include "layer/capture_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace sheaf::layer {
namespace {

/// A path that the rule fits.
std::string example_of(const CaptureRule& rule) {
  std::string path;
  for (std::size_t i = 0; i < rule.path.size(); ++i) {
    if (rule.path.compare(i, 5, "[0-9]") == 0) {
      path += "0";
      i += 4;
    } else {
      path += rule.path[i] == '*' ? 'x' : rule.path[i];
    }
  }
  return path;
}

const CaptureRule* dropping(const std::string& path, PathIs what) {
  static const CaptureRules rules;
  return rules.dropping(path, what);
}

TEST(CaptureRules, EveryRuleDecidesAboutAnExampleOfIt) {
  const CaptureRules rules;
  for (const auto& rule : builtin_capture_rules()) {
    const auto path = example_of(rule);
    const auto* found = rules.dropping(path, rule.target.empty() ? PathIs::other : PathIs::link, rule.target);
    if (rule.kind == "keep") {
      EXPECT_EQ(found, nullptr) << path;
    } else {
      ASSERT_NE(found, nullptr) << path;
      EXPECT_EQ(found->path, rule.path) << path;
    }
    EXPECT_FALSE(rule.reason.empty()) << path;
  }
}

TEST(CaptureRules, ClassesAreTheDocumentedOnes) {
  for (const auto& rule : builtin_capture_rules()) {
    EXPECT_NE(std::ranges::find(k_capture_classes, rule.kind), k_capture_classes.end()) << rule.path;
  }
}

TEST(CaptureRules, NoRuleIsThereTwice) {
  std::set<std::string> paths;
  for (const auto& rule : builtin_capture_rules()) {
    EXPECT_TRUE(paths.insert(rule.path).second) << rule.path;
  }
}

TEST(CaptureRules, WhatIsBelowGoesButTheDirectoryStays) {
  for (const auto* path : {"tmp", "run", "var/tmp", "root/.cache", "var/lib/apt/lists"}) {
    EXPECT_EQ(dropping(path, PathIs::directory), nullptr) << path;
    EXPECT_NE(dropping(std::string(path) + "/a/b/.c", PathIs::other), nullptr) << path;
    EXPECT_NE(dropping(std::string(path) + "/a", PathIs::directory), nullptr) << path;
  }
}

/// The owner of /var/log/postgresql and the link of a web server's log to /dev/stdout are part of the layer.
TEST(CaptureRules, LogDirectoriesAndLinksStayAndLogFilesGo) {
  EXPECT_EQ(dropping("var/log/nginx", PathIs::directory), nullptr);
  EXPECT_EQ(dropping("var/log/nginx/access.log", PathIs::link), nullptr);
  EXPECT_EQ(dropping("var/log", PathIs::directory), nullptr);
  ASSERT_NE(dropping("var/log/apt/history.log", PathIs::other), nullptr);
  EXPECT_EQ(dropping("var/log/apt/history.log", PathIs::other)->kind, "log");
}

/// A dotfile's folder is as much below a home as any other; "home/*/.cache/**" has two stars.
TEST(CaptureRules, CachesOfEveryUserGoAtAnyDepth) {
  EXPECT_NE(dropping("home/dev/.cache/pip", PathIs::directory), nullptr);
  EXPECT_NE(dropping("home/dev/.cache/pip/http/x", PathIs::other), nullptr);
  EXPECT_NE(dropping("home/dev/.npm/.hidden", PathIs::other), nullptr);
}

TEST(CaptureRules, ProgramsThatLieInACacheStay) {
  EXPECT_EQ(dropping("home/dev/.cache/ms-playwright", PathIs::directory), nullptr);
  EXPECT_EQ(dropping("home/dev/.cache/ms-playwright/chromium-1/chrome", PathIs::other), nullptr);
  EXPECT_EQ(dropping("root/.cache", PathIs::directory), nullptr);
}

TEST(CaptureRules, ALayersOwnRowsWinInTheOrderWritten) {
  const CaptureRules rules(
      {{"var/log/audit/**", "keep", "read by the tests"}, {"opt/x/keep/**", "keep", "a"}, {"opt/x/**", "cache", "b"}});
  EXPECT_EQ(rules.dropping("var/log/audit/a.log", PathIs::other), nullptr);
  EXPECT_NE(rules.dropping("var/log/a.log", PathIs::other), nullptr);
  EXPECT_EQ(rules.dropping("opt/x/keep", PathIs::directory), nullptr);
  EXPECT_EQ(rules.dropping("opt/x/keep/a", PathIs::other), nullptr);
  ASSERT_NE(rules.dropping("opt/x/other", PathIs::directory), nullptr);
  EXPECT_EQ(rules.dropping("opt/x/other", PathIs::directory)->reason, "b");
  EXPECT_EQ(rules.all().size(), builtin_capture_rules().size() + 3);
}

/// A directory is dropped as a whole only when nothing below it can be kept.
TEST(CaptureRules, ADirectoryOnTheWayToWhatIsKeptStays) {
  const CaptureRules rules({{"var/cache/apt/*/deep/file", "keep", "r"}});
  EXPECT_EQ(rules.dropping("var/cache/apt/a", PathIs::directory), nullptr);
  EXPECT_EQ(rules.dropping("var/cache/apt/a/deep", PathIs::directory), nullptr);
  EXPECT_EQ(rules.dropping("var/cache/apt/a/deep/file", PathIs::other), nullptr);
  EXPECT_NE(rules.dropping("var/cache/apt/a/deep/other", PathIs::other), nullptr);
  EXPECT_NE(rules.dropping("var/cache/apt/a/flat", PathIs::directory), nullptr);
}

TEST(CaptureRules, OnlyALinkWithTheTargetFitsARowThatNamesOne) {
  const CaptureRules rules;
  EXPECT_NE(rules.dropping("etc/ssl/certs/1234abcd.0", PathIs::link, "ssl-cert-snakeoil.pem"), nullptr);
  EXPECT_EQ(rules.dropping("etc/ssl/certs/1234abcd.0", PathIs::link, "ca.pem"), nullptr);
  EXPECT_EQ(rules.dropping("etc/ssl/certs/1234abcd.0", PathIs::other), nullptr);
}

TEST(CaptureRules, AClusterGoesButItsDirectoryStays) {
  EXPECT_EQ(dropping("var/lib/postgresql/15/main", PathIs::directory), nullptr);
  EXPECT_NE(dropping("var/lib/postgresql/15/main/base", PathIs::directory), nullptr);
  EXPECT_EQ(dropping("etc/postgresql/15/main/postgresql.conf", PathIs::other), nullptr);
}

TEST(CaptureRules, NeighboursStay) {
  for (const auto* path :
       {"tmpfile", "etc/passwd", "etc/hostname.d", "etc/hosts.allow", "var/lib/dpkg/status", "var/logs/a", "runtime/x",
        "home/dev/.cached", "etc/ssh/ssh_config", "opt/tmp/x", "usr/etc/machine-id", "var/cache/fontconfig/a",
        "var/lib/ucf/hashfile", "usr/lib/python3/__pycache__/a.pyc", "root/.cargo/bin/tool", "root/go/pkg/mod/a",
        "var/lib/dpkg/info/bash.list", "home/dev/.config/go/env", "var/lib/postgresql/.psqlrc"}) {
    EXPECT_EQ(dropping(path, PathIs::other), nullptr) << path;
  }
}

} // namespace
} // namespace sheaf::layer
