// SPDX-License-Identifier: Apache-2.0
#include "layer/capture_rules.hpp"
#include "layer/compare.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sheaf::layer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(FirstDifference, NamesTheLineOfATextAndBothSides) {
  EXPECT_EQ(first_difference("a\nb\nc\n", "a\nx\nc\n"), "line 2: 'b' / 'x'");
  EXPECT_EQ(first_difference("abc", "abd"), "line 1: 'abc' / 'abd'");
  EXPECT_EQ(first_difference("a\n", "a\nmore\n"), "line 2: end of file / 'more'");
  EXPECT_EQ(first_difference("a\nb", "a\nb\n"), "line 2: 'b' / 'b'");
  EXPECT_EQ(first_difference("", "x"), "line 1: end of file / 'x'");
}

TEST(FirstDifference, NamesTheByteOfWhatIsNoText) {
  EXPECT_EQ(first_difference(std::string_view("ab\0c", 4), std::string_view("ab\0d", 4)), "byte 3");
}

TEST(FirstDifference, PrintsNoControlBytesAndNoEndlessLines) {
  EXPECT_EQ(first_difference("\x1b[2J", "b"), "line 1: '\\033[2J' / 'b'");
  EXPECT_LT(first_difference(std::string(100000, 'a'), "b").size(), 200U);
}

TEST(SameLines, IsAboutOrderOnly) {
  EXPECT_TRUE(same_lines("a\nb\n", "b\na\n"));
  EXPECT_FALSE(same_lines("a\nb\n", "a\nb\n")) << "equal texts do not differ in order";
  EXPECT_FALSE(same_lines("a\na\nb\n", "a\nb\nb\n"));
  EXPECT_FALSE(same_lines("a\nb\n", "a\nc\n"));
  EXPECT_FALSE(same_lines(std::string_view("a\0\nb\n", 5), std::string_view("b\na\0\n", 5)));
}

TEST(KnownExceptions, FewEachWithAReasonAndNoneIsNoiseAnyway) {
  for (const auto& row : known_exceptions()) {
    EXPECT_FALSE(row.reason.empty()) << row.patterns.front();
    for (const auto pattern : row.patterns) {
      std::string path;
      for (const char c : pattern) {
        path += c == '*' ? "x" : std::string(1, c);
      }
      EXPECT_EQ(CaptureRules().dropping(path, PathIs::other), nullptr) << pattern;
    }
  }
  EXPECT_LE(known_exceptions().size(), 3U) << "the published list of exceptions stays short";
}

TEST(DifferenceClasses, OnlyOneIsUnexplained) {
  EXPECT_FALSE(is_explained(DifferenceClass::differs));
  for (const auto kind : {DifferenceClass::noise, DifferenceClass::identity, DifferenceClass::order_only,
                          DifferenceClass::same_facts, DifferenceClass::known}) {
    EXPECT_TRUE(is_explained(kind)) << to_string(kind);
    EXPECT_NE(to_string(kind), to_string(DifferenceClass::differs));
  }
}

/// Two trees of files that any user can make.
class Compare : public testing::Test {
protected:
  void SetUp() override {
    for (const auto* side : {"a", "b"}) {
      ASSERT_TRUE(os::make_directories(path(side)));
    }
  }
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  void file(const std::string& name, const std::string& content, mode_t mode = 0644) const {
    ASSERT_TRUE(os::make_directories(path(name).substr(0, path(name).rfind('/'))));
    ASSERT_TRUE(os::write_file(path(name), content, os::Durable::no, mode));
  }
  void both(const std::string& name, const std::string& first, const std::string& second) const {
    file("a/" + name, first);
    file("b/" + name, second);
  }
  Comparison run(SameFacts same_facts = {}) const {
    const auto a = os::open(path("a"), O_RDONLY | O_DIRECTORY).value();
    const auto b = os::open(path("b"), O_RDONLY | O_DIRECTORY).value();
    return compare(a, b, {"left", "right", std::move(same_facts)}).value();
  }
  /// "class path: what"
  static std::vector<std::string> lines(const Comparison& comparison) {
    std::vector<std::string> lines;
    for (const auto& difference : comparison.differences) {
      lines.push_back(std::string(to_string(difference.kind)) + " " + difference.path + ": " + difference.what);
    }
    return lines;
  }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-compare-").value();
};

