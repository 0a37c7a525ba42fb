// SPDX-License-Identifier: Apache-2.0
#include "store/layer_record.hpp"

#include "unit/store/store_support.hpp"

namespace sheaf::store {
namespace {

TEST(LayerRecord, SurvivesItsText) {
  auto before = record("python", "recipe", "content");
  before.config.labels = {{"a\tb", "\xc3\xa9"}};
  before.config.user = "dev";
  before.config.directory = "/work";
  before.config.entrypoint = {""};
  before.config.shell = {"/bin/bash", "-c"};
  before.bytes = 18'000'000'000'000'000'000U;
  before.dropped = {{"etc/machine-id", "identity", 1}, {"var/log/**", "log", 7}};
  before.replaces = {"old"};
  before.base = "00ff";
  EXPECT_EQ(parse_layer_record(serialise(before)).value(), before);
}

/// Written by a version that did not count: not the same as "nothing was dropped".
TEST(LayerRecord, CountsOfWhatWasDroppedMayBeAbsent) {
  auto before = record("a", "r", "c");
  EXPECT_EQ(serialise(before).find("dropped"), std::string::npos);
  EXPECT_FALSE(parse_layer_record(serialise(before)).value().dropped);
  before.dropped.emplace();
  EXPECT_EQ(parse_layer_record(serialise(before)).value(), before);
}

TEST(LayerRecord, EqualRecordsHaveEqualTexts) {
  EXPECT_EQ(serialise(record("a", "r", "c")), serialise(record("a", "r", "c")));
  EXPECT_NE(serialise(record("a", "r", "c")), serialise(record("a", "r", "d")));
}

TEST(LayerRecord, OtherTextIsCorrupt) {
  for (const auto* text : {"", "null", "[]", "{}", "{\"name\":1}", "not json"}) {
    const auto result = parse_layer_record(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code(), ErrorCode::corrupt) << text;
  }
}

TEST(LayerRecord, ADamagedKeyIsCorrupt) {
  auto text = serialise(record("a", "r", "c"));
  text.replace(text.find("sha256:"), 9, "sha256:zz");
  EXPECT_FALSE(parse_layer_record(text));
}

TEST(ConfigText, DependsOnEveryPart) {
  const ConfigDelta empty;
  ConfigDelta user;
  user.user = "x";
  ConfigDelta directory;
  directory.directory = "x";
  ConfigDelta environment;
  environment.environment = {{"x", "x"}};
  ConfigDelta labels;
  labels.labels = {{"x", "x"}};
  std::set<std::string> texts;
  for (const auto& delta : {empty, user, directory, environment, labels}) {
    texts.insert(serialise(delta));
  }
  EXPECT_EQ(texts.size(), 5U);
}

} // namespace
} // namespace sheaf::store
