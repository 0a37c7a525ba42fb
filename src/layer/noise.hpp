// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a build leaves behind that carries no meaning, or must not be shared: dropped when a layer is captured.

#include <span>
#include <string>
#include <string_view>

namespace sheaf::layer {

struct NoiseRule {
  /// Root-relative. "x/**" is everything below x but not x; otherwise fnmatch(3) with FNM_PATHNAME.
  std::string_view pattern;
  /// log, cache, backup, lock, temporary, runtime, identity
  std::string_view kind;
  std::string_view reason;
};

std::span<const NoiseRule> noise_rules();

/// The rule that drops `path`, or nullptr. `is_directory` matters: a log directory stays, its files go.
enum class PathIs { directory, other };
const NoiseRule* noise_at(const std::string& path, PathIs what);

} // namespace sheaf::layer
