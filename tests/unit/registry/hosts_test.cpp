// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "registry/hosts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::registry {
namespace {

using testing::ElementsAre;

class HostsTest : public testing::Test {
protected:
  void write(const std::string& host, const std::string& file) {
    ASSERT_TRUE(os::make_directories(m_folder.path() + "/" + host));
    ASSERT_TRUE(os::write_file(m_folder.path() + "/" + host + "/" + file, ""));
    m_hosts.certificate_folders = {"/nonexistent", m_folder.path()};
  }

  Endpoint endpoint(const std::string& host) const { return endpoint_of(m_hosts, host).value(); }

  os::TempDir m_folder = os::TempDir::create(testing::TempDir(), "hosts-").value();
  Hosts m_hosts;
};

TEST_F(HostsTest, DockersHostHasAnotherAddress) {
  EXPECT_EQ(endpoint("docker.io").authority, "registry-1.docker.io");
  EXPECT_EQ(endpoint("registry.example:5000").authority, "registry.example:5000");
}

TEST_F(HostsTest, OnlyThisMachineAndInsecureHostsMayBePlain) {
  m_hosts.settings["insecure.example"].insecure = true;
  for (const auto* host :
       {"localhost", "localhost:5000", "127.0.0.1", "127.9.8.7:80", "[::1]:5000", "a.localhost", "insecure.example"}) {
    EXPECT_TRUE(endpoint(host).may_be_plain) << host;
    EXPECT_TRUE(endpoint(host).trust.anyone) << host;
  }
  for (const auto* host : {"registry.example", "127.0.0.1.example", "128.0.0.1", "localhost.example", "127.0.0",
                           "[::ffff:7f00:1]:5000", "insecure.example:5000"}) {
    EXPECT_FALSE(endpoint(host).may_be_plain) << host;
    EXPECT_FALSE(endpoint(host).trust.anyone) << host;
  }
}

TEST_F(HostsTest, AnAuthorityForThisMachineMeansTls) {
  m_hosts.settings["localhost:5000"].authorities = "/ca.pem";
  EXPECT_FALSE(endpoint("localhost:5000").may_be_plain);
  EXPECT_THAT(endpoint("localhost:5000").trust.authorities, ElementsAre("/ca.pem"));
}

TEST_F(HostsTest, CertificatesAreFoundInFolders) {
  write("h.example:5000", "a.crt");
  write("h.example:5000", "b.crt");
  write("h.example:5000", "me.cert");
  write("h.example:5000", "me.key");
  write("h.example:5000", "README");
  const auto there = m_folder.path() + "/h.example:5000/";
  const auto trust = endpoint("h.example:5000").trust;
  EXPECT_THAT(trust.authorities, ElementsAre(there + "a.crt", there + "b.crt"));
  EXPECT_EQ(trust.client_certificate, there + "me.cert");
  EXPECT_EQ(trust.client_key, there + "me.key");
  EXPECT_TRUE(endpoint("h.example").trust.authorities.empty());
  m_hosts.settings["h.example:5000"].authorities = "/mine.pem";
  EXPECT_THAT(endpoint("h.example:5000").trust.authorities, ElementsAre("/mine.pem"));
}

TEST_F(HostsTest, ACertificateWithoutItsKeyIsInvalid) {
  write("h.example", "me.cert");
  EXPECT_EQ(endpoint_of(m_hosts, "h.example").error().code(), ErrorCode::invalid);
}

} // namespace
} // namespace sheaf::registry
