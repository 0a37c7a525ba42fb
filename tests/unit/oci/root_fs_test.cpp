// SPDX-License-Identifier: Apache-2.0
#include "oci/root_fs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::oci {
namespace {

using testing::HasSubstr;

Image image_with(std::vector<History> history) {
  Image image;
  image.architecture = "amd64";
  image.history = std::move(history);
  return image;
}

TEST(RootFs, IsReadAsItWasWritten) {
  const RootFs root{1'700'000'000, {Digest::of("a"), Digest::of("b")}};
  const auto text = serialise(image_with({{"RUN a", "", false}, {"ENV", "", true}, {"RUN b", "", false}}), root);
  EXPECT_EQ(parse_root_fs(text).value(), root);
  EXPECT_EQ(parse_image(text).value().history.size(), 3U);
  EXPECT_THAT(text, HasSubstr(R"("created":"2023-11-14T22:13:20Z")"));
  EXPECT_THAT(text, HasSubstr(R"("type":"layers")"));
}

/// Docker refuses an image whose history and layers do not match.
TEST(RootFs, TheHistoryHasALinePerLayer) {
  const auto lines_with_layer = [](std::vector<History> history, std::size_t layers) {
    RootFs root;
    root.diff_ids.resize(layers, Digest::of("x"));
    const auto image = parse_image(serialise(image_with(std::move(history)), root)).value();
    std::string text;
    for (const auto& line : image.history) {
      text += line.created_by + (line.empty_layer ? "- " : "+ ");
    }
    return text;
  };
  EXPECT_EQ(lines_with_layer({{"a", "", false}, {"b", "", true}}, 1), "a+ b- ");
  EXPECT_EQ(lines_with_layer({{"a", "", false}}, 2), "layer of the base+ a+ ");
  EXPECT_EQ(lines_with_layer({{"a", "", false}, {"b", "", false}}, 1), "a- b+ ");
  EXPECT_EQ(lines_with_layer({}, 0), "");
}

TEST(RootFs, RefusesWhatIsNone) {
  for (const auto* text : {"", "{}", R"({"rootfs":{}})", R"({"rootfs":{"diff_ids":{}}})",
                           R"({"rootfs":{"diff_ids":["x"]}})", R"({"rootfs":{"diff_ids":[1]}})"}) {
    const auto root = parse_root_fs(text);
    ASSERT_FALSE(root) << text;
    EXPECT_EQ(root.error().code(), ErrorCode::corrupt);
  }
  EXPECT_EQ(parse_root_fs(R"({"created":"soon","rootfs":{"diff_ids":null}})").value(), RootFs());
}

TEST(RootFs, TimesComeBack) {
  for (const std::int64_t seconds : {0LL, 1LL, -1LL, 951'782'400LL, 1'709'164'800LL, 4'102'444'799LL, -86'401LL}) {
    EXPECT_EQ(parse_time(format_time(seconds)), seconds) << format_time(seconds);
  }
  EXPECT_EQ(format_time(1'709'164'800), "2024-02-29T00:00:00Z");
  EXPECT_EQ(parse_time("2024-02-29T01:30:00.123456789+01:30"), 1'709'164'800);
  EXPECT_EQ(parse_time("2024-02-28T22:30:00-01:30"), 1'709'164'800);
  for (const auto* text :
       {"", "2024-02-29", "2024-02-30T00:00:00Z", "2024-02-29T24:00:00Z", "2024-02-29T00:00:00",
        "2024-02-29T00:00:00+1:00", "2024-02-29 00:00:00Z", "2024-02-29T00:00:00.", "x024-02-29T00:00:00Z"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

} // namespace
} // namespace sheaf::oci
