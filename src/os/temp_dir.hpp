// SPDX-License-Identifier: Apache-2.0
#pragma once

// A directory that vanishes with its owner.

#include "base/result.hpp"

#include <string>
#include <utility>

namespace sheaf::os {

class [[nodiscard]] TempDir {
public:
  /// Makes "<parent>/<prefix>XXXXXX", mode 0700.
  static Result<TempDir> create(const std::string& parent, const std::string& prefix);
  TempDir(TempDir&& other) noexcept : m_path(std::exchange(other.m_path, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::string& path() const { return m_path; }
  /// Gives up ownership; the directory stays.
  std::string keep() { return std::exchange(m_path, {}); }

private:
  explicit TempDir(std::string path) : m_path(std::move(path)) {}
  std::string m_path;
};

} // namespace sheaf::os
