// SPDX-License-Identifier: Apache-2.0
#pragma once

// What lies below a layer, read without mounting anything where anybody sees it.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sheaf::layer {

/// The merged view that a layer was built on.
class ParentView {
public:
  /// `lowers` bottom first; none for a base.
  static Result<ParentView> open(const std::vector<std::string>& lowers);
  /// The root of the view; an empty Fd for a base.
  const os::Fd& root() const { return m_root; }
  /// Text of a regular file at the root-relative `path`; nothing if there is none.
  Result<std::optional<std::string>> read(const std::string& path) const;
  /// Text of a symlink at the root-relative `path`; nothing if there is none.
  Result<std::optional<std::string>> read_link(const std::string& path) const;
  /// Is there an entry of any type, a deletion of this tree itself included?
  Result<bool> has(const std::string& path) const;

private:
  explicit ParentView(os::Fd root) : m_root(std::move(root)) {}
  os::Fd m_root;
};

} // namespace sheaf::layer
