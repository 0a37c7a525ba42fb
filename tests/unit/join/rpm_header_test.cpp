// SPDX-License-Identifier: Apache-2.0
#include "join/rpm_header.hpp"

#include <gtest/gtest.h>

#include "unit/join/rpm_support.hpp"

namespace sheaf::join {
namespace {

using Views = std::vector<std::string_view>;

TEST(RpmHeader, ReadsItsEntries) {
  const auto blob = header_of({{RpmTag::name, std::string("bash")},
                               {RpmTag::version, std::string("5.2")},
                               {RpmTag::release, std::string("3")},
                               {RpmTag::epoch, Numbers{7}},
                               {RpmTag::architecture, std::string("x86_64")},
                               {RpmTag::provides, Strings{"bash", "", "sh"}},
                               {RpmTag::requires_flags, Numbers{1, 0x80000000}}});
  const auto header = RpmHeader::parse(blob).value();
  EXPECT_EQ(header.string(RpmTag::name), "bash");
  EXPECT_EQ(header.strings(RpmTag::provides), (Views{"bash", "", "sh"}));
  EXPECT_EQ(header.numbers(RpmTag::requires_flags), (Numbers{1, 0x80000000}));
  EXPECT_EQ(header.version(), "7:5.2-3");
  EXPECT_EQ(header.name_and_architecture(), "bash.x86_64");
  EXPECT_EQ(header.strings(RpmTag::conflicts), Views());
  EXPECT_EQ(header.numbers(RpmTag::name), Numbers());
  EXPECT_EQ(header.strings(RpmTag::epoch), Views());
  EXPECT_EQ(header.binary(RpmTag::name), "");
}

TEST(RpmHeader, TheLastEntryOfATagCounts) {
  const auto blob = header_of({{RpmTag::name, std::string("old")}, {RpmTag::name, std::string("new")}});
  EXPECT_EQ(RpmHeader::parse(blob)->string(RpmTag::name), "new");
}

TEST(RpmHeader, ForgetsWhenItWasInstalled) {
  const auto early = normalised(header_of(PackageSketch{.name = "a", .installed_at = 5})).value();
  const auto late = normalised(header_of(PackageSketch{.name = "a", .installed_at = 0xFFFFFFFF})).value();
  EXPECT_EQ(early, late);
  const auto header = RpmHeader::parse(early).value();
  EXPECT_EQ(header.numbers(RpmTag::install_time), Numbers{1'600'000'000});
  EXPECT_EQ(header.numbers(RpmTag::install_transaction), Numbers{1'600'000'000});
  EXPECT_EQ(normalised(early), early);
}

TEST(RpmHeader, RefusesDamage) {
  const auto whole = header_of(PackageSketch{.name = "a"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = RpmHeader::parse(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().code(), ErrorCode::corrupt);
  }
  EXPECT_FALSE(RpmHeader::parse(whole + "x"));
  // The first entry: its type, its offset and its count.
  auto odd = whole;
  odd.replace(12, 4, big_endian_bytes(77));
  EXPECT_EQ(RpmHeader::parse(odd).error().code(), ErrorCode::unsupported);
  for (const std::size_t at : {std::size_t{16}, std::size_t{20}}) {
    auto outside = whole;
    outside.replace(at, 4, big_endian_bytes(0xFFFFFFFF));
    EXPECT_EQ(RpmHeader::parse(outside).error().message(), "package header: byte 8: an entry lies outside");
  }
  EXPECT_FALSE(RpmHeader::parse(header_of({{RpmTag::version, std::string("1")}}))) << "a package without a name";
}

} // namespace
} // namespace sheaf::join
