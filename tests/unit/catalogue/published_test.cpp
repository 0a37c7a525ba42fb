// SPDX-License-Identifier: Apache-2.0
#include "catalogue/published.hpp"

#include <gtest/gtest.h>

namespace sheaf::catalogue {
namespace {

const std::string k_a(64, 'a');
const std::string k_b(64, 'b');

TEST(PublishedDigest, IsReadFromEveryKindOfList) {
  EXPECT_EQ(published_digest(k_a + "  f.tgz\n" + k_b + "  g.tgz\n", "g.tgz"), k_b);
  EXPECT_EQ(published_digest(k_a + " *f.tgz\r\n", "f.tgz"), k_a);
  EXPECT_EQ(published_digest(k_a + "  ./dist/f.tgz", "f.tgz"), k_a);
  EXPECT_EQ(published_digest("SHA256 (dist/f.tgz) = " + k_a + "\nMD5 (f.tgz) = 1\n", "f.tgz"), k_a);
  EXPECT_EQ(published_digest("# of today\n\n" + std::string(64, 'A') + "  f.tgz\n", "f.tgz"), k_a);
  EXPECT_EQ(published_digest(k_a + "\n", "f.tgz"), k_a);
}

TEST(PublishedDigest, IsNotGuessed) {
  EXPECT_EQ(published_digest("", "f.tgz"), std::nullopt);
  EXPECT_EQ(published_digest("<html>404</html>", "f.tgz"), std::nullopt);
  EXPECT_EQ(published_digest(k_a + "  other.tgz\n", "f.tgz"), std::nullopt) << "one line, but of another file";
  EXPECT_EQ(published_digest(k_a + "\n" + k_b + "\n", "f.tgz"), std::nullopt);
  EXPECT_EQ(published_digest(k_a + "  f.tgz\n" + k_b + "  f.tgz\n", "f.tgz"), std::nullopt) << "which one?";
  EXPECT_EQ(published_digest(k_a.substr(1) + "  f.tgz\n", "f.tgz"), std::nullopt);
  EXPECT_EQ(published_digest(std::string(128, 'a') + "  f.tgz\n", "f.tgz"), std::nullopt) << "a SHA-512 digest";
  EXPECT_EQ(published_digest(k_a + "  f.tgz.sig\n", "f.tgz"), std::nullopt);
}

TEST(PublishedVersion, IsWhatIsBehindTheFront) {
  EXPECT_EQ(published_version("v1.31.0\n", {}), "1.31.0");
  EXPECT_EQ(published_version("go1.22.5\ntime 2024-06-28\n", {}), "1.22.5");
  EXPECT_EQ(published_version("  release-2.0-rc1 ", {}), "2.0-rc1");
  EXPECT_EQ(published_version("k9s-1.2", "k9s-"), "1.2");
  EXPECT_EQ(published_version("v1.2", "release-"), std::nullopt);
}

TEST(PublishedVersion, IsNotGuessed) {
  EXPECT_EQ(published_version("", {}), std::nullopt);
  EXPECT_EQ(published_version("latest", {}), std::nullopt);
  EXPECT_EQ(published_version("v1/../../x", {}), std::nullopt);
  EXPECT_EQ(published_version("<html>1.2</html>", {}), std::nullopt);
  EXPECT_EQ(published_version("v{arch}", "v"), std::nullopt);
}

TEST(CompareVersions, GoesByNumbers) {
  EXPECT_LT(compare_versions("1.9", "1.10"), 0);
  EXPECT_GT(compare_versions("2", "1.99.99"), 0);
  EXPECT_LT(compare_versions("1.2", "1.2.1"), 0);
  EXPECT_EQ(compare_versions("v1.2", "1-2"), 0);
  EXPECT_EQ(compare_versions("1.02", "1.2"), 0);
  EXPECT_GT(compare_versions("1.99999999999999999999999", "1.2"), 0);
}

} // namespace
} // namespace sheaf::catalogue
