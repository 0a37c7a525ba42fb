// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/registry/servers.hpp"

namespace sheaf::registry {
namespace {

using testing::HasSubstr;

TEST(Push, SendsABlobOnce) {
  Client client(test_hosts());
  const auto layer = content(1'000'000, 3);
  const auto first = image(server("plain") + "/push/first:1");
  EXPECT_EQ(push(client, first, layer).value(), PushOutcome::uploaded);
  EXPECT_EQ(push(client, first, layer).value(), PushOutcome::was_there);
  EXPECT_EQ(client.bytes_sent(), layer.size());
}

TEST(Push, MountsFromAnotherRepository) {
  Client client(test_hosts());
  const auto layer = content(1'000'000, 4);
  push_image(client, image(server("plain") + "/push/source:1"), layer);
  const auto sent = client.bytes_sent();
  const auto to = image(server("plain") + "/push/target:1");
  EXPECT_EQ(push(client, to, layer, {"push/has-it-not", "push/source"}).value(), PushOutcome::mounted);
  EXPECT_EQ(client.bytes_sent(), sent);
  EXPECT_EQ(push(client, to, content(1000, 41), {"push/has-it-not", "push/source"}).value(), PushOutcome::uploaded);
}

TEST(Push, AnEmptyBlobIsABlob) {
  Client client(test_hosts());
  const auto to = image(server("plain") + "/push/empty:1");
  EXPECT_TRUE(push(client, to, ""));
  EXPECT_EQ(fetch(client, to, descriptor_of("")).value(), "");
}

TEST(Push, FollowsRelativeLocations) {
  Client client(test_hosts());
  const auto to = image(server("relative") + "/push/relative:1");
  const auto layer = content(100'000, 5);
  const auto pushed = push(client, to, layer);
  ASSERT_TRUE(pushed) << pushed.error().render();
  EXPECT_EQ(fetch(client, to, descriptor_of(layer)).value(), layer);
}

TEST(Push, ABrokenUploadGoesOnWhereItBroke) {
  Client client(test_hosts());
  const auto to = image(server("proxy") + "/push/broken:1");
  const auto layer = content(5'000'000, 6);
  set_rules("proxy",
            {{{"method", "PUT"}, {"keep_upload", 2'000'000}}, {{"method", "PATCH"}, {"keep_upload", 1'000'000}}});
  const auto pushed = push(client, to, layer);
  ASSERT_TRUE(pushed) << pushed.error().render();
  const auto patches = requests("proxy", "PATCH");
  ASSERT_EQ(patches.size(), 2U);
  EXPECT_EQ(patches.front().at("headers").at("content-range"), "2000000-4999999");
  EXPECT_EQ(patches.back().at("headers").at("content-range"), "3000000-4999999");
  EXPECT_TRUE(fetch(client, to, descriptor_of(layer)).value() == layer);
}

TEST(Push, ABrokenUploadThatCannotGoOnBeginsAnew) {
  Client client(test_hosts());
  const auto to = image(server("proxy") + "/push/anew:1");
  const auto layer = content(5'000'000, 61);
  set_rules("proxy", {{{"method", "PUT"}, {"cut_upload", 2'000'000}, {"times", 2}}});
  const auto pushed = push(client, to, layer);
  ASSERT_TRUE(pushed) << pushed.error().render();
  EXPECT_EQ(requests("proxy", "POST").size(), 3U);
  EXPECT_TRUE(fetch(client, to, descriptor_of(layer)).value() == layer);
}

TEST(Push, AnUploadThatTheRegistryForgotBeginsAnew) {
  Client client(test_hosts());
  const auto to = image(server("proxy") + "/push/forgotten:1");
  const auto layer = content(500'000, 8);
  set_rules("proxy", {{{"method", "PUT"}, {"status", 404}}, {{"method", "GET"}, {"path", "uploads"}, {"status", 404}}});
  const auto pushed = push(client, to, layer);
  ASSERT_TRUE(pushed) << pushed.error().render();
  EXPECT_EQ(requests("proxy", "POST").size(), 2U);
  EXPECT_TRUE(fetch(client, to, descriptor_of(layer)).value() == layer);
}

TEST(Push, ALostAnswerIsNoReasonToSendAgain) {
  Client client(test_hosts());
  const auto to = image(server("proxy") + "/push/lost:1");
  set_rules("proxy", {{{"method", "PUT"}, {"lose_answer", 1}}});
  const auto layer = content(500'000, 9);
  const auto pushed = push(client, to, layer);
  ASSERT_TRUE(pushed) << pushed.error().render();
  EXPECT_EQ(requests("proxy", "PUT").size(), 1U);
}

TEST(Push, AFileThatIsNotTheBlobIsRefused) {
  Client client(test_hosts());
  const auto to = image(server("plain") + "/push/other:1");
  auto blob = descriptor_of("what it should be");
  const auto other = client.push_blob(to, blob, file_of("what it is......."), {}, {});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().render(), HasSubstr("DIGEST_INVALID"));
  blob.size = 1000;
  EXPECT_EQ(client.push_blob(to, blob, file_of("short"), {}, {}).error().code(), ErrorCode::corrupt);
}

TEST(Push, AManifestWithoutItsBlobsIsRefused) {
  Client client(test_hosts());
  oci::Manifest manifest;
  manifest.media_type = oci::media_type::k_manifest;
  manifest.config = descriptor_of("no such config");
  manifest.config.media_type = oci::media_type::k_config;
  const auto to = image(server("plain") + "/push/hollow:1");
  const auto pushed = client.push_manifest(to, oci::serialise(manifest), manifest.media_type, {});
  ASSERT_FALSE(pushed);
  EXPECT_THAT(pushed.error().render(), HasSubstr("MANIFEST_BLOB_UNKNOWN"));
  EXPECT_THAT(pushed.error().render(), HasSubstr(manifest.config.digest.to_string()));
}

TEST(Push, AReadOnlyRegistryIsNamedSo) {
  Client client(test_hosts());
  const auto pushed = push(client, image(server("read_only") + "/push/never:1"), "some bytes that nobody has");
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code(), ErrorCode::unsupported);
  EXPECT_THAT(pushed.error().hint(), HasSubstr("read-only"));
}

} // namespace
} // namespace sheaf::registry
