// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"
#include "os/new_file.hpp"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "unit/os/os_support.hpp"

namespace sheaf::os {
namespace {

using testing::ElementsAre;

struct New : InTempDir {
  std::vector<std::string> names() {
    std::vector<std::string> names;
    const auto entries = list_directory(root()).value();
    for (const auto& entry : entries) {
      names.push_back(entry.name);
    }
    return names;
  }
  Result<void> put(const std::string& name, std::string_view text) {
    SHEAF_TRY_ASSIGN(auto file, NewFile::create(path(name), 0600));
    SHEAF_TRY(write_all(file.fd(), text));
    return file.appear();
  }
};

TEST_F(New, HasNoNameUntilItAppears) {
  auto file = NewFile::create(path("a"), 0600).value();
  ASSERT_TRUE(write_all(file.fd(), "text"));
  EXPECT_THAT(names(), ElementsAre());
  ASSERT_TRUE(file.appear());
  EXPECT_THAT(names(), ElementsAre("a"));
  EXPECT_EQ(read_file(path("a")).value(), "text");
}

TEST_F(New, ReplacesAndTakesAwayWhatADeadOneLeft) {
  write("a", "old");
  write("a.new", "of a process that was killed");
  ASSERT_TRUE(put("a", "new"));
  EXPECT_THAT(names(), ElementsAre("a"));
  EXPECT_EQ(read_file(path("a")).value(), "new");
}

TEST_F(New, TheNameOfAFolderIsRefusedAndNothingStays) {
  make("a");
  EXPECT_FALSE(put("a", "text"));
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(New, WithoutAFolderThereIsNone) {
  const auto file = NewFile::create(path("no/file"), 0600);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), ErrorCode::not_found);
}

TEST_F(New, SeveralReplaceAtOnceAndOneWholeFileStays) {
  constexpr std::size_t k_size = 10000;
  {
    std::vector<std::jthread> threads;
    for (const char letter : std::string("abcd")) {
      threads.emplace_back([this, letter] {
        for (int i = 0; i < 100; ++i) {
          EXPECT_TRUE(put("file", std::string(k_size, letter)));
        }
      });
    }
  }
  EXPECT_THAT(names(), ElementsAre("file"));
  const auto text = read_file(path("file")).value();
  EXPECT_EQ(text, std::string(k_size, text.front()));
}

} // namespace
} // namespace sheaf::os
