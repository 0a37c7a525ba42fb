// SPDX-License-Identifier: Apache-2.0
#pragma once

// Trees of a root file system, made in a temporary directory.

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "sbom/tree_stack.hpp"

namespace sheaf::sbom {

class TestTrees {
public:
  /// A new, empty tree above all others; its name is for `path`.
  void add(const std::string& tree) {
    m_trees.push_back(m_directory.path() + "/" + tree);
    EXPECT_TRUE(os::make_directories(m_trees.back()));
  }
  std::string path(const std::string& tree, const std::string& name) const {
    auto path = m_directory.path() + "/" + tree + "/" + name;
    EXPECT_TRUE(os::make_directories(path.substr(0, path.rfind('/'))));
    return path;
  }
  void file(const std::string& tree, const std::string& name, std::string_view content, mode_t mode = 0644) const {
    const auto where = path(tree, name);
    EXPECT_TRUE(os::write_file(where, content));
    EXPECT_EQ(chmod(where.c_str(), mode), 0);
  }
  void folder(const std::string& tree, const std::string& name) const {
    EXPECT_TRUE(os::make_directories(path(tree, name)));
  }
  void link(const std::string& tree, const std::string& name, const std::string& target) const {
    EXPECT_EQ(symlink(target.c_str(), path(tree, name).c_str()), 0);
  }
  /// The tree deletes `name` of what is below.
  void deletion(const std::string& tree, const std::string& name) const {
    EXPECT_EQ(mknod(path(tree, name).c_str(), S_IFCHR, makedev(0, 0)), 0);
  }
  /// False if this user or file system has no such marks.
  bool opaque(const std::string& tree, const std::string& name) const {
    const auto mark = std::string(os::overlay_prefix()) + "opaque";
    return setxattr(path(tree, name).c_str(), mark.c_str(), "y", 1, 0) == 0;
  }
  const std::vector<std::string>& trees() const { return m_trees; }
  TreeStack stack() const { return TreeStack::open(m_trees).value(); }
  /// Of the trees with these names.
  TreeStack stack(const std::vector<std::string>& names) const {
    std::vector<std::string> trees;
    for (const auto& name : names) {
      trees.push_back(m_directory.path() + "/" + name);
    }
    return TreeStack::open(trees).value();
  }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-sbom-").value();
  std::vector<std::string> m_trees;
};

/// Paths of all that shows, in the order of the walk.
inline std::vector<std::string> paths_of(const TreeStack& stack) {
  std::vector<std::string> paths;
  EXPECT_TRUE(stack.walk(Detail::names, [&](const TreeEntry& entry) -> Result<void> {
    paths.push_back(entry.entry.path);
    return {};
  }));
  return paths;
}

} // namespace sheaf::sbom
