// SPDX-License-Identifier: Apache-2.0
#include "plan/remote_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::plan {
namespace {

/// "url ref folder checksum", or "none".
std::string read(const std::string& source) {
  const auto git = parse_repository(source);
  if (!git) {
    return git.error().message();
  }
  return *git ? (*git)->url + "|" + (*git)->ref + "|" + (*git)->folder + "|" + (*git)->checksum +
                    ((*git)->keep_git_directory ? "|keep" : "")
              : "none";
}

TEST(RemoteSource, TellsRepositoriesByTheirForm) {
  EXPECT_EQ(read("https://host/a.git"), "https://host/a.git|||");
  EXPECT_EQ(read("https://host/a.git#v1:sub/dir"), "https://host/a.git|v1|sub/dir|");
  EXPECT_EQ(read("https://host/a.git#:sub"), "https://host/a.git||sub|");
  EXPECT_EQ(read("git@host:a/b#main"), "git@host:a/b|main||");
  EXPECT_EQ(read("git://host/a"), "git://host/a|||");
  EXPECT_EQ(read("ssh://git@host:22/a"), "ssh://git@host:22/a|||");
  for (const auto* other :
       {"https://host/a", "https://host/a.git.zip", "a/b.git", "./x", "host:path", "a@b", "http://x/?q=.git"}) {
    EXPECT_EQ(read(other), "none") << other;
  }
}

TEST(RemoteSource, RefusesFoldersOutside) {
  EXPECT_EQ(read("https://host/a.git#:sub/../other"), "https://host/a.git||other|");
  EXPECT_THAT(read("https://host/a.git#main:../.."), testing::HasSubstr("'../..' is outside of the repository"));
  EXPECT_THAT(read("https://host/a.git?subdir=sub/../../x"), testing::HasSubstr("outside of the repository"));
}

TEST(RemoteSource, ReadsTheQuery) {
  EXPECT_EQ(read("https://h/a.git?branch=main&subdir=x%2Fy"), "https://h/a.git|refs/heads/main|x/y|");
  EXPECT_EQ(read("https://h/a.git?tag=v1&checksum=0123456"), "https://h/a.git|refs/tags/v1||0123456");
  EXPECT_EQ(read("https://h/a.git?ref=x&keep-git-dir=true"), "https://h/a.git|x|||keep");
  EXPECT_THAT(read("https://h/a.git?what=x"), testing::HasSubstr("no option 'what'"));
  EXPECT_THAT(read("https://h/a.git?branch=a&tag=b"), testing::HasSubstr("both asked for"));
  EXPECT_THAT(read("https://h/a.git?checksum=zz"), testing::HasSubstr("not the name of a commit"));
}

TEST(RemoteSource, KnowsReleasesByTheirShortForm) {
  EXPECT_EQ(parse_fetch("github:o/r@v1")->url, "https://github.com/o/r/archive/v1.tar.gz");
  EXPECT_EQ(parse_fetch("github:o/r")->url, "https://github.com/o/r/archive/HEAD.tar.gz");
  EXPECT_EQ(parse_fetch("https://x/y")->url, "https://x/y");
  for (const auto* bad : {"github:", "github:o", "github:o/", "github:o/r@", "github:a/b/c"}) {
    EXPECT_FALSE(parse_fetch(bad)) << bad;
  }
}

TEST(RemoteSource, KnowsChecksums) {
  EXPECT_TRUE(is_sha256("sha256:" + std::string(64, '0')));
  EXPECT_FALSE(is_sha256(std::string(64, '0')));
  EXPECT_FALSE(is_sha256("sha256:0"));
  EXPECT_TRUE(is_commit(std::string(40, 'a')));
  EXPECT_FALSE(is_commit("main"));
  EXPECT_FALSE(is_commit("abc"));
}

TEST(RemoteSource, FileNamesComeFromThePath) {
  EXPECT_EQ(file_name_of("https://example.org/a/b.tar.gz?x=/y#z"), "b.tar.gz");
  EXPECT_EQ(file_name_of("https://example.org/a%20b"), "a b");
  EXPECT_EQ(file_name_of("https://example.org/a%2Fb"), "");
  EXPECT_EQ(file_name_of("https://example.org/%2e%2e"), "");
  EXPECT_EQ(file_name_of("https://example.org/"), "");
  EXPECT_EQ(file_name_of("https://example.org"), "");
}

} // namespace
} // namespace sheaf::plan
