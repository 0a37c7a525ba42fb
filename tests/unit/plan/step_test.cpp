// SPDX-License-Identifier: Apache-2.0
#include "plan/step.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace sheaf::plan {
namespace {

RunStep run_step() {
  RunStep run;
  run.argv = {"a", "b"};
  run.environment = {{"A", "1"}, {"HTTP_PROXY", "p"}};
  run.not_in_key = {"HTTP_PROXY"};
  run.mounts = {{"/m", CacheMount{"id"}}, {"/s", SecretMount{"s"}}};
  return run;
}

CopyStep copy_step() {
  CopyStep copy;
  copy.sources = {PathSource{"a"}, InlineSource{"b", "text"}, HttpSource{"http://x", ""}, GitSource{"git://x"}};
  copy.destination = "/d/";
  return copy;
}

template <class Action>
std::string described(
    Action action, const std::function<void(Action&)>& change = [](Action&) {}) {
  change(action);
  return describe({"display", 1, std::move(action)});
}

TEST(DescribeStep, SaysAllThatDecidesARun) {
  const std::vector<std::function<void(RunStep&)>> changes = {
      [](RunStep&) {},
      [](RunStep& run) { run.argv = {"a b"}; },
      [](RunStep& run) { run.script = "#!x"; },
      [](RunStep& run) { run.environment[0].second = "2"; },
      [](RunStep& run) { run.directory = "/x"; },
      [](RunStep& run) { run.user = "x"; },
      [](RunStep& run) { run.network = Network::none; },
      [](RunStep& run) { run.security = Security::insecure; },
      [](RunStep& run) { run.mounts.pop_back(); },
      [](RunStep& run) { run.mounts[0].target = "/x"; },
      [](RunStep& run) { std::get<CacheMount>(run.mounts[0].what).sharing = CacheMount::Sharing::locked; },
      [](RunStep& run) { std::get<SecretMount>(run.mounts[1].what).environment = "S"; },
  };
  std::set<std::string> texts;
  for (const auto& change : changes) {
    texts.insert(described(run_step(), change));
  }
  EXPECT_EQ(texts.size(), changes.size());
}

TEST(DescribeStep, SaysAllThatDecidesACopy) {
  const std::vector<std::function<void(CopyStep&)>> changes = {
      [](CopyStep&) {},
      [](CopyStep& copy) { copy.sources[0] = PathSource{"x"}; },
      [](CopyStep& copy) {
        copy.sources[1] = InlineSource{"b", "other"};
      },
      [](CopyStep& copy) {
        copy.sources[2] = HttpSource{"http://x", "sha256:1"};
      },
      [](CopyStep& copy) { std::get<GitSource>(copy.sources[3]).ref = "x"; },
      [](CopyStep& copy) { copy.destination = "/d"; },
      [](CopyStep& copy) { copy.owner = "x"; },
      [](CopyStep& copy) { copy.mode = "644"; },
      [](CopyStep& copy) { copy.excludes = {"x"}; },
      [](CopyStep& copy) { copy.unpack = Unpack::always; },
      [](CopyStep& copy) { copy.link = true; },
      [](CopyStep& copy) { copy.parents = true; },
  };
  std::set<std::string> texts;
  for (const auto& change : changes) {
    texts.insert(described(copy_step(), change));
  }
  EXPECT_EQ(texts.size(), changes.size());
}

TEST(DescribeStep, LeavesOutWhatDoesNotDecide) {
  const auto run = described(run_step());
  EXPECT_THAT(run, testing::Not(testing::HasSubstr("HTTP_PROXY")));
  EXPECT_EQ(describe({"other", 7, run_step()}), run);
  // Where files come from is a name; their content is added by the builder.
  EXPECT_EQ(described<CopyStep>(copy_step(),
                                [](CopyStep& copy) {
                                  copy.from = {Source::Kind::stage, {}, 3};
                                }),
            described(copy_step()));
}

TEST(DescribeStep, TellsDirectoryAndSnapshotApart) {
  EXPECT_NE(describe({"", 1, MakeDirectoryStep{"/x", ""}}), describe({"", 1, SnapshotStep{"/x"}}));
  EXPECT_NE(describe({"", 1, MakeDirectoryStep{"/x", ""}}), describe({"", 1, MakeDirectoryStep{"/x", "u"}}));
}

} // namespace
} // namespace sheaf::plan
