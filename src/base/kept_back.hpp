// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"

#include <cerrno>

namespace sheaf {

/// True if the operating system could not give a file just now: that says nothing of what is in the file. Whoever would
/// take it for damaged would throw away what is good.
inline bool is_kept_back(const Error& error) {
  const int number = error.errno_value();
  return number == EIO || number == EMFILE || number == ENFILE || number == ENOMEM || number == EINTR ||
         number == ENOSPC || number == EDQUOT;
}

} // namespace sheaf
