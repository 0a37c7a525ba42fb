// SPDX-License-Identifier: Apache-2.0
#include "registry/credential_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

CredentialFile parsed(std::string_view text) { return CredentialFile::parse(text).value(); }

std::optional<Credential> found(const CredentialFile& file, const std::string& host, const std::string& name = "a/b") {
  return file.find(host, host + "/" + name).value();
}

const Credential k_me{"me", "secret", ""};
constexpr std::string_view k_auth = R"({"auth":"bWU6c2VjcmV0"})";

TEST(CredentialFile, FindsHostsHoweverTheyAreWritten) {
  for (const std::string key : {"registry.example", "https://registry.example", "http://registry.example/v1/"}) {
    EXPECT_EQ(found(parsed(R"({"auths":{")" + key + "\":" + std::string(k_auth) + "}}"), "registry.example"), k_me)
        << key;
  }
  const auto file = parsed(R"({"auths":{"registry.example":)" + std::string(k_auth) + "}}");
  EXPECT_EQ(found(file, "registry.example:5000"), std::nullopt);
  EXPECT_EQ(found(file, "example"), std::nullopt);
}

TEST(CredentialFile, DockersOwnHostHasOldNames) {
  for (const std::string key :
       {"https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"}) {
    EXPECT_EQ(found(parsed(R"({"auths":{")" + key + "\":" + std::string(k_auth) + "}}"), "docker.io"), k_me) << key;
  }
}

TEST(CredentialFile, TheLongestPathCounts) {
  const auto file = parsed(R"({"auths":{
    "h.example":{"username":"all","password":"1"},
    "h.example/team":{"username":"team","password":"2"},
    "h.example/team/app":{"username":"app","password":"3"}}})");
  EXPECT_EQ(found(file, "h.example", "other/app")->username, "all");
  EXPECT_EQ(found(file, "h.example", "team/x")->username, "team");
  EXPECT_EQ(found(file, "h.example", "team/app")->username, "app");
  EXPECT_EQ(found(file, "h.example", "teams")->username, "all");
}

TEST(CredentialFile, ReadsIdentityTokensAndOddPasswords) {
  const auto file = parsed(R"({"auths":{
    "a":{"auth":"MDA6AA==","identitytoken":"tok"}, "b":{"auth":"bWU6YTpiAAA="}, "c":{}, "d":{"auth":"!"}, "e":5}})");
  EXPECT_EQ(found(file, "a")->identity_token, "tok");
  EXPECT_EQ(found(file, "b")->password, "a:b");
  EXPECT_EQ(found(file, "c"), std::nullopt);
  EXPECT_EQ(file.find("d", "d/x").error().code(), ErrorCode::invalid);
  EXPECT_EQ(file.find("e", "e/x").error().code(), ErrorCode::invalid);
}

TEST(CredentialFile, KnowsItsHelpers) {
  const auto file = parsed(R"({"credsStore":"all","credHelpers":{"ecr.example":"ecr-login"}})");
  EXPECT_EQ(file.helper_of("ecr.example"), "ecr-login");
  EXPECT_EQ(file.helper_of("other.example"), "all");
  EXPECT_EQ(parsed("").helper_of("x"), "");
  EXPECT_TRUE(file.has_credentials());
  EXPECT_FALSE(parsed(R"({"auths":{}})").has_credentials());
}

TEST(CredentialFile, KeepsWhatItDoesNotKnow) {
  auto file = parsed(R"({"z":1,"auths":{"other":{"auth":"bWU6c2VjcmV0"}},"a":[1,2]})");
  file.set("docker.io", {"x", "y", ""});
  const auto again = parsed(file.to_string());
  EXPECT_EQ(found(again, "docker.io")->username, "x");
  EXPECT_EQ(found(again, "other"), k_me);
  EXPECT_THAT(file.to_string(), HasSubstr("https://index.docker.io/v1/"));
  EXPECT_LT(file.to_string().find("\"z\""), file.to_string().find("\"a\""));
}

TEST(CredentialFile, ErasesAllNamesOfAHost) {
  auto file = parsed(R"({"auths":{"https://index.docker.io/v1/":{},"docker.io":{},"other":{}}})");
  EXPECT_TRUE(file.erase("docker.io"));
  EXPECT_FALSE(file.erase("docker.io"));
  EXPECT_THAT(file.to_string(), Not(HasSubstr("docker.io")));
  EXPECT_THAT(file.to_string(), HasSubstr("other"));
}

TEST(CredentialFile, OtherTextsAreInvalid) {
  for (const auto* text : {"[]", "{", R"("x")"}) {
    EXPECT_EQ(CredentialFile::parse(text).error().code(), ErrorCode::invalid) << text;
  }
}

} // namespace
} // namespace sheaf::registry
