// SPDX-License-Identifier: Apache-2.0
#include "catalogue/lock_file.hpp"

#include <gtest/gtest.h>

namespace sheaf::catalogue {
namespace {

LockFile sample() {
  LockFile lock;
  lock.image = "debian:12@" + Digest::of("image").to_string();
  LockedLayer base;
  base.recipe.digest = Digest::of("recipe");
  base.content.digest = Digest::of("content");
  LockedLayer agent = base;
  agent.version = "1.2.3";
  agent.refreshed = 1795299658;
  agent.on_top_of = {"base"};
  agent.downloads = {{"https://example.org/a \"b\".tar", Digest::of("archive").to_string()}};
  lock.layers = {{"agent", agent}, {"base", base}};
  lock.packages = {"deb adduser 3.134 all", "npm @scope/name 1.0.0-rc.1"};
  return lock;
}

std::optional<LockFile> read(const std::string& text, std::string& mistakes) {
  Diagnostics diagnostics;
  auto lock = parse_lock(std::make_shared<const SourceText>("sheaf.lock", text), diagnostics);
  mistakes = diagnostics.render();
  return lock;
}

TEST(LockFile, IsReadAsItWasWritten) {
  std::string mistakes;
  const auto text = serialise(sample());
  const auto again = read(text, mistakes);
  ASSERT_TRUE(again) << mistakes;
  EXPECT_EQ(*again, sample());
  EXPECT_EQ(serialise(*again), text);
}

TEST(LockFile, AnyTextIsKept) {
  auto lock = sample();
  lock.packages = {"deb a: b # c", "npm \\\" 'x'", "pip \x01\x7f\t"};
  std::string mistakes;
  const auto again = read(serialise(lock), mistakes);
  ASSERT_TRUE(again) << mistakes;
  EXPECT_EQ(again->packages, lock.packages);
}

TEST(LockFile, AllMistakesAreReported) {
  std::string mistakes;
  EXPECT_FALSE(
      read("version: 1\nlayers:\n  A b: {}\n  a: {recipe: x}\n  b: {content: y, more: 1}\nlayer: {}\n", mistakes));
  for (const auto* mistake : {"'A b' is not a layer name", "'x' is no digest", "'y' is no digest", "unknown key 'more'",
                              "unknown key 'layer'"}) {
    EXPECT_NE(mistakes.find(mistake), std::string::npos) << mistake << "\n" << mistakes;
  }
}

TEST(LockFile, AnotherVersionIsRefusedAsAWhole) {
  std::string mistakes;
  EXPECT_FALSE(read("version: 2\nlayers: nonsense\n", mistakes));
  EXPECT_NE(mistakes.find("version 1 only"), std::string::npos) << mistakes;
  EXPECT_EQ(mistakes.find("nonsense"), std::string::npos) << mistakes;
}

TEST(LockFile, DifferencesNameLayersAndPackages) {
  auto now = sample();
  now.layers["agent"].version = "1.3.0";
  now.layers["base"].content.digest = Digest::of("other");
  now.layers["tool"] = now.layers["base"];
  now.packages = {"deb adduser 3.135 all", "deb zsh 5.9 amd64"};
  const std::vector<std::string> expected = {
      "updating layer agent 1.2.3 -> 1.3.0", "updating layer base", "adding layer tool",
      "updating deb adduser 3.134 -> 3.135", "adding deb zsh 5.9",  "removing npm @scope/name 1.0.0-rc.1"};
  EXPECT_EQ(differences(sample(), now), expected);
  EXPECT_TRUE(differences(now, now).empty());
}

} // namespace
} // namespace sheaf::catalogue
