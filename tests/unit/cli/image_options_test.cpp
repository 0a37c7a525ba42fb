// SPDX-License-Identifier: Apache-2.0
#include "cli/image_options.hpp"
#include "cli/parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace sheaf::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Words = std::vector<std::string>;

Result<app::ImageBuild> read(Words words) {
  words.insert(words.begin(), "build");
  auto parsed = parse(words).value();
  Invocation invocation;
  invocation.options = parsed.options;
  invocation.lists = parsed.lists;
  invocation.operands = parsed.operands;
  return image_build_of(invocation);
}

TEST(ImageOptions, ListsKeepTheirOrderAndLeaveTheContextAlone) {
  const auto build = read({"-t", "a", "--tag", "b:2", "--build-arg", "X=1=2", "dir", "--label", "k=v"}).value();
  EXPECT_THAT(build.tags, ElementsAre("a", "b:2"));
  EXPECT_EQ(build.where.context, "dir");
  EXPECT_EQ(build.request.build_args.at("X"), "1=2");
  EXPECT_THAT(build.request.labels, ElementsAre(Pair("k", "v")));
}

TEST(ImageOptions, AnArgumentWithoutAValueComesFromTheEnvironment) {
  ASSERT_EQ(setenv("SHEAF_TEST_ARGUMENT", "there", 1), 0);
  const auto build = read({"--build-arg", "SHEAF_TEST_ARGUMENT", "--build-arg", "SHEAF_TEST_NOTHING", "."}).value();
  EXPECT_EQ(build.request.build_args.at("SHEAF_TEST_ARGUMENT"), "there");
  EXPECT_EQ(build.request.build_args.at("SHEAF_TEST_NOTHING"), std::nullopt);
}

TEST(ImageOptions, Secrets) {
  const auto build = read({"--secret", "id=a,src=f", "--secret", "id=b,env=V", "--secret", "type=env,id=c,src=W",
                           "--secret", "src=/x/d", "."})
                         .value();
  ASSERT_EQ(build.secrets.size(), 4U);
  EXPECT_EQ(build.secrets[0].path, "f");
  EXPECT_EQ(build.secrets[1].variable, "V");
  EXPECT_EQ(build.secrets[2].variable, "W");
  EXPECT_EQ(build.secrets[3].id, "d");
}

TEST(ImageOptions, LimitsSizesAndHosts) {
  const auto build = read({"--ulimit", "nofile=10:20", "--ulimit", "core=0", "--shm-size", "2m", "--add-host",
                           "a:1.2.3.4", "--add-host", "b=[::1]", "."})
                         .value();
  ASSERT_EQ(build.limits.size(), 2U);
  EXPECT_EQ(build.limits[0].soft, 10U);
  EXPECT_EQ(build.limits[0].hard, 20U);
  EXPECT_EQ(build.limits[1].hard, 0U);
  EXPECT_EQ(build.shared_memory, 2U << 20U);
  EXPECT_THAT(build.hosts, ElementsAre(Pair("a", "1.2.3.4"), Pair("b", "::1")));
}

TEST(ImageOptions, EveryMistakeNamesItsOption) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"build-arg", "=x"},     {"label", "x"},          {"secret", "id=a,src=f,env=V"}, {"secret", "what=a"},
      {"ulimit", "nofile"},    {"ulimit", "nofile=x"},  {"shm-size", "many"},           {"shm-size", "9999999999g"},
      {"add-host", "a"},       {"add-host", "a:"},      {"network", "bridge0"},         {"allow", "all"},
      {"build-context", "=x"}, {"annotation", "alone"},
  };
  for (const auto& [option, value] : mistakes) {
    const auto build = read({"--" + option, value, "."});
    ASSERT_FALSE(build) << option << " " << value;
    EXPECT_EQ(build.error().code(), ErrorCode::invalid);
    EXPECT_THAT(build.error().render(), HasSubstr("--" + option));
  }
}

} // namespace
} // namespace sheaf::cli
