// SPDX-License-Identifier: Apache-2.0
#include "join/rpm_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/join/rpm_support.hpp"

namespace sheaf::join {
namespace {

using Rows = std::vector<RpmIndexRow>;

Rows rows_of(RpmTag tag, const std::vector<HeaderEntry>& entries) {
  const auto blob = header_of(entries);
  const auto tables = rpm_tables();
  const auto table = std::find_if(tables.begin(), tables.end(), [&](const auto& one) { return one.tag == tag; });
  return rpm_index_rows(*table, RpmHeader::parse(blob).value());
}

const HeaderEntry k_name = {RpmTag::name, std::string("a")};

TEST(RpmIndex, CountsTheEntries) {
  EXPECT_EQ(rows_of(RpmTag::base_names, {k_name, {RpmTag::base_names, Strings{"x", "y", "x"}}}),
            (Rows{{"x", 0}, {"y", 1}, {"x", 2}}));
  EXPECT_EQ(rows_of(RpmTag::base_names, {k_name}), Rows());
  EXPECT_EQ(rows_of(RpmTag::group, {k_name}), (Rows{{"Unknown", 0}}));
  EXPECT_EQ(rows_of(RpmTag::install_transaction, {k_name, {RpmTag::install_transaction, Numbers{0x01020304}}}),
            (Rows{{"\x04\x03\x02\x01", 0}}));
}

TEST(RpmIndex, SkipsWhatOnlyMattersDuringInstallation) {
  // none; post; pre and preun; rpmlib
  EXPECT_EQ(
      rows_of(RpmTag::requires_names, {k_name,
                                       {RpmTag::requires_flags, Numbers{0, 1U << 10U, 1U << 9U | 1U << 11U, 1U << 24U}},
                                       {RpmTag::requires_names, Strings{"a", "b", "c", "d"}}}),
      (Rows{{"a", 0}, {"c", 2}}));
}

TEST(RpmIndex, TriggersOnceAndWithTheirOwnNumbers) {
  EXPECT_EQ(rows_of(RpmTag::triggers, {k_name, {RpmTag::triggers, Strings{"x", "y", "x"}}}),
            (Rows{{"x", 0}, {"y", 1}}));
  EXPECT_EQ(
      rows_of(RpmTag::file_triggers,
              {k_name, {RpmTag::file_triggers, Strings{"/a", "/b"}}, {RpmTag::file_trigger_indexes, Numbers{4, 4}}}),
      (Rows{{"/a", 4}, {"/b", 4}}));
}

TEST(RpmIndex, RichDependenciesAreFoundByTheirNames) {
  EXPECT_EQ(rows_of(RpmTag::recommends, {k_name, {RpmTag::recommends, Strings{"r", "(b or a)"}}}),
            (Rows{{"r", 0}, {"(b or a)", 1}, {"a", 1}, {"b", 1}}));
  // Provides are never rich.
  EXPECT_EQ(rows_of(RpmTag::provides, {k_name, {RpmTag::provides, Strings{"(b or a)"}}}), (Rows{{"(b or a)", 0}}));
}

TEST(RpmIndex, NamesInRichDependencies) {
  EXPECT_EQ(names_in_rich_dependency("(a if b)"), (Strings{"a", "!b"}));
  EXPECT_EQ(names_in_rich_dependency("(a >= 1.2 and b and a)"), (Strings{"a", "b"}));
  EXPECT_EQ(names_in_rich_dependency("(a if b else c)"), (Strings{"a", "b", "c", "!b"}));
  EXPECT_EQ(names_in_rich_dependency("((a or b) unless (c and d))"), (Strings{"a", "b", "!c", "!d"}));
  EXPECT_EQ(names_in_rich_dependency("(perl(a) with perl(a) < 2)"), Strings{"perl(a)"});
  EXPECT_EQ(names_in_rich_dependency("(rpmlib(x) or a)"), Strings{"a"});
  for (const auto* malformed :
       {"", "a", "(", "()", "(a", "(a and)", "(a and b or c)", "(a if b if c)", "(a >= )", "(a nor b)", "(a or b"}) {
    EXPECT_EQ(names_in_rich_dependency(malformed), Strings()) << malformed;
  }
  EXPECT_EQ(names_in_rich_dependency(std::string(1000, '(')), Strings());
}

} // namespace
} // namespace sheaf::join
