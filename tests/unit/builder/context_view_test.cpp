// SPDX-License-Identifier: Apache-2.0
#include "builder/context_view.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace sheaf::builder {
namespace {

class ContextView : public testing::Test {
protected:
  void write(const std::string& path) {
    const auto whole = m_context + "/" + path;
    ASSERT_TRUE(os::make_directories(whole.substr(0, whole.rfind('/'))));
    ASSERT_TRUE(os::write_file(whole, path));
  }
  /// Everything in the layer, a '-' before whiteouts; sorted, separated by blanks.
  std::string hidden(const std::vector<std::string>& patterns) {
    const auto ignore = context::IgnorePatterns::from_list(patterns).value();
    std::filesystem::remove_all(m_layer);
    EXPECT_TRUE(os::make_directories(m_layer));
    EXPECT_TRUE(hide_ignored(os::open(m_context, O_RDONLY | O_DIRECTORY).value(), ignore, m_layer));
    std::vector<std::string> lines;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(m_layer)) {
      const bool is_mark = entry.symlink_status().type() == std::filesystem::file_type::character;
      lines.push_back(std::filesystem::relative(entry.path(), m_layer).string().insert(0, is_mark ? "-" : ""));
    }
    std::ranges::sort(lines, {}, [](const std::string& line) { return line.starts_with('-') ? line.substr(1) : line; });
    std::string text;
    for (const auto& line : lines) {
      text += (text.empty() ? "" : " ") + line;
    }
    return text;
  }

  os::TempDir m_directory = os::TempDir::create(std::filesystem::temp_directory_path().string(), "sheaf-").value();
  std::string m_context = m_directory.path() + "/context";
  std::string m_layer = m_directory.path() + "/layer";
};

TEST_F(ContextView, MarksWhatIsExcludedAndNothingElse) {
  for (const auto* path : {"a", "b/c", "b/d", "node_modules/x/y", "deep/er/log", "deep/er/txt"}) {
    write(path);
  }
  EXPECT_EQ(hidden({"a"}), "-a");
  EXPECT_EQ(hidden({"none"}), "");
  EXPECT_EQ(hidden({"node_modules"}), "-node_modules") << "one mark for a folder";
  EXPECT_EQ(hidden({"b/c", "**/log"}), "b -b/c deep deep/er -deep/er/log");
}

TEST_F(ContextView, ExceptionsKeepTheirFolder) {
  for (const auto* path : {"b/c", "b/d", "e/f"}) {
    write(path);
  }
  EXPECT_EQ(hidden({"*", "!b/c"}), "b -b/d -e");
  EXPECT_EQ(hidden({"b", "!b/none"}), "-b");
}

TEST_F(ContextView, FoldersLookAsTheyDid) {
  write("b/in/c");
  ASSERT_EQ(chmod((m_context + "/b").c_str(), 0750), 0);
  ASSERT_EQ(chmod((m_context + "/b/in").c_str(), 0555), 0);
  EXPECT_EQ(hidden({"b/in/c"}), "b b/in -b/in/c");
  struct stat info {};
  ASSERT_EQ(stat((m_layer + "/b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0750U);
  ASSERT_EQ(stat((m_layer + "/b/in").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0555U);
}

} // namespace
} // namespace sheaf::builder
