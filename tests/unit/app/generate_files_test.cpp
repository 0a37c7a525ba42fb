// SPDX-License-Identifier: Apache-2.0
#include "app/generate_files.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace sheaf::app {
namespace {

using Files = std::map<std::string, std::string>;

class ReplaceFolder : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  std::string text(const std::string& name) const { return os::read_file(path(name)).value_or("none"); }
  void write(const std::string& name, const std::string& text) const { ASSERT_TRUE(os::write_file(path(name), text)); }
  std::size_t neighbours() const { return os::list_directory(m_directory.path())->size(); }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "generate-").value();
};

TEST_F(ReplaceFolder, WritesWhatIsAskedForAndNothingElse) {
  ASSERT_TRUE(replace_folder(path("a/b"), {{"L0", "one"}, {"deep/er/file", "#!/bin/sh\n"}}));
  EXPECT_EQ(text("a/b/L0"), "one");
  struct stat status = {};
  ASSERT_EQ(stat(path("a/b/deep/er/file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0755U);
  ASSERT_TRUE(replace_folder(path("a/b"), {{"L0", "two"}}));
  EXPECT_EQ(text("a/b/L0"), "two");
  EXPECT_FALSE(os::exists(path("a/b/deep")));
  EXPECT_EQ(os::list_directory(path("a"))->size(), 1U) << "nothing is left beside it";
}

TEST_F(ReplaceFolder, LeavesAloneWhatIsSomebodys) {
  ASSERT_TRUE(replace_folder(path("out"), {{"L0", "one"}, {"x/y", "z"}}));
  write("out/mine", "x");
  auto result = replace_folder(path("out"), {{"L0", "two"}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::conflict);
  EXPECT_THAT(result.error().message(), testing::HasSubstr("out/mine'"));
  EXPECT_EQ(text("out/L0"), "one");
  ASSERT_TRUE(os::remove_all(path("out/mine")));
  write("out/x/y", "changed");
  EXPECT_FALSE(replace_folder(path("out"), {{"L0", "two"}}));
  EXPECT_EQ(text("out/x/y"), "changed");
  EXPECT_EQ(neighbours(), 1U);
}

TEST_F(ReplaceFolder, AnEmptyFolderIsFree) {
  ASSERT_TRUE(os::make_directories(path("out")));
  ASSERT_TRUE(replace_folder(path("out"), {{"L0", "one"}}));
  EXPECT_EQ(text("out/L0"), "one");
  write("file", "x");
  EXPECT_FALSE(replace_folder(path("file"), {{"L0", "one"}}));
}

} // namespace
} // namespace sheaf::app
