// SPDX-License-Identifier: Apache-2.0
#pragma once

// How `ProjectConfig::origins` names the entries of its maps. Used by what reads settings and by what merges them.

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace sheaf::catalogue {

inline std::string env_key(std::string_view name) { return fmt::format("env.{}", name); }
inline std::string stack_key(std::string_view level) { return fmt::format("stacks.{}", level); }
inline std::string registry_key(std::string_view host) { return fmt::format("registries.{}", host); }
inline std::string arg_key(std::string_view layer, std::string_view arg) {
  return fmt::format("args.{}.{}", layer, arg);
}

} // namespace sheaf::catalogue
