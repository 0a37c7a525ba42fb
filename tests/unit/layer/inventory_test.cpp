// SPDX-License-Identifier: Apache-2.0
#include "layer/inventory.hpp"

#include <gmock/gmock.h>

#include "unit/layer/layer_support.hpp"

namespace sheaf::layer {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

std::vector<Entry> one_of_each() {
  auto link = file("usr/bin/hard");
  link.is_hard_link = true;
  link.target = "usr/bin/first";
  auto device = directory("dev/x", 0600);
  device.type = EntryType::character_device;
  device.target = "1:3";
  auto block = device;
  block.path = "dev/y";
  block.type = EntryType::block_device;
  auto pipe = directory("run/pipe");
  pipe.type = EntryType::fifo;
  auto special = file("usr/bin/special");
  special.mode = 06755;
  special.uid = 4'294'967'294U;
  special.gid = 33;
  special.mtime = -5;
  special.attributes = {{"security.capability", std::string("\x01\0\xff", 3)}, {"user.empty", ""}};
  return {device,
          block,
          directory("etc", 01777),
          pipe,
          file("usr/bin/first"),
          link,
          special,
          link_to("usr/lib", "../-"),
          whiteout("var/gone")};
}

TEST(Inventory, SurvivesItsText) {
  const Inventory before{one_of_each()};
  const auto text = serialise(before);
  const auto after = parse_inventory(text).value();
  EXPECT_THAT(after.entries, ElementsAreArray(before.entries));
  EXPECT_EQ(serialise(after), text);
}

TEST(Inventory, SurvivesOddNames) {
  Inventory before;
  for (const auto* name : {"new\nline", "t\tab", "back\\slash", "\\012", "\xc3\xa9t\xc3\xa9", "\xff\xfe", " ", "a b",
                           "-", "=", ">x", "\x7f", "a,b", "\r"}) {
    before.entries.push_back(file(name));
    before.entries.push_back(link_to(std::string("l") + name, name));
  }
  EXPECT_THAT(parse_inventory(serialise(before)).value().entries, ElementsAreArray(before.entries));
}

TEST(Inventory, SurvivesOddAttributeNames) {
  Inventory before{{file("f")}};
  before.entries[0].attributes = {{"user.a,b", "1"}, {"user.c=d", "2"}};
  const auto after = parse_inventory(serialise(before));
  ASSERT_TRUE(after) << after.error().summary();
  EXPECT_THAT(after->entries, ElementsAreArray(before.entries));
}

TEST(Inventory, CountsTheBytesOfHardLinksOnce) {
  auto second = file("b", "12345");
  second.is_hard_link = true;
  second.target = "a";
  EXPECT_EQ((Inventory{{file("a", "12345"), second, directory("c"), file("d", "1")}}.total_bytes()), 6U);
}

TEST(Inventory, AnEmptyOneHasAHeader) {
  EXPECT_EQ(serialise({}), "sheaf-inventory 1\n");
  EXPECT_TRUE(parse_inventory("sheaf-inventory 1\n").value().entries.empty());
}

TEST(Inventory, OtherTextIsCorrupt) {
  const std::string head = "sheaf-inventory 1\n";
  for (const auto& text :
       {std::string(), std::string("sheaf-inventory 2\n"), head + "\n", head + "f\n",
        head + "z\t0\t0\t0\t0\t0\t-\t-\t-\tp\n", head + "f\t0644\t0\t0\t0\t0\t-\t-\t-\tno newline",
        head + "f\t0644\t0\t0\t0\t-\t-\t-\tp\n", head + "f\t0648\t0\t0\t0\t0\t-\t-\t-\tp\n",
        head + "f\t0644\t-1\t0\t0\t0\t-\t-\t-\tp\n", head + "f\t0644\t0\t0\t0\t0\t-\t\t-\tp\n",
        head + "f\t0644\t0\t0\t0\t0\t-\t-\ta=1\tp\n", head + "f\t0644\t0\t0\t0\t0\t-\t-\ta=zz\tp\n",
        head + "f\t0644\t0\t0\t0\t0\t-\t-\t-\tp\\9\n", head + "f\t0644\t0\t0\t0\t0\t-\t-\t-\tp\\777\n"}) {
    const auto result = parse_inventory(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code(), ErrorCode::corrupt) << text;
  }
}

TEST(Inventory, ABadDigestIsCorruptToo) {
  const auto result = parse_inventory("sheaf-inventory 1\nf\t0644\t0\t0\t0\t0\tabc\t-\t-\tp\n");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::corrupt);
}

