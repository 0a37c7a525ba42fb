// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/registry/servers.hpp"

namespace sheaf::registry {
namespace {

using testing::HasSubstr;

Hosts with(const std::string& host, HostSettings settings) {
  auto hosts = test_hosts();
  hosts.settings[host] = std::move(settings);
  return hosts;
}

Result<void> round_trip(const Hosts& hosts, const std::string& host) {
  Client client(hosts);
  const auto to = image(host + "/tls/app:1");
  SHEAF_TRY(push(client, to, "a layer over TLS"));
  SHEAF_TRY_ASSIGN(const auto fetched, fetch(client, to, descriptor_of("a layer over TLS")));
  EXPECT_EQ(fetched, "a layer over TLS");
  return {};
}

TEST(Tls, AnAuthorityOfOurOwnIsTrustedWhenNamed) {
  const auto done = round_trip(with(elsewhere("tls"), {false, {}, server("ca"), {}, {}}), elsewhere("tls"));
  EXPECT_TRUE(done) << done.error().render();
}

TEST(Tls, AStrangersCertificateIsRefused) {
  for (const auto& authorities : {std::string(), server("stranger_ca")}) {
    const auto done = round_trip(with(elsewhere("tls"), {false, {}, authorities, {}, {}}), elsewhere("tls"));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), ErrorCode::denied);
    EXPECT_THAT(done.error().hint(), HasSubstr("certs.d"));
  }
}

TEST(Tls, OnThisMachineAnyCertificateWillDoUnlessAnAuthorityIsNamed) {
  EXPECT_TRUE(round_trip(test_hosts(), server("tls")));
  EXPECT_FALSE(round_trip(with(server("tls"), {false, {}, server("stranger_ca"), {}, {}}), server("tls")));
}

TEST(Tls, AnInsecureHostMayHaveAnyCertificateOrNone) {
  EXPECT_TRUE(round_trip(with(elsewhere("tls"), {true, {}, {}, {}, {}}), elsewhere("tls")));
  EXPECT_TRUE(round_trip(with(elsewhere("plain"), {true, {}, {}, {}, {}}), elsewhere("plain")));
}

TEST(Tls, PlainHttpIsForHostsThatAreNamedInsecure) {
  const auto done = round_trip(test_hosts(), elsewhere("plain"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), ErrorCode::network);
}

TEST(Tls, AClientCertificateIsShown) {
  const auto host = elsewhere("mutual");
  EXPECT_FALSE(round_trip(with(host, {false, {}, server("ca"), {}, {}}), host));
  const auto done =
      round_trip(with(host, {false, {}, server("ca"), server("client_certificate"), server("client_key")}), host);
  EXPECT_TRUE(done) << done.error().render();
}

TEST(Tls, CertificatesAreFoundInFoldersAsDockerHasThem) {
  const auto folder = os::TempDir::create(testing::TempDir(), "certs-").value();
  const auto host = elsewhere("mutual");
  const auto there = folder.path() + "/" + host;
  ASSERT_TRUE(os::make_directories(there));
  for (const auto& [from, to] :
       {std::pair("ca", "ca.crt"), {"client_certificate", "me.cert"}, {"client_key", "me.key"}}) {
    ASSERT_TRUE(os::write_file(there + "/" + to, os::read_file(server(from)).value()));
  }
  auto hosts = test_hosts();
  hosts.certificate_folders = {"/nonexistent", folder.path()};
  const auto done = round_trip(hosts, host);
  EXPECT_TRUE(done) << done.error().render();
}

TEST(Tls, CredentialsAreNotSentToATokenServerWithoutEncryption) {
  // The token server has plain HTTP: fine for a registry with plain HTTP, not for this one.
  auto hosts = known_hosts();
  hosts.settings[elsewhere("tls_token")].authorities = server("ca");
  Client client(hosts);
  const auto pushed = push(client, image(elsewhere("tls_token") + "/tls/app:1"), "bytes");
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code(), ErrorCode::denied);
  EXPECT_THAT(pushed.error().render(), HasSubstr("without encryption"));
}

} // namespace
} // namespace sheaf::registry
