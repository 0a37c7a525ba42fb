// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHEAF_ASSERT: a broken invariant of ours ends the process with its place; it is on in release builds too.

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace sheaf {

[[noreturn]] inline void assertion_failed(const char* expression,
                                          std::source_location where = std::source_location::current()) {
  std::fprintf(stderr, "sheaf: this is a bug: '%s' does not hold at %s:%u\n", expression, where.file_name(),
               where.line());
  std::abort();
}

} // namespace sheaf

#define SHEAF_ASSERT(expression) ((expression) ? void() : ::sheaf::assertion_failed(#expression))
