// SPDX-License-Identifier: Apache-2.0
#include "os/output_file.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <thread>
#include <vector>

#include "unit/os/os_support.hpp"

namespace sheaf::os {
namespace {

using testing::HasSubstr;

class Output : public InTempDir {
protected:
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    const auto entries = list_directory(root()).value();
    for (const auto& entry : entries) {
      names.push_back(entry.name);
    }
    return names;
  }
};

Result<void> put(const std::string& path, std::string_view text) {
  SHEAF_TRY_ASSIGN(auto file, OutputFile::create(path));
  SHEAF_TRY(write_all(file.fd(), text));
  return file.commit();
}

TEST_F(Output, ReplacesAFileAtTheEnd) {
  write("a", "old");
  auto file = OutputFile::create(path("a")).value();
  ASSERT_TRUE(write_all(file.fd(), "new"));
  EXPECT_EQ(read_file(path("a")).value(), "old");
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(read_file(path("a")).value(), "new");
  EXPECT_EQ(list_directory(root()).value().size(), 1U);
}

TEST_F(Output, NothingStaysOfWhatWasNotCommitted) {
  { EXPECT_TRUE(OutputFile::create(path("a"))); }
  EXPECT_EQ(list_directory(root()).value().size(), 0U);
}

TEST_F(Output, WhatAKilledWriterLeftGoesWithTheNext) {
  write("a.123-0.partial", "half");
  write("a.mine.partial", "of somebody else");
  write("b.123-0.partial", "of another file");
  ASSERT_TRUE(put(path("a"), "whole"));
  EXPECT_THAT(names(), testing::ElementsAre("a", "a.mine.partial", "b.123-0.partial"));
}

TEST_F(Output, TwoWritersOfOneFileLeaveEachOtherAlone) {
  auto first = OutputFile::create(path("a")).value();
  ASSERT_TRUE(put(path("a"), "second"));
  ASSERT_TRUE(write_all(first.fd(), "first"));
  ASSERT_TRUE(first.commit());
  EXPECT_EQ(read_file(path("a")).value(), "first");
  EXPECT_THAT(names(), testing::ElementsAre("a"));
}

TEST_F(Output, APipeIsWrittenToAndStays) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  std::string got;
  std::jthread reader([&] { got = read_all(open(path("pipe"), O_RDONLY).value()).value(); });
  ASSERT_TRUE(put(path("pipe"), "text"));
  reader.join();
  EXPECT_EQ(got, "text");
  EXPECT_TRUE(S_ISFIFO(stat_of(open(path("pipe"), O_PATH).value()).value().st_mode));
}

TEST_F(Output, ALinkStaysAndItsTargetIsWritten) {
  make("elsewhere");
  write("elsewhere/file", "old");
  link("elsewhere/file", "link");
  ASSERT_TRUE(put(path("link"), "new"));
  EXPECT_EQ(read_file(path("elsewhere/file")).value(), "new");
  EXPECT_TRUE(S_ISLNK(stat_of(open(path("link"), O_PATH | O_NOFOLLOW).value()).value().st_mode));
}

TEST_F(Output, WhatCannotBeWrittenIsSaidAtOnce) {
  make("folder");
  const auto file = OutputFile::create(path("folder"));
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().summary(), HasSubstr("is a directory"));
  const auto lost = OutputFile::create(path("no/such/file"));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), ErrorCode::not_found);
}

} // namespace
} // namespace sheaf::os
