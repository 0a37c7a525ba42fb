// SPDX-License-Identifier: Apache-2.0
#include "plan/layer_files.hpp"

#include <gtest/gtest.h>

namespace sheaf::plan {
namespace {

TEST(LayerFiles, PatternsAreThoseOfCopy) {
  EXPECT_TRUE(names_file(".", "a/b"));
  EXPECT_TRUE(names_file("a", "a/b/c"));
  EXPECT_TRUE(names_file("a/*.ini", "a/one.ini"));
  EXPECT_TRUE(names_file("a/*", "a/folder/below")) << "a folder that fits is copied with all that is in it";
  EXPECT_TRUE(names_file("a/./b", "a/b")) << "the pivot of --parents";
  EXPECT_TRUE(names_file("[a-c]x", "bx"));
  EXPECT_TRUE(names_file("[^a]x", "bx"));
  EXPECT_TRUE(names_file("\\*", "*"));
  EXPECT_TRUE(names_file("?x", ".x"));
  EXPECT_FALSE(names_file("*.ini", "a/one.ini")) << "a star stops at a slash";
  EXPECT_FALSE(names_file("\\*", "a"));
  EXPECT_FALSE(names_file("[!a]x", "bx")) << "Go negates with '^' only";
  EXPECT_FALSE(names_file("a", "ab"));
}

TEST(LayerFiles, MountsReadFilesToo) {
  RunStep run;
  run.mounts.push_back({"/conf", BindMountSource{{}, "/conf", false}});
  const Step step{"RUN", 1, run};
  EXPECT_TRUE(reads_file(step, "conf/a"));
  EXPECT_FALSE(reads_file(step, "other"));
}

} // namespace
} // namespace sheaf::plan
