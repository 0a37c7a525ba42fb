// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/packing.hpp"
#include "image/export.hpp"
#include "image/image_file.hpp"
#include "image/layout_target.hpp"
#include "oci/root_fs.hpp"
#include "store/blobs.hpp"

#include <fmt/format.h>

#include <atomic>
#include <map>

#include "unit/archive/archive_support.hpp"

namespace sheaf::image {

using archive::Member;

inline std::string packed(std::string_view text, archive::Packing packing) {
  std::string result;
  auto compressor = archive::Compressor::create(packing, 1, [&](std::string_view bytes) -> Result<void> {
    result += bytes;
    return {};
  });
  EXPECT_TRUE(compressor->write(text));
  EXPECT_TRUE(compressor->finish());
  return result;
}

/// An image in memory, made part by part; every part can be made wrong.
class FakeSource final : public ImageSource {
public:
  /// Adds a layer; `diff_id` is that of `tar`.
  void add_layer(const std::string& tar, archive::Packing packing = archive::Packing::gzip) {
    diff_ids.push_back(Digest::of(tar));
    const auto compression = packing == archive::Packing::gzip   ? oci::Compression::gzip
                             : packing == archive::Packing::zstd ? oci::Compression::zstd
                                                                 : oci::Compression::none;
    manifest_value.layers.push_back(put(packed(tar, packing), oci::layer_media_type(compression)));
  }
  oci::Descriptor put(const std::string& content, std::string_view type) {
    const auto digest = Digest::of(content);
    blobs[digest] = content;
    return {std::string(type), digest, content.size(), std::nullopt, {}, {}};
  }
  /// Configuration and manifest of what was added.
  void seal() {
    image.architecture = native_platform().architecture;
    manifest_value.config = put(oci::serialise(image, {1'700'000'000, diff_ids}), oci::media_type::k_config);
    manifest_value.media_type = oci::media_type::k_manifest;
    set_top(oci::serialise(manifest_value), manifest_value.media_type);
  }
  void set_top(const std::string& text, const std::string& type) { top_text = {text, type, Digest::of(text)}; }

  std::string name() const override { return "the fake"; }
  Result<ManifestText> top(std::stop_token /*stop*/) override { return top_text; }
  Result<ManifestText> manifest(const oci::Descriptor& wanted, std::stop_token /*stop*/) override {
    return ManifestText{blobs.at(wanted.digest), wanted.media_type, wanted.digest};
  }
  Result<void> blob(const oci::Descriptor& wanted, const Sink& sink, std::stop_token /*stop*/) override {
    ++fetched;
    const auto found = blobs.find(wanted.digest);
    if (found == blobs.end()) {
      return Error(ErrorCode::not_found, "no such blob");
    }
    constexpr std::size_t k_piece = 1000;
    for (std::size_t at = 0; at < found->second.size(); at += k_piece) {
      SHEAF_TRY(sink(std::string_view(found->second).substr(at, k_piece)));
    }
    // What a source owes its user.
    return Digest::of(found->second) == wanted.digest ? Result<void>()
                                                      : Error(ErrorCode::corrupt, "the blob has another digest");
  }

  std::map<Digest, std::string> blobs;
  std::vector<Digest> diff_ids;
  oci::Image image;
  oci::Manifest manifest_value;
  ManifestText top_text;
  std::atomic<int> fetched = 0;
};

/// A target in memory.
class FakeTarget final : public ImageTarget {
public:
  std::string name() const override { return "the fake target"; }
  Result<bool> has(const oci::Descriptor& blob, std::stop_token /*stop*/) override {
    const std::scoped_lock lock(m_mutex);
    return blobs.contains(blob.digest);
  }
  Result<void> put_blob(const oci::Descriptor& blob, const os::Fd& file, std::stop_token /*stop*/) override {
    SHEAF_TRY_ASSIGN(auto content, os::read_all(file));
    EXPECT_EQ(Digest::of(content), blob.digest);
    EXPECT_EQ(content.size(), blob.size);
    const std::scoped_lock lock(m_mutex);
    blobs[blob.digest] = std::move(content);
    ++put;
    return {};
  }
  Result<void> put_manifest(const oci::Descriptor& manifest, std::string_view text, Place /*place*/,
                            std::stop_token /*stop*/) override {
    EXPECT_EQ(Digest::of(text), manifest.digest);
    named = text;
    return {};
  }
  Result<void> finish() override { return {}; }

  std::map<Digest, std::string> blobs;
  std::string named;
  int put = 0;

private:
  std::mutex m_mutex;
};

/// A store. Ids are those of the user who runs the test.
class WithStore : public testing::Test {
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-image-").value();

protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  store::Store m_store = store::Store::open(path("store")).value();

  /// A tree of a step, as building gives it.
  static store::TreeRef tree(store::Store& store, const std::vector<Member>& members) {
    auto staging = store.stage().value();
    EXPECT_TRUE(os::make_directories(staging.file("step/tree")));
    auto reader = archive::Reader::open_memory(archive::tar(members)).value();
    const auto root = os::open(staging.file("step/tree"), O_RDONLY | O_DIRECTORY).value();
    archive::UnpackOptions options;
    options.whiteouts = archive::Whiteouts::overlay;
    const auto unpacked = archive::unpack(reader, root, "", options);
    EXPECT_TRUE(unpacked) << unpacked.error().render();
    const auto digest = store::digest_tree(staging.file("step/tree")).value();
    store::StepRecord record;
    record.content = digest.content;
    record.exact = digest.exact;
    EXPECT_TRUE(store.commit_step(staging.file("step"), digest.exact, record));
    return {record.folder(), digest.content};
  }
  static store::ImageRecord image(store::Store& store) {
    store::ImageRecord record;
    record.image.architecture = native_platform().architecture;
    record.image.config.command = {"sh"};
    record.image.history = {{"RUN one", "", false}, {"ENV A=1", "", true}, {"RUN two", "", false}};
    record.created = 1'700'000'000;
    record.trees = {tree(store, {archive::folder("d"), archive::file("d/a", "1"), archive::hard_link("d/b", "d/a"),
                                 archive::link("l", "d")}),
                    tree(store, {archive::file("two", std::string(100'000, 'x'))})};
    return record;
  }

  /// Folders of a store that hold something, but for what opening one makes.
  static std::vector<std::string> kept(const store::Store& store) {
    std::vector<std::string> found;
    for (const auto* folder : {"blobs/sha256", "blobs/records", "unpacked", "tmp"}) {
      if (const auto entries = os::list_directory(store.root() + "/" + folder)) {
        for (const auto& entry : *entries) {
          if (entry.name != "gate.lock") {
            found.push_back(fmt::format("{}/{}", folder, entry.name));
          }
        }
      }
    }
    return found;
  }
};

} // namespace sheaf::image
