// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "generate/java_keystore.hpp"
#include "unit/generate/generate_support.hpp"

namespace sheaf::generate {
namespace {

using testing::ElementsAre;

std::vector<std::string> aliases(const std::string& keystore) {
  std::vector<std::string> names;
  const auto entries = parse_keystore(keystore);
  EXPECT_TRUE(entries) << entries.error().render();
  for (const auto& entry : entries.value()) {
    names.push_back(entry.alias);
  }
  return names;
}

TEST(JavaKeystore, AnEmptyStoreIsHeadAndSeal) {
  const auto bytes = print_keystore({}, "changeit");
  ASSERT_EQ(bytes.size(), 32U);
  EXPECT_EQ(bytes.substr(0, 12), std::string("\xfe\xed\xfe\xed\0\0\0\2\0\0\0\0", 12));
  EXPECT_NE(bytes, print_keystore({}, "changeme"));
}

TEST(JavaKeystore, PrintsWhatItParses) {
  const auto first = trusted_entry("debian:a.pem", "DER", 1700000000);
  const auto second = trusted_entry("own", std::string("\0\xff", 2), 0);
  const auto parsed = parse_keystore(print_keystore({first, second}, "changeit"));
  ASSERT_TRUE(parsed);
  EXPECT_THAT(*parsed, ElementsAre(first, second));
  EXPECT_TRUE(is_derived(first));
  EXPECT_FALSE(is_derived(second));
}

TEST(JavaKeystore, AnEntryIsLaidOutAsJavaDoes) {
  const auto entry = trusted_entry("ab", "D", 1);
  EXPECT_EQ(entry.bytes, std::string("\0\0\0\2\0\2ab\0\0\0\0\0\0\3\xe8\0\5X.509\0\0\0\1D", 28));
}

TEST(JavaKeystore, DatesAndOrderAreNoDifference) {
  const auto store = [](std::vector<KeystoreEntry> entries, const char* password = "changeit") {
    return print_keystore(entries, password);
  };
  const auto one = store({trusted_entry("a", "A", 1), trusted_entry("b", "B", 1)});
  EXPECT_TRUE(same_entries(one, store({trusted_entry("b", "B", 2), trusted_entry("a", "A", 3)})));
  EXPECT_FALSE(same_entries(one, store({trusted_entry("a", "B", 1), trusted_entry("b", "A", 1)})));
  EXPECT_FALSE(same_entries(one, store({trusted_entry("a", "A", 1)})));
  EXPECT_FALSE(
      same_entries(one, store({trusted_entry("a", "A", 1), trusted_entry("b", "B", 1), trusted_entry("b", "B", 1)})));
  EXPECT_FALSE(same_entries("", ""));
}

TEST(JavaKeystore, EveryCutIsRefused) {
  const auto whole = print_keystore({trusted_entry("debian:a.pem", "DER", 1)}, "changeit");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto parsed = parse_keystore(whole.substr(0, length));
    ASSERT_FALSE(parsed) << length;
    EXPECT_EQ(parsed.error().code(), ErrorCode::corrupt);
  }
}

TEST(JavaKeystore, SettingsAreReadAsAShellWould) {
  EXPECT_TRUE(parse_keystore_settings("# x\ncacerts_updates=yes\n").updates);
  EXPECT_FALSE(parse_keystore_settings("cacerts_updates=no\n").updates);
  EXPECT_FALSE(parse_keystore_settings("").updates);
  EXPECT_EQ(parse_keystore_settings("#storepass='x'\n").password, "changeit");
  EXPECT_EQ(parse_keystore_settings("storepass='secret'\n").password, "secret");
}

TEST(JavaKeystore, HasAllThatIsTrustedAndKeepsOwnEntries) {
  const std::vector<TrustedFile> files = {{"/usr/share/ca-certificates/Zed CA.crt", certificate("zed")},
                                          {"/usr/local/share/ca-certificates/corp.crt", certificate("corp")},
                                          {"/usr/local/share/ca-certificates/none.crt", "no certificate\n"}};
  const std::vector<KeystoreEntry> present = {trusted_entry("mine", "DER", 5),
                                              trusted_entry("debian:gone.pem", "D", 5)};
  const auto bytes = make_keystore(files, present, {}, 1700000000);
  EXPECT_THAT(aliases(bytes), ElementsAre("debian:corp.pem", "debian:zed_ca.pem", "mine"));
  EXPECT_EQ(bytes, make_keystore(files, present, {}, 1700000000));
}

} // namespace
} // namespace sheaf::generate
