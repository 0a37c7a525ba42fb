// SPDX-License-Identifier: Apache-2.0
#include "os/exchange.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

namespace sheaf::os {

Result<void> exchange(const std::string& first, const std::string& second) {
  if (::renameat2(AT_FDCWD, first.c_str(), AT_FDCWD, second.c_str(), RENAME_EXCHANGE) != 0) {
    return Error::from_errno(errno, fmt::format("swapping '{}' and '{}'", first, second));
  }
  return {};
}

} // namespace sheaf::os
