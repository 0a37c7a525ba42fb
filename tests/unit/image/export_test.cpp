// SPDX-License-Identifier: Apache-2.0
#include "image/export.hpp"
#include "image/layer_intake.hpp"

#include <gmock/gmock.h>

#include "unit/image/image_support.hpp"

namespace sheaf::image {
namespace {

using archive::file;
using archive::Packing;
using archive::tar;
using testing::HasSubstr;

/// Two stores play two machines.
class ExportTest : public WithStore {
protected:
  store::Store m_other = store::Store::open(path("other")).value();

  static Exported must_export(const store::ImageRecord& image, ImageTarget& target, store::Store& store,
                              const ExportOptions& options = {}) {
    auto done = export_image(image, options, target, store, {});
    EXPECT_TRUE(done) << done.error().render();
    EXPECT_TRUE(target.finish());
    return done.value_or(Exported());
  }
  /// What is at `place`, brought into the other store.
  store::ImageRecord bring(const std::string& place, const std::string& name = "") {
    const auto opened = ImageFile::open(place, m_other);
    EXPECT_TRUE(opened) << opened.error().render();
    const auto source = opened->source(name);
    EXPECT_TRUE(source) << source.error().render();
    auto record = import_image(**source, {}, m_other, {});
    EXPECT_TRUE(record) << record.error().render();
    return record.value_or(store::ImageRecord());
  }
};

TEST_F(ExportTest, AnotherMachineGetsTheSameImage) {
  const auto image = ExportTest::image(m_store);
  const auto directory = open_layout_directory(path("layout"), {"docker.io/library/app:1"}).value();
  must_export(image, *directory, m_store);
  const auto tar_file = open_layout_tar(path("layout.tar"), {"docker.io/library/app:1"}).value();
  must_export(image, *tar_file, m_store);
  const auto docker = open_docker_archive(path("docker.tar"), {"docker.io/library/app:1"}).value();
  ExportOptions plain;
  plain.compression = oci::Compression::none;
  must_export(image, *docker, m_store, plain);
  for (const auto* place : {"layout", "layout.tar", "docker.tar"}) {
    const auto brought = bring(path(place));
    EXPECT_EQ(store::image_id(brought), store::image_id(image)) << place;
    EXPECT_EQ(brought.created, image.created);
  }
}

TEST_F(ExportTest, EqualImagesGiveEqualBytesInEveryStore) {
  for (const auto compression : {oci::Compression::none, oci::Compression::gzip, oci::Compression::zstd}) {
    ExportOptions options;
    options.compression = compression;
    FakeTarget first;
    FakeTarget second;
    options.jobs = 1;
    const auto one = must_export(image(m_store), first, m_store, options);
    options.jobs = 5;
    const auto two = must_export(image(m_other), second, m_other, options);
    EXPECT_EQ(one.manifest, two.manifest);
    EXPECT_TRUE(first.blobs == second.blobs);
    EXPECT_EQ(first.named, second.named);
  }
}

TEST_F(ExportTest, ALayerIsPackedOnce) {
  const auto image = ExportTest::image(m_store);
  FakeTarget target;
  auto done = must_export(image, target, m_store);
  EXPECT_EQ(done.made, 2U);
  EXPECT_EQ(target.put, 3);
  done = must_export(image, target, m_store);
  EXPECT_EQ(done.made, 0U);
  EXPECT_EQ(done.there, 2U);
  EXPECT_EQ(target.put, 3);
  EXPECT_EQ(done.bytes_written, done.manifest.size);
  FakeTarget other;
  done = must_export(image, other, m_store);
  EXPECT_EQ(done.made, 0U);
  EXPECT_EQ(done.reused, 2U);
  EXPECT_TRUE(other.blobs == target.blobs);
}

TEST_F(ExportTest, ALostBlobIsMadeAgain) {
  const auto image = ExportTest::image(m_store);
  FakeTarget target;
  must_export(image, target, m_store);
  ASSERT_TRUE(os::remove_all(m_store.root() + "/blobs/sha256"));
  FakeTarget other;
  EXPECT_EQ(must_export(image, other, m_store).made, 2U);
  EXPECT_TRUE(other.blobs == target.blobs);
}

TEST_F(ExportTest, WhatNobodyChangedLeavesAsItCame) {
  FakeSource source;
  source.image.history = {{"x", "", false}};
  source.manifest_value.annotations = {{"org.example", "kept"}};
  source.add_layer(tar({file("a", "1")}), Packing::gzip);
  source.add_layer(tar({}), Packing::none); // neither would we make this
  source.add_layer(tar({file("a", "1")}), Packing::gzip);
  source.manifest_value.layers[0].media_type = "application/vnd.docker.image.rootfs.diff.tar.gzip";
  source.seal();
  const auto image = import_image(source, {}, m_store, {}).value();
  FakeTarget target;
  const auto done = must_export(image, target, m_store);
  EXPECT_TRUE(done.unchanged);
  EXPECT_EQ(target.named, source.top_text.text);
  EXPECT_TRUE(target.blobs == source.blobs);
  EXPECT_EQ(done.made, 0U);
}

TEST_F(ExportTest, AChangedConfigurationKeepsTheLayers) {
  FakeSource source;
  source.add_layer(tar({file("a", "1")}), Packing::gzip);
  source.seal();
  auto image = import_image(source, {}, m_store, {}).value();
  image.image.config.labels["new"] = "label";
  FakeTarget target;
  const auto done = must_export(image, target, m_store);
  EXPECT_FALSE(done.unchanged);
  EXPECT_EQ(done.made, 0U);
  const auto layer = source.manifest_value.layers[0].digest;
  EXPECT_EQ(done.layers.at(0).digest, layer);
  EXPECT_EQ(target.blobs.at(layer), source.blobs.at(layer));
  EXPECT_THAT(target.blobs.at(done.config.digest), HasSubstr(R"("Labels":{"new":"label"})"));
  EXPECT_EQ(oci::parse_root_fs(target.blobs.at(done.config.digest)).value().diff_ids, source.diff_ids);
}

TEST_F(ExportTest, ANewAnnotationKeepsTheConfiguration) {
  FakeSource source;
  source.add_layer(tar({file("a", "1")}), Packing::gzip);
  source.seal();
  const auto image = import_image(source, {}, m_store, {}).value();
  ExportOptions options;
  options.annotations = {{"by", "me"}};
  FakeTarget target;
  const auto done = must_export(image, target, m_store, options);
  EXPECT_FALSE(done.unchanged);
  EXPECT_EQ(done.config.digest, source.manifest_value.config.digest);
  EXPECT_THAT(target.named, HasSubstr(R"("annotations":{"by":"me"})"));
}

/// Another packing of the same tar: the configuration, and with it the id, stays.
TEST_F(ExportTest, RepackingKeepsTheTar) {
  FakeSource source;
  const auto bytes = tar({file("z", "1"), file("a", "not sorted")}) + std::string(5120, '\0');
  source.add_layer(bytes, Packing::gzip);
  source.seal();
  const auto image = import_image(source, {}, m_store, {}).value();
  for (const auto compression : {oci::Compression::none, oci::Compression::zstd}) {
    ExportOptions options;
    options.compression = compression;
    FakeTarget target;
    const auto done = must_export(image, target, m_store, options);
    EXPECT_EQ(done.made, 1U);
    EXPECT_EQ(done.config.digest, source.manifest_value.config.digest);
    if (compression == oci::Compression::none) {
      EXPECT_EQ(done.layers.at(0).digest, Digest::of(bytes));
    }
  }
}

TEST_F(ExportTest, WithoutTheBlobTheTreeIsPacked) {
  FakeSource source;
  source.add_layer(tar({file("z", "1"), file("a", "not sorted")}), Packing::gzip);
  source.seal();
  auto image = import_image(source, {}, m_store, {}).value();
  ASSERT_TRUE(os::remove_all(m_store.root() + "/blobs/sha256"));
  FakeTarget target;
  const auto done = must_export(image, target, m_store);
  EXPECT_EQ(done.made, 1U);
  EXPECT_EQ(oci::parse_root_fs(target.blobs.at(done.config.digest)).value().diff_ids,
            std::vector<Digest>{Digest::of(tar({file("a", "not sorted"), file("z", "1")}))});
}

TEST_F(ExportTest, DockersFormHasDockersTypes) {
  ExportOptions options;
  options.form = Form::docker;
  FakeTarget target;
  const auto done = must_export(image(m_store), target, m_store, options);
  EXPECT_EQ(done.manifest.media_type, oci::media_type::k_docker_manifest);
  const auto manifest = std::get<oci::Manifest>(oci::parse_manifest(target.named).value());
  EXPECT_EQ(manifest.config.media_type, oci::media_type::k_docker_config);
  EXPECT_EQ(manifest.layers.at(0).media_type, "application/vnd.docker.image.rootfs.diff.tar.gzip");
}

TEST_F(ExportTest, ALayoutKeepsItsOtherImages) {
  const auto image = ExportTest::image(m_store);
  auto changed = image;
  changed.image.config.command = {"other"};
  must_export(image, *open_layout_directory(path("layout"), {"docker.io/library/app:1"}).value(), m_store);
  must_export(changed, *open_layout_directory(path("layout"), {"docker.io/library/app:2"}).value(), m_store);
  EXPECT_EQ(store::image_id(bring(path("layout"), "1")), store::image_id(image));
  EXPECT_EQ(store::image_id(bring(path("layout"), "docker.io/library/app:2")), store::image_id(changed));
  // The same name again takes its place.
  must_export(changed, *open_layout_directory(path("layout"), {"docker.io/library/app:1"}).value(), m_store);
  EXPECT_EQ(store::image_id(bring(path("layout"), "1")), store::image_id(changed));
  EXPECT_EQ(ImageFile::open(path("layout"), m_other).value().entries().size(), 2U);
}

TEST_F(ExportTest, SeveralImagesAreAnIndexUnderOneName) {
  const auto here = ExportTest::image(m_store);
  auto there = here;
  there.image.architecture = "riscv64";
  for (const auto* place : {"layout", "layout.tar"}) {
    const std::vector<std::string> names = {"docker.io/library/app:1"};
    const auto target = std::string_view(place).ends_with(".tar") ? open_layout_tar(path(place), names).value()
                                                                  : open_layout_directory(path(place), names).value();
    const auto set = export_images({here, there}, {}, *target, m_store, {});
    ASSERT_TRUE(set) << set.error().render();
    ASSERT_TRUE(target->finish());
    EXPECT_EQ(set->top.media_type, oci::media_type::k_index);
    const auto file = ImageFile::open(path(place), m_other).value();
    ASSERT_EQ(file.entries().size(), 1U);
    const auto source = file.source(file.entries().front()).value();
    for (const auto& image : {here, there}) {
      ImportOptions options;
      options.platform = oci::Platform{image.image.os, image.image.architecture, image.image.variant, {}};
      const auto brought = import_image(*source, options, m_other, {});
      ASSERT_TRUE(brought) << brought.error().render();
      EXPECT_EQ(store::image_id(*brought), store::image_id(image));
    }
  }
}

TEST_F(ExportTest, ALostTreeIsTold) {
  const auto image = ExportTest::image(m_store);
  ASSERT_TRUE(os::remove_all(m_store.root() + "/" + image.trees[1].folder));
  FakeTarget target;
  const auto done = export_image(image, {}, target, m_store, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), ErrorCode::corrupt);
  EXPECT_TRUE(target.blobs.empty());
}

} // namespace
} // namespace sheaf::image
