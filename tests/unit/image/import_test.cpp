// SPDX-License-Identifier: Apache-2.0
#include "image/import.hpp"

#include <gmock/gmock.h>

#include <mutex>
#include <set>

#include "unit/image/image_support.hpp"

namespace sheaf::image {
namespace {

using archive::file;
using archive::Packing;
using archive::tar;
using testing::HasSubstr;
using testing::IsEmpty;

class Import : public WithStore {
protected:
  Result<store::ImageRecord> import(FakeSource& source, const ImportOptions& options = {}) {
    return import_image(source, options, m_store, {});
  }
  std::string content(const store::TreeRef& tree, const std::string& name) const {
    return os::read_file(m_store.tree_path(tree) + "/" + name).value_or("<none>");
  }
  /// Fails with `code` and a text with `message`, and nothing of the image stays.
  void refuses(FakeSource& source, ErrorCode code, const std::string& message, const ImportOptions& options = {}) {
    const auto before = kept(m_store);
    const auto record = import(source, options);
    ASSERT_FALSE(record) << message;
    EXPECT_EQ(record.error().code(), code) << record.error().render();
    EXPECT_THAT(record.error().summary(), HasSubstr(message));
    EXPECT_THAT(record.error().summary(), HasSubstr("reading the fake"));
    EXPECT_EQ(kept(m_store), before);
  }
};

TEST_F(Import, TakesAllKindsOfLayers) {
  FakeSource source;
  source.image.config.command = {"run"};
  source.add_layer(tar({file("a", "1"), file("big", std::string(3'000'000, 'b'))}), Packing::gzip);
  source.add_layer(tar({file("a", "2")}), Packing::zstd);
  source.add_layer(tar({file("a", "3")}), Packing::none);
  source.seal();
  const auto record = import(source);
  ASSERT_TRUE(record) << record.error().render();
  EXPECT_EQ(record->image.config.command, source.image.config.command);
  EXPECT_EQ(record->created, 1'700'000'000);
  ASSERT_EQ(record->trees.size(), 3U);
  EXPECT_EQ(content(record->trees[0], "a"), "1");
  EXPECT_EQ(content(record->trees[0], "big").size(), 3'000'000U);
  EXPECT_EQ(content(record->trees[1], "a"), "2");
  EXPECT_EQ(content(record->trees[2], "a"), "3");
  EXPECT_EQ(record->manifest, source.top_text.digest);
  EXPECT_EQ(record->config, source.manifest_value.config.digest);
}

TEST_F(Import, WhatIsThereIsNotFetchedAgain) {
  FakeSource source;
  source.add_layer(tar({file("a")}));
  source.add_layer(tar({file("b")}));
  source.seal();
  const auto first = import(source).value();
  EXPECT_EQ(source.fetched, 3);
  std::mutex mutex;
  std::set<bool> reused;
  ImportOptions options;
  options.on_progress = [&](const Progress& progress) {
    const std::scoped_lock lock(mutex);
    reused.insert(progress.reused);
    EXPECT_EQ(progress.done, progress.total);
  };
  EXPECT_EQ(import(source, options).value(), first);
  EXPECT_EQ(source.fetched, 4); // the configuration
  EXPECT_EQ(reused, std::set<bool>{true});
}

/// overlayfs refuses the same directory twice, and a layer that holds nothing need not be mounted.
TEST_F(Import, EmptyAndRepeatedLayersAreMountedOnce) {
  FakeSource source;
  source.add_layer(tar({file("a", "1")}));
  source.add_layer(tar({file("a", "2")}));
  source.add_layer(tar({}));
  source.add_layer(tar({file("a", "1")}));
  source.seal();
  const auto record = import(source);
  ASSERT_TRUE(record) << record.error().render();
  ASSERT_EQ(record->trees.size(), 2U);
  EXPECT_EQ(content(record->trees[0], "a"), "2");
  EXPECT_EQ(content(record->trees[1], "a"), "1");
}

/// overlayfs does not heed the mark at the root of a tree: what it hides is not mounted.
TEST_F(Import, AnOpaqueRootHidesAllLayersBelow) {
  FakeSource source;
  source.add_layer(tar({file("secret", "1")}));
  source.add_layer(tar({file("b")}));
  source.add_layer(tar({file(".wh..wh..opq"), file("new", "2")}));
  source.add_layer(tar({file("newer", "3")}));
  source.seal();
  for (int time = 0; time < 2; ++time) { // taken in, and found in the store
    const auto record = import(source);
    ASSERT_TRUE(record) << record.error().render();
    ASSERT_EQ(record->trees.size(), 2U);
    EXPECT_EQ(content(record->trees[0], "new"), "2");
    EXPECT_EQ(content(record->trees[1], "newer"), "3");
  }
}

/// As some tools write a layer that holds nothing.
TEST_F(Import, ALayerOfNoBytesIsOne) {
  FakeSource source;
  source.add_layer(tar({file("a", "1")}));
  source.add_layer("");
  source.seal();
  const auto record = import(source);
  ASSERT_TRUE(record) << record.error().render();
  EXPECT_EQ(record->trees.size(), 1U);
}

TEST_F(Import, AnImageWithoutLayersIsOne) {
  FakeSource source;
  source.seal();
  EXPECT_THAT(import(source).value().trees, IsEmpty());
}

TEST_F(Import, ChoosesByPlatform) {
  FakeSource source;
  source.add_layer(tar({file("a")}));
  source.seal();
  auto manifest = source.put(source.top_text.text, oci::media_type::k_manifest);
  manifest.platform = native_platform();
  oci::Descriptor other = source.put("{}", oci::media_type::k_manifest);
  other.platform = oci::Platform{"linux", "s390x", "", ""};
  oci::Index inner;
  inner.manifests = {other, manifest};
  const auto inner_text = oci::serialise(inner);
  oci::Index outer;
  outer.manifests = {source.put(inner_text, oci::media_type::k_index)};
  source.set_top(oci::serialise(outer), std::string(oci::media_type::k_index));
  const auto record = import(source);
  ASSERT_TRUE(record) << record.error().render();
  EXPECT_EQ(record->manifest, manifest.digest);
  ImportOptions options;
  options.platform = oci::Platform{"linux", "riscv64", "", ""};
  refuses(source, ErrorCode::not_found, "there is no image for linux/riscv64", options);
}

TEST_F(Import, AnExplicitPlatformMustBeTheImages) {
  FakeSource source;
  source.add_layer(tar({file("a")}));
  source.seal();
  ImportOptions options;
  options.platform = oci::Platform{"linux", "riscv64", "", ""};
  refuses(source, ErrorCode::not_found, "not for linux/riscv64", options);
}

TEST_F(Import, RefusesAWrongDigest) {
  FakeSource source;
  source.add_layer(tar({file("a")}));
  source.seal();
  auto& blob = source.blobs.at(source.manifest_value.layers[0].digest);
  blob = packed(tar({file("b")}), Packing::gzip);
  source.manifest_value.layers[0].size = blob.size();
  source.set_top(oci::serialise(source.manifest_value), source.manifest_value.media_type);
  refuses(source, ErrorCode::corrupt, "another digest");
}

TEST_F(Import, RefusesAWrongSize) {
  for (const int change : {-1, 1, 1000}) {
    FakeSource source;
    source.add_layer(tar({file("a")}));
    source.seal();
    source.manifest_value.layers[0].size += static_cast<std::uint64_t>(change);
    source.set_top(oci::serialise(source.manifest_value), source.manifest_value.media_type);
    refuses(source, ErrorCode::corrupt, "the fake sent");
  }
}

TEST_F(Import, RefusesAWrongDiffId) {
  FakeSource source;
  source.add_layer(tar({file("a")}));
  source.diff_ids[0] = Digest::of("other");
  source.seal();
  refuses(source, ErrorCode::corrupt, "the configuration says " + Digest::of("other").short_hex());
  // Nor later, when the layer is there.
  FakeSource good;
  good.add_layer(tar({file("a")}));
  good.seal();
  ASSERT_TRUE(import(good));
  refuses(source, ErrorCode::corrupt, "the configuration says");
}

TEST_F(Import, RefusesTypesThatAreNoLayers) {
  for (const auto* type : {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "text/plain", "",
                           "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}) {
    FakeSource source;
    source.add_layer(tar({file("good")}));
    source.add_layer(tar({file("a")}));
    source.manifest_value.layers[1].media_type = type;
    source.seal();
    refuses(source, ErrorCode::unsupported, "is no layer of files");
  }
}

TEST_F(Import, RefusesALayerThatIsNotPackedAsItsTypeSays) {
  const auto plain = tar({file("a")});
  FakeSource source;
  source.add_layer(plain, Packing::none);
  source.manifest_value.layers[0].media_type = oci::layer_media_type(oci::Compression::zstd);
  source.seal();
  refuses(source, ErrorCode::corrupt, "is not packed as its type");
  FakeSource twice;
  twice.add_layer(packed(plain, Packing::gzip), Packing::gzip);
  twice.seal();
  refuses(twice, ErrorCode::corrupt, "");
}

TEST_F(Import, RefusesArtifactsAndBadConfigurations) {
  FakeSource artifact;
  artifact.seal();
  artifact.manifest_value.config.media_type = oci::media_type::k_empty;
  artifact.set_top(oci::serialise(artifact.manifest_value), artifact.manifest_value.media_type);
  refuses(artifact, ErrorCode::unsupported, "its configuration is of type 'application/vnd.oci.empty.v1+json'");

  FakeSource windows;
  windows.image.os = "windows";
  windows.seal();
  refuses(windows, ErrorCode::unsupported, "it is an image for 'windows'");

  FakeSource fewer;
  fewer.add_layer(tar({file("a")}));
  fewer.diff_ids.clear();
  fewer.seal();
  refuses(fewer, ErrorCode::corrupt, "names 0 layers, its manifest 1");

  FakeSource changed;
  changed.seal();
  changed.blobs.at(changed.manifest_value.config.digest).back() = ' ';
  refuses(changed, ErrorCode::corrupt, "another digest");

  FakeSource lying;
  lying.seal();
  lying.top_text.digest = Digest::of("other");
  refuses(lying, ErrorCode::corrupt, "its manifest has another digest");
}

TEST_F(Import, IndexesThatLeadNowhereEnd) {
  FakeSource source;
  oci::Index index;
  std::string text = oci::serialise(index);
  for (int depth = 0; depth < 9; ++depth) {
    index.manifests = {source.put(text, oci::media_type::k_index)};
    text = oci::serialise(index);
  }
  source.set_top(text, std::string(oci::media_type::k_index));
  refuses(source, ErrorCode::corrupt, "lead to other indexes");
}

TEST_F(Import, OneBadLayerStopsTheOthersAndIsTheOneToldOf) {
  FakeSource source;
  for (int i = 0; i < 20; ++i) {
    source.add_layer(tar({file("f" + std::to_string(i))}));
  }
  source.seal();
  source.blobs.erase(source.manifest_value.layers[3].digest);
  const auto record = import(source);
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code(), ErrorCode::not_found);
  EXPECT_THAT(record.error().summary(), HasSubstr("layer " + source.manifest_value.layers[3].digest.short_hex()));
}

TEST_F(Import, StopsWhenAsked) {
  FakeSource source;
  source.add_layer(tar({file("a")}));
  source.seal();
  std::stop_source stop;
  stop.request_stop();
  const auto record = import_image(source, {}, m_store, stop.get_token());
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code(), ErrorCode::cancelled);
  EXPECT_THAT(kept(m_store), IsEmpty());
}

} // namespace
} // namespace sheaf::image
