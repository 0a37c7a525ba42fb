// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"
#include "store/store.hpp"
#include "store/tree_digest.hpp"

#include <gmock/gmock.h>

#include "unit/store/store_support.hpp"

namespace sheaf::store {
namespace {

using ImagesTest = InStore;

ImageRecord image(const std::string& command, std::int64_t created) {
  ImageRecord record;
  record.image.config.command = {{command}};
  record.trees = {{"layers/x", Digest::of("x")}};
  record.created = created;
  return record;
}

oci::Reference reference(const std::string& name) { return oci::Reference::parse(name).value(); }

TEST_F(ImagesTest, DamagedOnesAreToldOf) {
  auto store = open();
  const auto id = store.save_image(image("a", 1)).value();
  ASSERT_TRUE(store.tag(reference("app"), id));
  const auto file = path("images/" + id.hex() + ".json");
  ASSERT_TRUE(os::write_file(file, "{"));
  EXPECT_TRUE(store.images().value().empty());
  EXPECT_THAT(store.take_damaged(), testing::ElementsAre(file));
  const auto found = store.find_image("app");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), ErrorCode::corrupt);
  EXPECT_THAT(found.error().render(), testing::AllOf(testing::HasSubstr(file), testing::HasSubstr("hint: ")));
}

TEST_F(ImagesTest, ANameWhoseFileOrRecordIsLostIsToldOf) {
  auto store = open();
  const auto id = store.save_image(image("a", 1)).value();
  ASSERT_TRUE(store.tag(reference("app"), id));
  ASSERT_TRUE(os::remove_file_if_exists(path("images/" + id.hex() + ".json")));
  EXPECT_EQ(store.find_image("app").value(), std::nullopt);
  EXPECT_THAT(store.take_damaged(), testing::ElementsAre(path("images/" + id.hex() + ".json")));
  ASSERT_TRUE(os::write_file(store.tag_file(reference("app")), ""));
  EXPECT_EQ(store.find_image("app").value(), std::nullopt);
  EXPECT_THAT(store.take_damaged(), testing::ElementsAre(store.tag_file(reference("app"))));
}

TEST_F(ImagesTest, AreFoundByNameIdAndBeginningOfAnId) {
  auto store = open();
  const auto id = store.save_image(image("a", 1)).value();
  const auto other = store.save_image(image("b", 2)).value();
  ASSERT_NE(id, other);
  ASSERT_TRUE(store.tag(reference("app"), id));
  ASSERT_TRUE(store.tag(reference("h.example:5000/app:1"), id));
  for (const auto& name :
       {std::string("app:latest"), std::string("docker.io/library/app"), id.to_string(), id.hex(), id.short_hex()}) {
    const auto found = store.find_image(name);
    ASSERT_TRUE(found && *found) << name;
    EXPECT_EQ((*found)->id, id);
    EXPECT_EQ((*found)->record, image("a", 1));
    EXPECT_THAT((*found)->tags, testing::ElementsAre(reference("app"), reference("h.example:5000/app:1")));
  }
  EXPECT_FALSE(*store.find_image("app:2"));
  EXPECT_EQ(store.find_image("App").error().code(), ErrorCode::invalid);
  const auto all = store.images().value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, other);
  EXPECT_TRUE(all[0].tags.empty());
}

TEST_F(ImagesTest, ANameMovesAndGoes) {
  auto store = open();
  const auto one = store.save_image(image("a", 1)).value();
  const auto two = store.save_image(image("b", 1)).value();
  ASSERT_TRUE(store.tag(reference("app"), one));
  ASSERT_TRUE(store.tag(reference("app"), two));
  EXPECT_EQ((*store.find_image("app"))->id, two);
  EXPECT_TRUE(*store.untag(reference("app")));
  EXPECT_FALSE(*store.untag(reference("app")));
  EXPECT_FALSE(*store.find_image("app"));
  EXPECT_TRUE(*store.find_image(two.hex()));
  EXPECT_FALSE(store.tag(reference("app@" + one.to_string()), one));
}