TEST(Inventory, AnErrorNamesTheLine) {
  const auto result = split_inventory(serialise({{file("a")}}) + "broken\n");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("line 3"));
}

/// inventory.hpp: "`corrupt` with the line number".
TEST(Inventory, AnErrorWithinALineNamesItToo) {
  const auto result = parse_inventory(serialise({{file("a")}}) + "f\tx\t0\t0\t0\t0\t-\t-\t-\tp\n");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().summary(), HasSubstr("line 3"));
}

TEST(InventoryLine, SplitsWithoutDecoding) {
  const auto text = serialise({{directory("a"), file("a/b\n")}});
  const auto lines = split_inventory(text).value();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].type, EntryType::directory);
  EXPECT_EQ(lines[1].path, "a/b\\012");
  EXPECT_EQ(decode(lines[1]).value(), file("a/b\n"));
}

TEST(InventoryLine, EqualAttributesMeanEqualEntries) {
  const auto text = serialise({{file("a"), file("b"), file("c", "other")}});
  const auto lines = split_inventory(text).value();
  EXPECT_EQ(lines[0].attributes, lines[1].attributes);
  EXPECT_NE(lines[0].attributes, lines[2].attributes);
}

TEST(LinesWithPrefix, AreThoseThatAWalkFinds) {
  Inventory inventory;
  for (const auto* path : {"a", "a/b", "a/bc", "a/bc/d", "a/c", "b", "b/\n", "bb"}) {
    inventory.entries.push_back(file(path));
  }
  const auto text = serialise(inventory);
  const auto lines = split_inventory(text).value();
  for (const auto* prefix : {"", "a", "a/", "a/b", "a/bc/", "a/bc/d", "a/bd", "b", "b/", "c", "A", "bbb"}) {
    std::vector<std::string_view> expected;
    for (const auto& line : lines) {
      if (line.path.starts_with(prefix)) {
        expected.push_back(line.path);
      }
    }
    std::vector<std::string_view> found;
    const auto with_prefix = lines_with_prefix(text, prefix).value();
    for (const auto& line : with_prefix) {
      found.push_back(line.path);
      EXPECT_EQ(decode(line).value().mode, 0644U);
    }
    EXPECT_THAT(found, ElementsAreArray(expected)) << prefix;
  }
}

TEST(LineOf, FindsEveryPathAndNoOther) {
  Inventory inventory;
  for (const auto* path : {"a", "a/b", "a/bc", "b", "b/\n", "bb"}) {
    inventory.entries.push_back(file(path));
  }
  const auto text = serialise(inventory);
  const auto lines = split_inventory(text).value();
  for (const auto& line : lines) {
    const auto found = line_of(text, line.path).value();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->path, line.path);
  }
  for (const auto* path : {"", "A", "a/", "a/bb", "b/", "c"}) {
    EXPECT_FALSE(line_of(text, path).value()) << path;
  }
  EXPECT_EQ(line_of("", "a").error().code(), ErrorCode::corrupt);
}

TEST(LinesWithPrefix, OfAnEmptyInventoryOrNone) {
  EXPECT_TRUE(lines_with_prefix(serialise(Inventory{}), "a").value().empty());
  EXPECT_EQ(lines_with_prefix("", "a").error().code(), ErrorCode::corrupt);
  EXPECT_EQ(lines_with_prefix("sheaf-inventory 1\nrubbish\n", "a").error().code(), ErrorCode::corrupt);
  EXPECT_EQ(lines_with_prefix("sheaf-inventory 1\nf\tcut", "a").error().code(), ErrorCode::corrupt);
}

} // namespace
} // namespace sheaf::layer
