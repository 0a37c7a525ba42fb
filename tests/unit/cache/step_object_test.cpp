// SPDX-License-Identifier: Apache-2.0
#include "cache/step_object.hpp"
#include "image/image_file.hpp"
#include "image/layout_target.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <ctime>

namespace sheaf::cache {
namespace {

class StepObject : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }

  /// A step that wrote one file, in the store.
  static StepEntry made(store::Store& store, const std::string& content) {
    auto staging = store.stage().value();
    const auto directory = staging.file("step");
    EXPECT_TRUE(os::make_directories(directory + "/tree"));
    EXPECT_TRUE(os::write_file(directory + "/tree/file", content));
    const auto digest = store::digest_tree(directory + "/tree").value();
    StepEntry entry;
    entry.key = Digest::of("key of " + content);
    entry.record = {"RUN " + content, digest.content, digest.exact, digest.bytes, digest.files, 12, 34};
    EXPECT_TRUE(store.commit_step(directory, entry.key, entry.record));
    return entry;
  }

  /// Puts the list into a layout, with the trees of `with_tree`, and reads it again.
  Result<StepList> put_and_get(const StepList& list, const std::vector<std::string>& with_tree, store::Store& store) {
    SHEAF_TRY_ASSIGN(const auto target, image::open_layout_directory(path("cache"), {"latest"}));
    SHEAF_TRY_ASSIGN(const auto put,
                     put_steps(list, with_tree, {std::nullopt, image::Form::oci, 1}, *target, store, {}));
    const auto text = oci::serialise(put.manifest);
    SHEAF_TRY(target->put_manifest({put.manifest.media_type, Digest::of(text), text.size(), {}, {}, {}}, text,
                                   image::ImageTarget::Place::named, {}));
    SHEAF_TRY(target->finish());
    SHEAF_TRY(open(store));
    return get_steps(*m_source, {});
  }
  Result<void> open(store::Store& store) {
    SHEAF_TRY_ASSIGN(auto file, image::ImageFile::open(path("cache"), store));
    m_file = std::make_unique<image::ImageFile>(std::move(file));
    SHEAF_TRY_ASSIGN(m_source, m_file->source("latest"));
    return {};
  }

  os::TempDir m_directory = os::TempDir::create("/tmp", "step-object-").value();
  store::Store m_first = store::Store::open(path("first")).value();
  store::Store m_second = store::Store::open(path("second")).value();
  std::unique_ptr<image::ImageFile> m_file;
  std::unique_ptr<image::ImageSource> m_source;
};

TEST_F(StepObject, IsReadAsItWasWritten) {
  StepList list;
  list.steps = {made(m_first, "one"), made(m_first, "two")};
  list.selections[Digest::of("selection")] = Digest::of("files");
  const auto read = put_and_get(list, {list.steps[0].record.folder()}, m_first);
  ASSERT_TRUE(read) << read.error().render();
  ASSERT_EQ(read->steps.size(), 2U);
  EXPECT_EQ(read->steps[0].record, list.steps[0].record);
  EXPECT_TRUE(read->steps[0].blob.has_value());
  EXPECT_FALSE(read->steps[0].encoder.empty());
  EXPECT_EQ(read->steps[1], list.steps[1]) << "no tree was asked for";
  EXPECT_EQ(read->selections, list.selections);
}

TEST_F(StepObject, ATreeComesIntoAnotherStoreUnderItsKey) {
  StepList list;
  list.steps = {made(m_first, "one")};
  const auto folder = list.steps[0].record.folder();
  const auto read = put_and_get(list, {folder}, m_first);
  ASSERT_TRUE(read) << read.error().render();
  ASSERT_FALSE(m_second.find_step(list.steps[0].key));
  const auto got = get_tree(read->steps[0], *m_source, m_second, {});
  ASSERT_TRUE(got) << got.error().render();
  EXPECT_EQ(m_second.find_step(list.steps[0].key), list.steps[0].record);
  EXPECT_EQ(os::read_file(fmt::format("{}/{}/tree/file", m_second.root(), folder)).value(), "one");
}

TEST_F(StepObject, AnotherTreeThanTheRecordSaysIsNotKept) {
  StepList list;
  list.steps = {made(m_first, "one"), made(m_first, "two")};
  auto read = put_and_get(list, {list.steps[0].record.folder(), list.steps[1].record.folder()}, m_first);
  ASSERT_TRUE(read) << read.error().render();
  read->steps[0].blob = read->steps[1].blob;
  const auto got = get_tree(read->steps[0], *m_source, m_second, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), ErrorCode::corrupt);
  EXPECT_FALSE(m_second.find_step(list.steps[0].key));
  EXPECT_FALSE(os::exists(path("second/") + list.steps[0].record.folder()));
  auto wrong_tar = list.steps[1];
  wrong_tar.blob = read->steps[1].blob;
  wrong_tar.blob->diff_id = Digest::of("another tar");
  EXPECT_EQ(get_tree(wrong_tar, *m_source, m_second, {}).error().code(), ErrorCode::corrupt);
  EXPECT_EQ(get_tree(list.steps[1], *m_source, m_second, {}).error().code(), ErrorCode::not_found);
}

TEST_F(StepObject, WhatIsNotInTheStoreIsLeftOutUnlessTheTargetHasIt) {
  StepList list;
  list.steps = {made(m_first, "one")};
  const std::vector<std::string> folders = {list.steps[0].record.folder()};
  const auto known = put_and_get(list, folders, m_first);
  ASSERT_TRUE(known);
  const auto again = put_and_get(*known, folders, m_second);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *known);
  const auto without = put_and_get(list, folders, m_second);
  ASSERT_TRUE(without) << without.error().render();
  EXPECT_FALSE(without->steps[0].blob.has_value());
}

TEST(StepList, DamagedTextsAreRefused) {
  const auto digest = Digest::of("x").to_string();
  const std::vector<std::string> texts = {
      "",
      "{}",
      R"({"version":1})",
      R"({"version":2,"steps":[],"selections":{}})",
      R"({"version":1,"steps":[{}],"selections":{}})",
      R"({"version":1,"steps":{},"selections":{"x":"y"}})",
      R"({"version":1,"steps":[{"key":"sha256:1","record":{}}],"selections":{}})",
      fmt::format(R"({{"version":1,"steps":[{{"key":"{0}","record":{{"version":1,"display":"x","content":"{0}",)"
                  R"("tree":"{0}","bytes":1,"files":1,"milliseconds":1,"created":1}},)"
                  R"("blob":{{"digest":"{0}","diff_id":"{0}","entries":1,"encoder":""}}}}],"selections":{{}}}})",
                  digest)};
  for (const auto& text : texts) {
    const auto list = parse_step_list(text, {});
    ASSERT_FALSE(list) << text;
    EXPECT_THAT(list.error().code(), testing::AnyOf(ErrorCode::corrupt, ErrorCode::invalid, ErrorCode::unsupported))
        << text;
  }
  EXPECT_TRUE(parse_step_list(R"({"version":1,"steps":[],"selections":{}})", {}));
}

} // namespace
} // namespace sheaf::cache
