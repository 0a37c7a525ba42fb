// SPDX-License-Identifier: Apache-2.0
#include "join/debconf.hpp"

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

constexpr std::string_view k_file = "var/cache/debconf/config.dat";

TEST(Debconf, SortsByName) {
  EXPECT_EQ(joined_text(k_file, "Name: m\nOwners: x\n\n",
                        {"Name: a\n\nName: m\nOwners: x\n\n", "Name: m\nOwners: x\n\nName: z\n\n"}),
            "Name: a\n\nName: m\nOwners: x\n\nName: z\n\n");
}

TEST(Debconf, UnitesOwnersFlagsAndFields) {
  const std::string base = "Name: q\nTemplate: q\nOwners: m\n\n";
  EXPECT_EQ(joined_text(k_file, base,
                        {"Name: q\nTemplate: q\nValue: yes\nOwners: m, z\nFlags: seen\n\n",
                         "Name: q\nTemplate: q\nOwners: a, m\nVariables:\n b = 1\n\n",
                         "Name: q\nTemplate: q\nOwners: m\nVariables:\n a = x = y\n\n"}),
            "Name: q\nTemplate: q\nValue: yes\nOwners: a, m, z\nFlags: seen\nVariables:\n a = x = y\n b = 1\n\n");
}

TEST(Debconf, ATemplateOfTwoLayersHasBothOwners) {
  EXPECT_EQ(joined_text(
                "var/cache/debconf/templates.dat", "",
                {"Name: t\nDefault: \nType: note\nOwners: t/a\n\n", "Name: t\nDefault: \nType: note\nOwners: t/b\n\n"}),
            "Name: t\nDefault: \nType: note\nOwners: t/a, t/b\n\n");
}

TEST(Debconf, TwoAnswersAreAConflict) {
  const auto result = join_texts(k_file, "Name: q\nValue: 0\n\n", {"Name: q\nValue: 1\n\n", "Name: q\nValue: 2\n\n"});
  EXPECT_EQ(result.conflicts.size(), 1U);
}

TEST(Debconf, KeepsPasswordsSecret) {
  EXPECT_EQ(Debconf().attributes("var/cache/debconf/passwords.dat").mode, 0600U);
  EXPECT_EQ(Debconf().attributes(k_file).mode, 0644U);
}

} // namespace
} // namespace sheaf::join
