// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

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
  return {value("directory").value_or(""), value("base"), value("agents"), value("layers"), has("strict"), has("pull")};
}

void Invocation::print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

} // namespace sheaf::cli
