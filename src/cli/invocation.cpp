// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "cli/command.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sheaf::cli {

std::optional<std::string> Invocation::value(std::string_view option) const {
  const auto found = options.find(option);
  return found != options.end() ? std::optional(found->second) : std::nullopt;
}

std::vector<std::string> Invocation::values(std::string_view option) const {
  const auto found = lists.find(option);
  return found != lists.end() ? found->second : std::vector<std::string>();
}

app::Choices Invocation::choices() const {
  return {value("directory").value_or(""),
          value("base"),
          value("agents"),
          value("layers"),
          has("strict"),
          has("pull"),
          has("locked"),
          value("stack"),
          value("image")};
}

void Invocation::print(std::string_view text) {
  // Much of it was written by strangers: names of files and packages, histories of images.
  const auto shown = isatty(STDOUT_FILENO) == 1 ? printable(text, Colours::kept) : std::string(text);
  errno = 0;
  if ((std::fwrite(shown.data(), 1, shown.size(), stdout) != shown.size() || std::fflush(stdout) != 0) &&
      s_print_errno == 0) {
    s_print_errno = errno;
  }
}

Result<void> Invocation::printed() {
  return s_print_errno == 0 ? Result<void>()
                            : Error::from_errno(s_print_errno, "writing to standard output")
                                  .with_hint("what was printed is not complete");
}

} // namespace sheaf::cli
