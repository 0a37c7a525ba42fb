// SPDX-License-Identifier: Apache-2.0
#include "store/blobs.hpp"

#include <gmock/gmock.h>

#include "unit/store/store_support.hpp"

namespace sheaf::store {
namespace {

using testing::HasSubstr;

oci::Descriptor describe(std::string_view content) {
  return {"application/x", Digest::of(content), content.size(), std::nullopt, {}, {}};
}

class BlobsTest : public InStore {
protected:
  Store m_store = open();
  Blobs m_blobs{m_store};

  std::string blob_path(std::string_view content) const { return path("blobs/sha256/" + Digest::of(content).hex()); }
  std::string read(std::string_view content) {
    const auto file = m_blobs.open(describe(content)).value();
    return file ? os::read_all(*file).value() : "<none>";
  }
  std::size_t staged() const { return os::list_directory(path("tmp")).value().size(); }
};

TEST_F(BlobsTest, GivesBackWhatWasPut) {
  EXPECT_FALSE(m_blobs.has(describe("hello")));
  const auto put = m_blobs.put("hello", "application/x").value();
  EXPECT_EQ(put, describe("hello"));
  EXPECT_TRUE(m_blobs.has(put));
  EXPECT_EQ(read("hello"), "hello");
  EXPECT_EQ(m_blobs.read(put.digest).value(), "hello");
  EXPECT_EQ(m_blobs.read(Digest::of("other")).value(), std::nullopt);
  EXPECT_TRUE(m_blobs.put("hello", "application/x"));
}

TEST_F(BlobsTest, NothingIsSeenBeforeItIsCommitted) {
  const auto before = staged();
  {
    auto writer = m_blobs.create(Blobs::Verify::yes).value();
    ASSERT_TRUE(writer.write("hel"));
    ASSERT_TRUE(writer.write("lo"));
    EXPECT_EQ(read("hello"), "<none>");
    const auto file = writer.commit(describe("hello")).value();
    EXPECT_EQ(os::read_all(file).value(), "hello");
  }
  EXPECT_EQ(read("hello"), "hello");
  { ASSERT_TRUE(m_blobs.create(Blobs::Verify::yes).value().write("given up")); }
  EXPECT_EQ(staged(), before);
}

TEST_F(BlobsTest, RefusesWhatIsNotAsSaid) {
  for (const auto& wrong : {describe("hellO"), describe("hello!")}) {
    auto writer = m_blobs.create(Blobs::Verify::yes).value();
    ASSERT_TRUE(writer.write("hello"));
    const auto file = writer.commit(wrong);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), ErrorCode::corrupt);
  }
  EXPECT_TRUE(os::list_directory(path("blobs/sha256")).value().empty());
}

TEST_F(BlobsTest, ADamagedOneIsNotThere) {
  m_blobs.put("hello", "application/x").value();
  ASSERT_TRUE(os::write_file(blob_path("hello"), "hel"));
  EXPECT_EQ(read("hello"), "<none>");
  EXPECT_FALSE(os::exists(blob_path("hello")));
}

TEST_F(BlobsTest, WhatIsInItsPlaceIsNotTakenForIt) {
  m_blobs.put("hello", "application/x").value();
  ASSERT_TRUE(os::remove_file_if_exists(blob_path("hello")));
  ASSERT_EQ(symlink("nowhere", blob_path("hello").c_str()), 0);
  EXPECT_EQ(read("hello"), "<none>");
  m_blobs.put("hello", "application/x").value(); // replaces the link
  EXPECT_EQ(read("hello"), "hello");
  ASSERT_TRUE(os::remove_file_if_exists(blob_path("hello")));
  ASSERT_TRUE(os::make_directories(blob_path("hello")));
  const auto opened = m_blobs.open(describe("hello"));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().summary(), HasSubstr(blob_path("hello")));
}

/// After a reboot, which may have been a crash, the content is compared once.
TEST_F(BlobsTest, AfterARebootItIsCompared) {
  const auto mark = path("blobs/checked/" + Digest::of("hello").hex());
  m_blobs.put("hello", "application/x").value();
  ASSERT_TRUE(os::write_file(mark, "another boot\n"));
  EXPECT_EQ(read("hello"), "hello");
  EXPECT_EQ(os::read_file(mark).value(), os::boot_id() + "\n");
  ASSERT_TRUE(os::write_file(mark, "another boot\n"));
  ASSERT_TRUE(os::write_file(blob_path("hello"), "hellO"));
  EXPECT_EQ(read("hello"), "<none>");
}

TEST_F(BlobsTest, RemembersWhatATreeBecame) {
  const BlobRecord record{describe("blob"), Digest::of("tar"), 7};
  EXPECT_EQ(parse_blob_record(serialise(record)).value(), record);
  EXPECT_EQ(m_blobs.find_record("steps/1", "zstd").value(), std::nullopt);
  ASSERT_TRUE(m_blobs.save_record("steps/1", "zstd", record));
  EXPECT_EQ(m_blobs.find_record("steps/1", "zstd").value(), record);
  EXPECT_EQ(m_blobs.find_record("steps/1", "gzip").value(), std::nullopt);
  EXPECT_EQ(m_blobs.find_record("steps/2", "zstd").value(), std::nullopt);
  for (const auto* bad : {"", "{}", R"({"media_type":"x","digest":"sha256:1","size":1,"diff_id":"","entries":1})"}) {
    const auto parsed = parse_blob_record(bad);
    ASSERT_FALSE(parsed) << bad;
  }
}

TEST_F(BlobsTest, AnImageRemembersWhatItCameAs) {
  ImageRecord image;
  image.manifest = Digest::of("manifest");
  image.config = Digest::of("config");
  EXPECT_EQ(parse_image_record(serialise(image)).value(), image);
  EXPECT_EQ(image_id(image), image_id(ImageRecord()));
}

TEST_F(BlobsTest, AnUnpackedLayerIsWholeOrNotThere) {
  const auto blob = Digest::of("blob");
  auto staging = m_store.stage().value();
  ASSERT_TRUE(os::make_directories(staging.file("layer/tree")));
  ASSERT_TRUE(os::write_file(staging.file("layer/tree/a"), "1"));
  EXPECT_EQ(m_store.find_unpacked(blob), std::nullopt);
  const auto tree =
      m_store.commit_unpacked(staging.file("layer"), blob, digest_tree(staging.file("layer/tree")).value());
  ASSERT_TRUE(tree) << tree.error().render();
  EXPECT_EQ(m_store.find_unpacked(blob), *tree);
  ImageRecord image;
  image.trees = {*tree};
  EXPECT_TRUE(m_store.trees_of(image));
  ASSERT_TRUE(os::write_file(path(tree->folder + "/seal"), "another boot\n"));
  EXPECT_TRUE(m_store.trees_of(image));
  ASSERT_TRUE(os::write_file(path(tree->folder + "/seal"), "another boot\n"));
  ASSERT_TRUE(os::write_file(path(tree->folder + "/tree/a"), "2"));
  EXPECT_EQ(m_store.find_unpacked(blob), std::nullopt);
  EXPECT_EQ(m_store.trees_of(image).error().code(), ErrorCode::corrupt);
}

} // namespace
} // namespace sheaf::store
