// SPDX-License-Identifier: Apache-2.0
#include "registry/session.hpp"
#include "registry/token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::registry {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Token, ScopesAreSpelledAsTokenServersWantThem) {
  EXPECT_THAT((Scope{"a/b", Access::pull, {}}.to_strings()), ElementsAre("repository:a/b:pull"));
  EXPECT_THAT((Scope{"a/b", Access::push, {"c"}}.to_strings()),
              ElementsAre("repository:a/b:pull,push", "repository:c:pull"));
  EXPECT_THAT(Scope{}.to_strings(), IsEmpty());
}

TEST(Token, IsAskedForWithoutCredentials) {
  const auto request =
      token_request({"https://auth.example/token?x=1", "reg istry", {"repository:a:pull", "repository:b:pull"}, {}});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->url, "https://auth.example/token?x=1&service=reg%20istry&scope=repository%3Aa%3Apull"
                          "&scope=repository%3Ab%3Apull");
  EXPECT_THAT(request->headers, IsEmpty());
}

TEST(Token, IsAskedForWithNameAndPassword) {
  const auto request = token_request({"https://auth.example/token", "s", {}, Credential{"me", "se:cret", {}}});
  ASSERT_TRUE(request);
  EXPECT_THAT(request->headers, ElementsAre(Pair("authorization", "Basic bWU6c2U6Y3JldA==")));
  EXPECT_EQ(request->url, "https://auth.example/token?service=s&account=me");
  EXPECT_THAT(request->secrets, Contains("se:cret"));
}

TEST(Token, IsAskedForWithAnIdentityToken) {
  const auto request =
      token_request({"https://auth.example/token", "s", {"repository:a:pull"}, Credential{{}, {}, "ref&resh"}});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->url, "https://auth.example/token");
  EXPECT_EQ(request->body, "grant_type=refresh_token&service=s&client_id=sheaf&scope=repository%3Aa%3Apull"
                           "&refresh_token=ref%26resh");
}

TEST(Token, ARealmThatIsNoAddressIsRefused) { EXPECT_FALSE(token_request({"file:///etc/passwd", "s", {}, {}})); }

TEST(Token, IsFoundInBothSpellings) {
  EXPECT_EQ(parse_token(R"({"token":"abc"})")->text, "abc");
  EXPECT_EQ(parse_token(R"({"token":"abc"})")->lifetime, std::chrono::seconds(60));
  const auto other = parse_token(R"({"access_token":"abc","expires_in":300})");
  EXPECT_EQ(other->text, "abc");
  EXPECT_EQ(other->lifetime, std::chrono::seconds(300));
  EXPECT_EQ(parse_token(R"({"token":"a","expires_in":1e300})")->lifetime, std::chrono::hours(24));
}

TEST(Token, AnythingElseIsCorrupt) {
  for (const auto* text : {"", "[]", "{}", R"({"token":5})", R"({"token":""})", R"({"token":"a\r\nX: y"})"}) {
    const auto token = parse_token(text);
    ASSERT_FALSE(token) << text;
    EXPECT_EQ(token.error().code(), ErrorCode::corrupt);
  }
}

} // namespace
} // namespace sheaf::registry