TEST_F(Compare, EqualTreesHaveNoDifferenceWhateverTheirTimes) {
  both("etc/f", "same", "same");
  const timespec old[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path("a/etc/f").c_str(), old, 0), 0);
  const auto comparison = run();
  EXPECT_THAT(lines(comparison), IsEmpty());
  EXPECT_EQ(comparison.paths, 2U);
  EXPECT_EQ(comparison.files_read, 1U);
}

TEST_F(Compare, TheSameInodeIsNotRead) {
  file("a/f", "content");
  ASSERT_EQ(::link(path("a/f").c_str(), path("b/f").c_str()), 0);
  const auto comparison = run();
  EXPECT_THAT(lines(comparison), IsEmpty());
  EXPECT_EQ(comparison.files_read, 0U);
}

TEST_F(Compare, ContentsOfOneSizeAreRead) {
  both("etc/f", "one\n", "two\n");
  const auto comparison = run();
  ASSERT_THAT(lines(comparison), ElementsAre("DIFFERS etc/f: contents"));
  EXPECT_EQ(comparison.differences[0].detail, "line 1: 'one' / 'two'");
}

TEST_F(Compare, LargeFilesAreComparedInBlocks) {
  std::string large(std::size_t{5} * 1024 * 1024, 'x');
  file("a/f", large);
  large[4'700'000] = 'y';
  file("b/f", large);
  file("a/same", large);
  file("b/same", large);
  const auto comparison = run();
  ASSERT_THAT(lines(comparison), ElementsAre("DIFFERS f: contents"));
  EXPECT_EQ(comparison.differences[0].detail, "byte 4700000");
}

TEST_F(Compare, TypeModeAndLinkTarget) {
  file("a/mode", "x", 0644);
  file("b/mode", "x", 0755);
  ASSERT_EQ(symlink("one", path("a/link").c_str()), 0);
  ASSERT_EQ(symlink("two", path("b/link").c_str()), 0);
  file("a/type", "x");
  file("b/type/inside", "x");
  EXPECT_THAT(lines(run()),
              ElementsAre("DIFFERS link: link to 'one' / 'two'", "DIFFERS mode: mode 0644 / 0755",
                          "DIFFERS type: file / directory", "DIFFERS type/inside: file only in the right"));
}

TEST_F(Compare, WhatIsOnOneSideOnlyIsListedWhole) {
  file("a/opt/x/y", "1");
  EXPECT_THAT(lines(run()),
              ElementsAre("DIFFERS opt: directory only in the left", "DIFFERS opt/x: directory only in the left",
                          "DIFFERS opt/x/y: file only in the left"));
}

TEST_F(Compare, ClassesByPath) {
  both("etc/machine-id", "1", "2");
  both("var/log/dpkg.log", "now", "later");
  both("var/cache/fontconfig/0.cache-8", "1", "2");
  file("b/root/.npm/_logs/log", "x");
  file("a/root/.npm/placeholder", "x");
  const auto comparison = run();
  EXPECT_THAT(lines(comparison),
              ElementsAre("identity etc/machine-id: contents", "noise root/.npm/_logs: directory only in the right",
                          "noise root/.npm/placeholder: file only in the left",
                          "known exception var/cache/fontconfig/0.cache-8: contents",
                          "noise var/log/dpkg.log: contents"));
  for (const auto& difference : comparison.differences) {
    EXPECT_FALSE(difference.reason.empty()) << difference.path;
  }
}

