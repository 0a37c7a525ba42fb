// SPDX-License-Identifier: Apache-2.0
#pragma once

// A root file system as a value, for the property tests of the laws: what a build does to it, what capture would list
// of that, and what overlayfs shows of a pile of captured layers.

#include "join/facts.hpp"
#include "layer/inventory.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::laws {

struct Node {
  layer::EntryType type = layer::EntryType::file;
  unsigned mode = 0644;
  unsigned uid = 0;
  unsigned gid = 0;
  /// Of a file its content, of a symlink its target.
  std::string text;
  std::map<std::string, std::string> attributes;
  /// Equal for the names of one file.
  int inode = 0;
};
/// Root-relative path to node; the directories above a path are there too.
using Root = std::map<std::string, Node>;

/// One layer at work on a root. As overlayfs does, it copies a file of lower layers before it changes it, which takes
/// that name, and no other, out of its group of hard links.
class Workbench {
public:
  /// Inodes from `first_inode` on are the layer's own; none of `root` is that high.
  Workbench(Root& root, int first_inode) : m_root(root), m_first(first_inode), m_next(first_inode) {}

  const Root& root() const { return m_root; }
  const Node* find(const std::string& path) const;
  bool is_file(const std::string& path) const;
  bool is_directory(const std::string& path) const;
  /// Empty if there is no such file.
  std::string text(const std::string& path) const;
  /// `path` and all that is below it.
  std::vector<std::string> below(const std::string& path) const;

  /// Makes the directory and those above it; what stands in the way goes.
  void make_directory(const std::string& path);
  /// A file that is there keeps its mode and owner.
  void write(const std::string& path, const std::string& text);
  void link_symbolically(const std::string& path, const std::string& target);
  /// `path` becomes one more name of the file `old`.
  void link(const std::string& old, const std::string& path);
  void remove(const std::string& path);
  /// The layer's own copy of the node, to change mode, owner or attributes of; null if there is no `path`.
  template <class Change>
  void change(const std::string& path, Change&& change) {
    if (auto found = m_root.find(path); found != m_root.end()) {
      own(found->second);
      for (auto* node : names_of(found->second)) {
        change(*node);
      }
    }
  }

private:
  void own(Node& node);
  std::vector<Node*> names_of(const Node& node);
  Node& place(const std::string& path, layer::EntryType type, unsigned mode);

  Root& m_root;
  int m_first;
  int m_next;
};

/// What a commit keeps of a build.
struct Commit {
  layer::Inventory inventory;
  /// By path, of the regular files and symlinks of the inventory.
  std::map<std::string, std::string> texts;
  join::Facts facts;
};
/// As layer::capture and builder::facts_of; `first_inode` as for the Workbench.
Commit commit(const Root& parent, const Root& built, int first_inode);

/// Puts a captured layer on top of `root`. Its files get inodes from `first_inode` on.
void mount_on(Root& root, const Commit& layer, int first_inode);

/// The first paths that differ, one a line, times apart; databases are compared record by record. Empty if none do.
std::string differences(const Root& composed, const Root& sequential);

} // namespace sheaf::laws
