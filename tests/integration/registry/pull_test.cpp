// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/registry/servers.hpp"

namespace sheaf::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Pull, GivesBackWhatWasPushed) {
  Client client(test_hosts());
  const auto to = image(server("plain") + "/pull/all:1");
  const auto layer = content(3'000'000, 1);
  const auto blob = push_image(client, to, layer);
  const auto manifest = client.manifest(to, {});
  ASSERT_TRUE(manifest) << manifest.error().render();
  EXPECT_EQ(manifest->media_type, oci::media_type::k_manifest);
  EXPECT_EQ(manifest->digest, Digest::of(manifest->text));
  auto exactly = to;
  exactly.tag.clear();
  exactly.digest = manifest->digest;
  EXPECT_EQ(client.manifest(exactly, {}).value().text, manifest->text);
  EXPECT_EQ(client.digest_of(to, {}).value(), manifest->digest);
  const auto fetched = fetch(client, to, blob);
  ASSERT_TRUE(fetched) << fetched.error().render();
  EXPECT_TRUE(*fetched == layer);
  EXPECT_EQ(client.bytes_received(), layer.size());
  EXPECT_TRUE(client.has_blob(to, blob.digest, {}).value());
  EXPECT_FALSE(client.has_blob(to, Digest::of("never"), {}).value());
}

TEST(Pull, AMissingTagIsNamedWithItsNeighbours) {
  Client client(test_hosts());
  const auto there = image(server("plain") + "/pull/missing:bookworm");
  push_image(client, there, "layer");
  auto asked = there;
  asked.tag = "bookwrom";
  const auto missing = client.manifest(asked, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
  EXPECT_THAT(missing.error().render(), HasSubstr("/pull/missing:bookwrom'"));
  EXPECT_THAT(missing.error().hint(), HasSubstr("did you mean 'bookworm'"));
  EXPECT_EQ(client.digest_of(asked, {}).value(), std::nullopt);
  asked.tag = "something-else";
  EXPECT_THAT(client.manifest(asked, {}).error().hint(), HasSubstr("it has the tags bookworm"));
}

TEST(Pull, AnotherManifestThanAskedForIsRefused) {
  Client client(test_hosts());
  const auto to = image(server("proxy") + "/pull/wrong:1");
  push_image(client, to, "layer");
  set_rules("proxy", {{{"path", "/manifests/"}, {"method", "GET"}, {"flip", 40}}});
  auto exactly = to;
  exactly.digest = client.digest_of(to, {}).value();
  const auto manifest = client.manifest(exactly, {});
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code(), ErrorCode::corrupt);
}

TEST(Pull, TagsComePageByPage) {
  Client client(test_hosts());
  auto to = image(server("proxy") + "/pull/tags:a");
  for (const auto* tag : {"c", "a", "b"}) {
    to.tag = tag;
    push_image(client, to, "layer");
  }
  EXPECT_THAT(client.tags(to, {}).value(), ElementsAre("a", "b", "c"));
  set_rules("proxy", {{{"path", "n=1000$"},
                       {"status", 200},
                       {"body", R"({"name":"pull/tags","tags":["zz","a"]})"},
                       {"headers", {{"Link", R"(</v2/pull/tags/tags/list?n=2&last=a>; rel="next")"}}}}});
  EXPECT_THAT(client.tags(to, {}).value(), ElementsAre("a", "b", "c", "zz"));
}

TEST(Mirrors, AreAskedFirst) {
  auto hosts = test_hosts();
  Client direct(hosts);
  const auto mirrored = image(server("plain") + "/mirrored/team/app:1");
  const auto blob = push_image(direct, mirrored, "a layer of the mirror");
  hosts.settings["registry.invalid"].mirrors = {server("proxy") + "/mirrored"};
  Client client(hosts);
  set_rules("proxy", nlohmann::json::array());
  const auto asked = image("registry.invalid/team/app:1");
  EXPECT_EQ(client.manifest(asked, {}).value().digest, direct.digest_of(mirrored, {}).value());
  EXPECT_EQ(fetch(client, asked, blob).value(), "a layer of the mirror");
  EXPECT_EQ(requests("proxy", "GET").back().at("path"), "/v2/mirrored/team/app/blobs/" + blob.digest.to_string());
}

TEST(Mirrors, TheRegistryItselfFillsTheirGaps) {
  auto hosts = test_hosts();
  Client direct(hosts);
  const auto there = image(server("plain") + "/gaps/app:1");
  const auto layer = content(2'000'000, 7);
  const auto blob = push_image(direct, there, layer);
  hosts.settings[server("plain")].mirrors = {"127.0.0.1:1", server("proxy") + "/nothing", server("proxy")};
  hosts.retry.attempts = 2;
  Client client(hosts);
  // The mirror breaks in the middle for good: the rest comes from the registry, nothing comes twice.
  set_rules("proxy", {{{"path", "/v2/gaps/.*blobs"}, {"cut", 500'000}},
                      {{"path", "/v2/gaps/"}, {"status", 500}, {"times", -1}}});
  const auto fetched = fetch(client, there, blob);
  ASSERT_TRUE(fetched) << fetched.error().render();
  EXPECT_TRUE(*fetched == layer);
  EXPECT_EQ(client.bytes_received(), layer.size());
  EXPECT_TRUE(client.manifest(there, {}));
}

TEST(Mirrors, TheirFailuresAreToldWithTheLastOne) {
  auto hosts = test_hosts();
  hosts.retry.attempts = 1;
  hosts.settings[server("plain")].mirrors = {"127.0.0.1:1"};
  Client client(hosts);
  const auto missing = client.manifest(image(server("plain") + "/no/such:1"), {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
  EXPECT_THAT(missing.error().render(), HasSubstr("mirror '127.0.0.1:1': "));
}

} // namespace
} // namespace sheaf::registry