TEST_F(Compare, AnExceptionCoversOnlyWhatItNames) {
  file("a/var/cache/fontconfig/0.cache-8", "1");
  both("var/cache/fontconfig/CACHEDIR.TAG", "1", "2");
  ASSERT_TRUE(os::make_directories(path("a/var/cache/man/de/cat3")));
  file("a/var/cache/man/de/CACHEDIR.TAG", "1");
  both("var/cache/man/fr/CACHEDIR.TAG", "1", "2");
  both("var/cache/man/index.db", "1", "2");
  file("b/var/cache/man/sv/index.db", "1");
  ASSERT_TRUE(os::make_directories(path("b/var/cache/man/de")));
  EXPECT_THAT(lines(run()), ElementsAre("known exception var/cache/fontconfig/0.cache-8: file only in the left",
                                        "DIFFERS var/cache/fontconfig/CACHEDIR.TAG: contents",
                                        "known exception var/cache/man/de/CACHEDIR.TAG: file only in the left",
                                        "known exception var/cache/man/de/cat3: directory only in the left",
                                        "DIFFERS var/cache/man/fr/CACHEDIR.TAG: contents",
                                        "known exception var/cache/man/index.db: contents",
                                        "DIFFERS var/cache/man/sv: directory only in the right",
                                        "DIFFERS var/cache/man/sv/index.db: file only in the right"));
  const auto same = [](const std::string& path, const std::string&, const std::string&) {
    return path == "var/cache/man/index.db";
  };
  EXPECT_EQ(lines(run(same)).at(5), "same facts var/cache/man/index.db: contents") << "the better class is told";
}

TEST_F(Compare, OrderMeansNothingInSharedDatabasesOnly) {
  both("etc/lines", "a\nb\n", "b\na\n");
  both("etc/other", "a\nb\n", "b\na\n");
  const auto lines_only = [](const std::string& path, const std::string&, const std::string&) {
    return path == "etc/lines";
  };
  EXPECT_THAT(lines(run(lines_only)), ElementsAre("order only etc/lines: contents", "DIFFERS etc/other: contents"));
}

TEST_F(Compare, ALinkIsNoiseByItsTarget) {
  for (const auto* side : {"a", "b"}) {
    ASSERT_TRUE(os::make_directories(path(side) + "/etc/ssl/certs"));
  }
  ASSERT_EQ(symlink("ssl-cert-snakeoil.pem", path("a/etc/ssl/certs/00000001.0").c_str()), 0);
  ASSERT_EQ(symlink("corp.pem", path("b/etc/ssl/certs/00000002.0").c_str()), 0);
  EXPECT_THAT(lines(run()), ElementsAre("identity etc/ssl/certs/00000001.0: link only in the left",
                                        "DIFFERS etc/ssl/certs/00000002.0: link only in the right"));
}

TEST_F(Compare, WhoKnowsTheFileMaySayThatItMeansTheSame) {
  both("etc/shadow", "a:*:1\n", "a:*:2\n");
  both("etc/other", "1\n", "2\n");
  const auto shadow = [](const std::string& path, const std::string& first, const std::string& second) {
    EXPECT_NE(first, second);
    return path == "etc/shadow";
  };
  EXPECT_THAT(lines(run(shadow)), ElementsAre("DIFFERS etc/other: contents", "same facts etc/shadow: contents"));
}

TEST_F(Compare, HardLinkGroups) {
  for (const auto* side : {"a", "b"}) {
    const std::string root = side;
    file(root + "/one", "x");
    ASSERT_EQ(::link(path(root + "/one").c_str(), path(root + "/two").c_str()), 0);
  }
  EXPECT_THAT(lines(run()), IsEmpty());
  ASSERT_EQ(unlink(path("b/two").c_str()), 0);
  file("b/two", "x");
  EXPECT_THAT(lines(run()), ElementsAre("DIFFERS two: hard link to 'one' in the left only"));
}

TEST_F(Compare, TheRootItselfCounts) {
  ASSERT_EQ(chmod(path("b").c_str(), 0700), 0);
  ASSERT_EQ(chmod(path("a").c_str(), 0755), 0);
  EXPECT_THAT(lines(run()), ElementsAre("DIFFERS .: mode 0755 / 0700"));
}

} // namespace
} // namespace sheaf::layer
