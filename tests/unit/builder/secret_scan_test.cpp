// SPDX-License-Identifier: Apache-2.0
#include "builder/secret_scan.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "store/tree_digest.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace sheaf::builder {
namespace {

const std::string k_letters(48, 'a');

TEST(SecretScan, KnowsTokensByTheirShape) {
  EXPECT_EQ(token_in("key=AKIA0123456789ABCDEF\n"), "an AWS access key");
  EXPECT_EQ(token_in("ghp_" + k_letters), "a GitHub token");
  EXPECT_EQ(token_in("\"sk-ant-" + k_letters + "\""), "an Anthropic key");
  EXPECT_EQ(token_in("x -----BEGIN RSA PRIVATE KEY-----\nMIIE"), "a private key");
}

TEST(SecretScan, TellsThemFromWordsAndPrograms) {
  EXPECT_FALSE(token_in("AKIA is how they begin"));
  EXPECT_FALSE(token_in("task-" + k_letters));
  EXPECT_FALSE(token_in("xghp_" + k_letters)) << "in the middle of a word";
  EXPECT_FALSE(token_in(std::string("\0ghp_", 5) + k_letters)) << "no text";
  EXPECT_FALSE(token_in("-----BEGIN PRIVATE KEY-----\" in a program"));
  EXPECT_FALSE(token_in("-----BEGIN CERTIFICATE-----\nMIIE"));
}

TEST(SecretScan, FindsValuesButNotShortOnes) {
  SecretValues values;
  values.add("long", "correct horse\n");
  values.add("short", "12345");
  EXPECT_EQ(values.found_in("a correct horse battery"), "long");
  EXPECT_FALSE(values.found_in("12345 correct"));
  EXPECT_GE(values.longest(), 13U);
}

/// A file of several pieces with `text` across the border between the first two, whose size the digester decides.
class AcrossPieces : public testing::TestWithParam<std::size_t> {
protected:
  void write(const std::string& text, std::size_t before_border) {
    std::string content(GetParam() - before_border, '.');
    content += text + std::string(store::k_largest_shown * 2, '.');
    ASSERT_TRUE(os::write_file(m_directory.path() + "/file", content));
  }
  Result<store::TreeDigest> digest(SecretScan& scan, std::size_t overlap) {
    return store::digest_tree(m_directory.path(),
                              {[&](const auto& path, auto text) { scan.look(path, text); }, overlap});
  }

  os::TempDir m_directory = os::TempDir::create(std::filesystem::temp_directory_path().string(), "sheaf-").value();
  SecretValues m_values;
};

INSTANTIATE_TEST_SUITE_P(Borders, AcrossPieces,
                         testing::Values(std::size_t{64} << 10U, (std::size_t{64} << 10U) + store::k_largest_shown,
                                         store::k_largest_shown));

TEST_P(AcrossPieces, NothingIsMissed) {
  const std::string value = "the value " + std::string(5000, 'v') + " ends";
  m_values.add("key", value);
  for (const std::size_t before : {std::size_t{1}, value.size() / 2, value.size() - 1}) {
    write(value, before);
    SecretScan scan(m_values, SecretScan::Tokens::looked_for);
    ASSERT_TRUE(digest(scan, scan.overlap()));
    EXPECT_EQ(scan.values().size(), 1U) << before;
  }
  for (const std::size_t before : {1, 20, 45}) {
    write(" ghp_" + k_letters, before);
    SecretScan scan(m_values, SecretScan::Tokens::looked_for);
    ASSERT_TRUE(digest(scan, scan.overlap()));
    EXPECT_EQ(scan.tokens().size(), 1U) << before;
  }
}

TEST_P(AcrossPieces, TheDigestDoesNotDependOnThem) {
  write("text", 2);
  SecretScan scan(m_values, SecretScan::Tokens::looked_for);
  EXPECT_EQ(digest(scan, 0).value().content, digest(scan, 7000).value().content);
}

} // namespace
} // namespace sheaf::builder
