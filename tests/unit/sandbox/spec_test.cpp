// SPDX-License-Identifier: Apache-2.0
#include "sandbox/spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::sandbox {
namespace {

using testing::ElementsAre;

SandboxSpec sample() {
  SandboxSpec spec;
  spec.lowers = {"/low", "/with,comma", "/\xc3\xa9"};
  spec.upper = "/upper";
  spec.work = "/work";
  spec.is_volatile = true;
  spec.mount_point = "/mnt";
  spec.hostname = "host";
  spec.network = Network::none;
  spec.binds = {{"/a", "/b", Access::read_only, true}, {"/c", "/d", Access::read_write, false}};
  spec.files = {{"/etc/machine-id", "0\n", 0444}};
  spec.processors = 3;
  spec.overlays = {{"/shared", "/u", "/w", "/t"}};
  return spec;
}

TEST(SandboxSpec, SurvivesItsText) {
  auto before = sample();
  RunCommand first;
  first.title = "RUN make";
  first.argv = {"sh", "-c", "echo \"a\nb\""};
  first.environment = {"A=1", "B="};
  first.directory = "/srv";
  first.user = "dev:users";
  first.interactive = true;
  RunCommand second;
  second.argv = {"true"};
  before.action = std::vector<RunCommand>{first, second};
  const auto text = serialise(before);
  const auto after = parse_spec(text).value();
  EXPECT_EQ(after.lowers, before.lowers);
  EXPECT_EQ(after.upper, "/upper");
  EXPECT_EQ(after.work, "/work");
  EXPECT_TRUE(after.is_volatile);
  EXPECT_EQ(after.mount_point, "/mnt");
  EXPECT_EQ(after.hostname, "host");
  EXPECT_EQ(after.network, Network::none);
  ASSERT_EQ(after.files.size(), 1U);
  EXPECT_EQ(after.files[0].path, "/etc/machine-id");
  EXPECT_EQ(after.files[0].content, "0\n");
  EXPECT_EQ(after.files[0].mode, 0444U);
  EXPECT_EQ(after.processors, 3U);
  ASSERT_EQ(after.binds.size(), 2U);
  EXPECT_EQ(after.binds[0].source, "/a");
  EXPECT_EQ(after.binds[0].target, "/b");
  EXPECT_EQ(after.binds[0].access, Access::read_only);
  EXPECT_TRUE(after.binds[0].owned_by_dev);
  EXPECT_EQ(after.binds[1].access, Access::read_write);
  EXPECT_FALSE(after.binds[1].owned_by_dev);
  ASSERT_EQ(after.overlays.size(), 1U);
  EXPECT_EQ(after.overlays[0].target, "/t");
  const auto& commands = std::get<std::vector<RunCommand>>(after.action);
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_THAT(commands[1].argv, ElementsAre("true"));
  const auto& run = commands[0];
  EXPECT_EQ(run.title, "RUN make");
  EXPECT_THAT(run.argv, ElementsAre("sh", "-c", "echo \"a\nb\""));
  EXPECT_THAT(run.environment, ElementsAre("A=1", "B="));
  EXPECT_EQ(run.directory, "/srv");
  EXPECT_EQ(run.user, "dev:users");
  EXPECT_TRUE(run.interactive);
  EXPECT_EQ(serialise(after), text);
}

TEST(SandboxSpec, KeepsEveryAction) {
  auto spec = sample();
  CopyFiles files;
  files.tree = {"/context"};
  files.sources = {"a", "b/c"};
  files.destination = "/dst/";
  files.owner = "1:2";
  files.mode = "750";
  files.epoch = -3;
  spec.action = files;
  const auto copy = std::get<CopyFiles>(parse_spec(serialise(spec)).value().action);
  EXPECT_THAT(copy.tree, ElementsAre("/context"));
  EXPECT_THAT(copy.sources, ElementsAre("a", "b/c"));
  EXPECT_EQ(copy.destination, "/dst/");
  EXPECT_EQ(copy.owner, "1:2");
  EXPECT_EQ(copy.mode, "750");
  EXPECT_EQ(copy.epoch, -3);
  spec.action = CopyFiles{};
  EXPECT_EQ(std::get<CopyFiles>(parse_spec(serialise(spec)).value().action).epoch, std::nullopt);
  spec.action = MakeDirectory{"/made", "7:8"};
  EXPECT_EQ(std::get<MakeDirectory>(parse_spec(serialise(spec)).value().action).owner, "7:8");
  EXPECT_EQ(std::get<MakeDirectory>(parse_spec(serialise(spec)).value().action).path, "/made");
}

TEST(SandboxSpec, AnythingElseIsAnInternalError) {
  for (const auto* text : {"", "{}", "[]", "{\"lowers\":1}", "no json"}) {
    const auto spec = parse_spec(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().code(), ErrorCode::internal) << text;
  }
}

TEST(SandboxSpec, KeepsMountsLimitsAndAnyBytes) {
  auto spec = sample();
  spec.trees = {{{"/l\xff", "/m"}, "/p", "/t", "/u", "/w"}};
  spec.memory = {{"/a", std::nullopt}, {"/b", std::uint64_t{1} << 40U}};
  spec.secrets = {{"/s", std::string("\0\xfe\n", 3), 1, 2, 0440}};
  spec.shared_memory = 12345;
  RunCommand run;
  run.argv = {"\x80"};
  run.limits = {{"nofile", 1, ~std::uint64_t{0}}};
  run.is_privileged = true;
  spec.action = std::vector<RunCommand>{run};
  const auto bytes = serialise(spec);
  const auto after = parse_spec(bytes).value();
  ASSERT_EQ(after.trees.size(), 1U);
  EXPECT_THAT(after.trees[0].lowers, ElementsAre("/l\xff", "/m"));
  EXPECT_EQ(after.trees[0].path + after.trees[0].target + after.trees[0].upper + after.trees[0].work, "/p/t/u/w");
  ASSERT_EQ(after.memory.size(), 2U);
  EXPECT_EQ(after.memory[0].size, std::nullopt);
  EXPECT_EQ(after.memory[1].size, std::uint64_t{1} << 40U);
  ASSERT_EQ(after.secrets.size(), 1U);
  EXPECT_EQ(after.secrets[0].content, spec.secrets[0].content);
  EXPECT_EQ(after.secrets[0].mode, 0440U);
  EXPECT_EQ(after.shared_memory, 12345U);
  const auto& command = std::get<std::vector<RunCommand>>(after.action).at(0);
  EXPECT_THAT(command.argv, ElementsAre("\x80"));
  ASSERT_EQ(command.limits.size(), 1U);
  EXPECT_EQ(command.limits[0].hard, ~std::uint64_t{0});
  EXPECT_TRUE(command.is_privileged);
  EXPECT_EQ(serialise(after), bytes);
}

} // namespace
} // namespace sheaf::sandbox
