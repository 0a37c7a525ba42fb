// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/registry/servers.hpp"

namespace sheaf::registry {
namespace {

/// Says something about `subject`.
oci::Manifest statement(Client& client, const oci::Reference& to, const FetchedManifest& subject,
                        const std::string& text) {
  oci::Manifest manifest;
  manifest.media_type = oci::media_type::k_manifest;
  manifest.artifact_type = "application/x.statement";
  manifest.config = descriptor_of("{}");
  manifest.config.media_type = oci::media_type::k_empty;
  manifest.layers = {descriptor_of(text)};
  manifest.subject = oci::Descriptor{subject.media_type, subject.digest, subject.text.size(), {}, {}, {}};
  manifest.annotations["text"] = text;
  EXPECT_TRUE(push(client, to, "{}"));
  EXPECT_TRUE(push(client, to, text));
  return manifest;
}

TEST(Referrers, WithoutTheApiTheyAreListedUnderATag) {
  Client client(test_hosts());
  const auto to = image(server("plain") + "/referrers/app:1");
  push_image(client, to, "a layer");
  const auto subject = client.manifest(to, {}).value();
  EXPECT_TRUE(client.referrers(to, subject.digest, {}).value().empty());
  const auto first = client.push_referrer(to, statement(client, to, subject, "first"), {});
  ASSERT_TRUE(first) << first.error().render();
  const auto second = client.push_referrer(to, statement(client, to, subject, "second"), {});
  ASSERT_TRUE(client.push_referrer(to, statement(client, to, subject, "second"), {}));
  const auto all = client.referrers(to, subject.digest, {});
  ASSERT_TRUE(all) << all.error().render();
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(all->at(0).digest, *first);
  EXPECT_EQ(all->at(1).digest, *second);
  EXPECT_EQ(all->at(1).artifact_type, "application/x.statement");
  EXPECT_EQ(all->at(1).annotations.at("text"), "second");
  const auto tags = client.tags(to, {}).value();
  EXPECT_THAT(tags, testing::ElementsAre("1", "sha256-" + subject.digest.hex()));
}

TEST(Referrers, TheApiIsUsedWhereItIs) {
  Client client(test_hosts());
  set_rules("proxy", nlohmann::json::array());
  const auto to = image(server("proxy") + "/referrers/api:1");
  push_image(client, to, "a layer");
  const auto subject = client.manifest(to, {}).value();
  set_rules("proxy",
            {{{"method", "PUT"}, {"path", "/manifests/"}, {"add", {{"OCI-Subject", subject.digest.to_string()}}}}});
  const auto pushed = client.push_referrer(to, statement(client, to, subject, "first"), {});
  ASSERT_TRUE(pushed) << pushed.error().render();
  EXPECT_THAT(client.tags(to, {}).value(), testing::ElementsAre("1")); // no index of our own
  oci::Index index;
  index.media_type = oci::media_type::k_index;
  index.manifests = {descriptor_of("one")};
  auto more = index;
  more.manifests = {descriptor_of("two")};
  const std::string type(oci::media_type::k_index);
  const auto path = "/v2/referrers/api/referrers/" + subject.digest.to_string();
  set_rules(
      "proxy",
      {{{"path", path + "$"},
        {"status", 200},
        {"body", oci::serialise(index)},
        {"headers", {{"Content-Type", type}, {"Link", "<" + path + R"(?page=2>; rel="next")"}}}},
       {{"path", "page=2"}, {"status", 200}, {"body", oci::serialise(more)}, {"headers", {{"Content-Type", type}}}}});
  const auto listed = client.referrers(to, subject.digest, {});
  ASSERT_TRUE(listed) << listed.error().render();
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ(listed->at(1).digest, Digest::of("two"));
}

} // namespace
} // namespace sheaf::registry