TEST_F(ImagesTest, AnIdDependsOnConfigurationAndContentAlone) {
  auto other = image("a", 2);
  other.trees[0].folder = "layers/y";
  other.annotations = {{"a", "b"}};
  EXPECT_EQ(image_id(image("a", 1)), image_id(other));
  EXPECT_NE(image_id(image("a", 1)), image_id(image("b", 1)));
  EXPECT_EQ(*parse_image_record(serialise(other)), other);
  EXPECT_EQ(parse_image_record("{}").error().code(), ErrorCode::corrupt);
  auto text = serialise(other);
  text.replace(text.find("\"created\": 2"), std::string_view("\"created\": 2").size(), "\"created\": 2e99");
  EXPECT_EQ(parse_image_record(text).error().code(), ErrorCode::corrupt);
}

class StepsTest : public InStore {
protected:
  static StepRecord commit(Store& store, const std::string& key, const std::string& content) {
    auto staging = store.stage().value();
    const auto folder = staging.fresh_directory("step-").value();
    EXPECT_TRUE(os::make_directories(folder + "/tree"));
    EXPECT_TRUE(os::write_file(folder + "/tree/file", content));
    const auto digest = digest_tree(folder + "/tree").value();
    StepRecord record{"RUN x", digest.content, digest.exact, digest.bytes, digest.files, 3, 4};
    EXPECT_TRUE(store.commit_step(folder, Digest::of(key), record));
    return record;
  }
};

TEST_F(StepsTest, AKeyFindsWhatWasCommittedLast) {
  auto store = open();
  EXPECT_FALSE(store.find_step(Digest::of("key")));
  const auto first = commit(store, "key", "one");
  EXPECT_EQ(store.find_step(Digest::of("key")), first);
  const auto second = commit(store, "key", "two");
  EXPECT_EQ(store.find_step(Digest::of("key")), second);
  EXPECT_EQ(os::read_file(store.tree_path({first.folder(), first.content}) + "/file").value(), "one");
}

TEST_F(StepsTest, ALostSealIsMadeAnewIfTheTreeIsWhole) {
  auto store = open();
  const auto folder = path(commit(store, "key", "one").folder());
  ASSERT_TRUE(os::remove_file_if_exists(folder + "/seal"));
  EXPECT_TRUE(store.find_step(Digest::of("key")));
  EXPECT_EQ(os::read_file(folder + "/seal").value(), os::boot_id() + "\n");
  ASSERT_TRUE(os::remove_file_if_exists(folder + "/seal"));
  ASSERT_TRUE(os::write_file(folder + "/tree/file", "two"));
  EXPECT_FALSE(store.find_step(Digest::of("key")));
}

TEST_F(StepsTest, AfterARebootADamagedTreeIsMissing) {
  auto store = open();
  const auto record = commit(store, "key", "one");
  const auto folder = path(record.folder());
  ASSERT_TRUE(os::write_file(folder + "/seal", "another boot\n"));
  EXPECT_TRUE(store.find_step(Digest::of("key"))); // compared, and sealed anew
  EXPECT_EQ(os::read_file(folder + "/seal").value(), os::boot_id() + "\n");
  ASSERT_TRUE(os::write_file(folder + "/seal", "another boot\n"));
  ASSERT_TRUE(os::write_file(folder + "/tree/file", ""));
  EXPECT_FALSE(store.find_step(Digest::of("key")));
  ImageRecord image;
  image.trees = {{record.folder(), record.content}};
  EXPECT_EQ(store.trees_of(image).error().code(), ErrorCode::corrupt);
  commit(store, "key", "one");
  EXPECT_TRUE(store.find_step(Digest::of("key")));
  EXPECT_TRUE(store.trees_of(image));
}

} // namespace
} // namespace sheaf::store
