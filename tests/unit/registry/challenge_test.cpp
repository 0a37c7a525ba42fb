// SPDX-License-Identifier: Apache-2.0
#include "registry/challenge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Challenge, BearerWithItsParameters) {
  const auto found = parse_challenges(
      R"(Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push")");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].scheme, "bearer");
  EXPECT_EQ(found[0].parameter("realm"), "https://auth.example/token");
  EXPECT_EQ(found[0].parameter("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(found[0].parameter("error"), "");
}

TEST(Challenge, SeveralInOneHeader) {
  EXPECT_THAT(parse_challenges(R"(Negotiate YWJj==, Basic realm="a \"b\" c" , Digest qop=auth,nonce=x)"),
              ElementsAre(Challenge{"negotiate", {}}, Challenge{"basic", {{"realm", "a \"b\" c"}}},
                          Challenge{"digest", {{"nonce", "x"}, {"qop", "auth"}}}));
  EXPECT_THAT(parse_challenges("Negotiate, Basic realm=x"),
              ElementsAre(Challenge{"negotiate", {}}, Challenge{"basic", {{"realm", "x"}}}));
}

TEST(Challenge, BlanksAndCaseDoNotMatter) {
  EXPECT_THAT(parse_challenges(" ,,BASIC   Realm = \"x\" ,,"), ElementsAre(Challenge{"basic", {{"realm", "x"}}}));
  EXPECT_THAT(parse_challenges("Basic a=1, a=2"), ElementsAre(Challenge{"basic", {{"a", "1"}}}));
}

TEST(Challenge, NonsenseGivesWhatCanBeUnderstood) {
  EXPECT_THAT(parse_challenges(""), IsEmpty());
  EXPECT_THAT(parse_challenges("\"=,\x01\xff()"), IsEmpty());
  EXPECT_THAT(parse_challenges("realm=\"nobody's\""), IsEmpty());
  EXPECT_THAT(parse_challenges(R"(Bearer realm="no end)"), ElementsAre(Challenge{"bearer", {{"realm", "no end"}}}));
}

} // namespace
} // namespace sheaf::registry
