// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gtest/gtest.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context/selection.hpp"

namespace sheaf::context {

/// A test with a tree of its own.
class InTree : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/tree/" + name; }
  std::string beside(const std::string& name) const { return m_directory.path() + "/" + name; }
  void file(const std::string& name, const std::string& content = "x", mode_t mode = 0644) const {
    const auto full = path(name);
    ASSERT_TRUE(os::make_directories(full.substr(0, full.rfind('/'))));
    ASSERT_TRUE(os::write_file(full, content));
    ASSERT_EQ(chmod(full.c_str(), mode), 0);
  }
  void folder(const std::string& name) const { ASSERT_TRUE(os::make_directories(path(name))); }
  void link(const std::string& target, const std::string& name) const {
    ASSERT_EQ(symlink(target.c_str(), path(name).c_str()), 0);
  }
  os::Fd tree() const { return os::open(m_directory.path() + "/tree", O_RDONLY | O_DIRECTORY).value(); }

  static IgnorePatterns ignoring(const std::vector<std::string>& patterns) {
    return IgnorePatterns::from_list(patterns).value();
  }

  /// "source>name" of all entries, "source>name/" for folders.
  static std::vector<std::string> names(const std::vector<SelectedSource>& selected) {
    std::vector<std::string> names;
    for (const auto& source : selected) {
      for (const auto& entry : source.entries) {
        names.push_back(entry.source + ">" + entry.name + (entry.type == DT_DIR ? "/" : ""));
      }
    }
    return names;
  }

private:
  void SetUp() override { ASSERT_TRUE(os::make_directories(m_directory.path() + "/tree")); }
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-context-").value();
};

} // namespace sheaf::context
