// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes the tree of a join layer: the files, links and directories that the join decided, with the attributes they
// have in the composed root below it.

#include "base/result.hpp"
#include "join/join.hpp"
#include "layer/capture.hpp"
#include "layer/inventory.hpp"

#include <cstdint>
#include <string>

namespace sheaf::builder {

class JoinTree {
public:
  /// `path` is an existing, empty directory; every time in it becomes `epoch`.
  JoinTree(std::string path, const layer::ParentView& below, std::int64_t epoch)
      : m_path(std::move(path)), m_below(below), m_epoch(epoch) {}

  /// A directory that shows in the composed root as `wanted` says.
  Result<void> add_directory(const layer::Entry& wanted);
  /// `path` is root-relative. The file keeps the attributes it has below; a new one gets `attributes`.
  Result<void> add_file(const std::string& path, const std::string& content, const join::FileAttributes& attributes);
  /// Makes the symlink be as `link` says, if it is not so already.
  Result<void> add_link(const std::string& path, const join::Link& link);

private:
  Result<void> make_parents(const std::string& path);
  Result<void> set_attributes(const std::string& path, unsigned mode, unsigned uid, unsigned gid) const;
  Result<unsigned> group_id(std::string_view name) const;

  std::string m_path;
  const layer::ParentView& m_below;
  std::int64_t m_epoch;
};

} // namespace sheaf::builder
