// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/registry/servers.hpp"

namespace sheaf::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

Hosts hosts_with(const Credential& credential) {
  auto hosts = test_hosts();
  hosts.credential = [credential](const std::string&, const std::string&) -> Result<std::optional<Credential>> {
    return credential;
  };
  return hosts;
}

Credential right() { return {server("user"), server("password"), {}}; }
Credential wrong() { return {server("user"), "no-sesame", {}}; }

TEST(Auth, NameAndPassword) {
  Client client(known_hosts());
  const auto to = image(server("basic") + "/auth/app:1");
  const auto blob = push_image(client, to, "a layer");
  EXPECT_EQ(fetch(client, to, blob).value(), "a layer");
}

TEST(Auth, WithoutAPasswordTheErrorSaysHowToLogIn) {
  for (const auto* kind : {"basic", "token"}) {
    Client client(test_hosts());
    const auto denied = client.manifest(image(server(kind) + "/auth/app:1"), {});
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().code(), ErrorCode::denied);
    EXPECT_THAT(denied.error().hint(), HasSubstr("sheaf login " + server(kind)));
  }
}

TEST(Auth, AWrongPasswordIsSaidAndNotShown) {
  for (const auto* kind : {"basic", "token"}) {
    Client client(hosts_with(wrong()));
    const auto denied = client.manifest(image(server(kind) + "/auth/app:1"), {});
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().code(), ErrorCode::denied);
    EXPECT_THAT(denied.error().hint(), HasSubstr("does not accept 'alice'"));
    EXPECT_THAT(denied.error().render(), Not(HasSubstr("no-sesame")));
  }
}

TEST(Auth, UnreadableCredentialsAreToldIfTheRegistryRefuses) {
  auto hosts = test_hosts();
  hosts.credential = [](const std::string&, const std::string&) -> Result<std::optional<Credential>> {
    return Error(ErrorCode::not_found, "no helper here");
  };
  Client client(hosts);
  const auto denied = client.manifest(image(server("basic") + "/auth/app:1"), {});
  ASSERT_FALSE(denied);
  EXPECT_THAT(denied.error().render(), HasSubstr("no credentials were used: no helper here"));
}

TEST(Auth, TokensForPushMountAndAnonymousPull) {
  Client client(known_hosts());
  const auto to = image(server("token") + "/public/app:1");
  const auto blob = push_image(client, to, "a public layer");
  const auto second = image(server("token") + "/public/second:1");
  EXPECT_EQ(push(client, second, "a public layer", {"public/app"}).value(), PushOutcome::mounted);
  Client anonymous(test_hosts());
  EXPECT_EQ(fetch(anonymous, to, blob).value(), "a public layer");
  const auto denied = push(anonymous, to, "not allowed");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code(), ErrorCode::denied);
}

TEST(Auth, AnIdentityTokenIsExchanged) {
  Client client(hosts_with({{}, {}, server("identity_token")}));
  const auto to = image(server("token") + "/auth/identity:1");
  EXPECT_TRUE(push(client, to, "by identity"));
  Client other(hosts_with({{}, {}, "no such token"}));
  EXPECT_EQ(push(other, to, "by another").error().code(), ErrorCode::denied);
}

TEST(Auth, ATokenThatEndsInTheMiddleIsReplaced) {
  Client client(known_hosts());
  set_rules("token_proxy", nlohmann::json::array());
  const auto from = image(server("token_proxy") + "/auth/long:1");
  const auto layer = content(1'000'000, 50);
  const auto blob = push_image(client, from, layer);
  const auto challenge = R"(Bearer realm=")" + server("realm") + R"(",service="tests",error="invalid_token")";
  set_rules("token_proxy", {{{"path", "/blobs/"}, {"cut", 400'000}},
                            {{"path", "/blobs/"}, {"status", 401}, {"headers", {{"WWW-Authenticate", challenge}}}}});
  const auto fetched = fetch(client, from, blob);
  ASSERT_TRUE(fetched) << fetched.error().render();
  EXPECT_TRUE(*fetched == layer);
  const auto asked = requests("token_proxy", "GET");
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_EQ(asked[0].at("headers").at("authorization"), asked[1].at("headers").at("authorization"));
  EXPECT_NE(asked[1].at("headers").at("authorization"), asked[2].at("headers").at("authorization"));
  EXPECT_EQ(asked[2].at("headers").at("range"), "bytes=400000-");
}

TEST(Auth, LoginIsChecked) {
  Client client(test_hosts());
  for (const auto* kind : {"basic", "token"}) {
    const auto good = client.check_login(server(kind), right(), {});
    EXPECT_TRUE(good) << good.error().render();
    const auto bad = client.check_login(server(kind), wrong(), {});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code(), ErrorCode::denied);
  }
  EXPECT_TRUE(client.check_login(server("plain"), right(), {}));
}

} // namespace
} // namespace sheaf::registry
