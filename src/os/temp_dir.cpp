// SPDX-License-Identifier: Apache-2.0
#include "os/temp_dir.hpp"

#include "os/file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>

namespace sheaf::os {

Result<TempDir> TempDir::create(const std::string& parent, const std::string& prefix) {
  auto path = fmt::format("{}/{}XXXXXX", parent, prefix);
  if (mkdtemp(path.data()) == nullptr) {
    return Error::from_errno(errno, fmt::format("creating a directory in '{}'", parent));
  }
  return TempDir(std::move(path));
}

TempDir::~TempDir() {
  if (!m_path.empty()) {
    ignore(remove_all(m_path), "removing a temporary directory");
  }
}

} // namespace sheaf::os
