// SPDX-License-Identifier: Apache-2.0
#include "registry/answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::registry {
namespace {

using testing::HasSubstr;

net::Response response(int status, std::string body = {}) { return {status, {}, std::move(body), {}}; }

TEST(Answer, SaysWhatTheRegistrySaid) {
  const auto error = error_of(
      response(404, R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"},{"message":"more"}]})"),
      "registry.example");
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_EQ(error.message(), "the registry answered with status 404: MANIFEST_UNKNOWN: manifest unknown; more");
}

TEST(Answer, StatusesDecideTheKind) {
  EXPECT_EQ(error_of(response(401), "h").code(), ErrorCode::denied);
  EXPECT_THAT(error_of(response(401), "h").hint(), HasSubstr("sheaf login h"));
  EXPECT_EQ(error_of(response(403), "h").code(), ErrorCode::denied);
  EXPECT_EQ(error_of(response(405), "h").code(), ErrorCode::unsupported);
  EXPECT_EQ(error_of(response(429), "h").code(), ErrorCode::network);
  EXPECT_EQ(error_of(response(502), "h").code(), ErrorCode::network);
  EXPECT_EQ(error_of(response(400), "h").code(), ErrorCode::invalid);
}

TEST(Answer, LostBlobsArePushedAgain) {
  const std::string lost = R"({"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"m","detail":"sha256:0"}]})";
  EXPECT_EQ(messages_in(lost), "MANIFEST_BLOB_UNKNOWN: m \"sha256:0\"");
  EXPECT_THAT(error_of(response(404, lost), "h").hint(), HasSubstr("push again"));
}

TEST(Answer, OtherFormsAndStrangeBytesAreTamed) {
  EXPECT_EQ(messages_in("<html>busy</html>"), "");
  EXPECT_EQ(messages_in(R"({"errors":"none"})"), "");
  EXPECT_EQ(messages_in(R"({"errors":[1,{"code":5}]})"), "");
  EXPECT_EQ(messages_in(R"({"details":"incorrect username or password"})"), "incorrect username or password");
  EXPECT_EQ(messages_in("{\"errors\":[{\"message\":\"a\\u001b[31m\\nb\"}]}"), "a [31m b");
  EXPECT_LT(messages_in(R"({"errors":[{"message":")" + std::string(5000, 'x') + "\"}]}").size(), 500U);
}

TEST(Answer, TheNextPageIsFound) {
  EXPECT_EQ(next_page("</v2/a/tags/list?n=2&last=b>; rel=\"next\""), "/v2/a/tags/list?n=2&last=b");
  EXPECT_EQ(next_page("<x>; rel=\"first\", <y>; rel=next"), "y");
  EXPECT_EQ(next_page("<x>; rel=\"first\""), std::nullopt);
  EXPECT_EQ(next_page(">; rel=\"next\" <"), std::nullopt);
}

} // namespace
} // namespace sheaf::registry
