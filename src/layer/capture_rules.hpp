// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a build leaves behind that carries no meaning, or must not be shared: the one table by which entries are dropped
// when a layer is captured. A layer's own rows come before the built-in ones.

#include "base/capture_rule.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::layer {

/// In the order they are tried.
const std::vector<CaptureRule>& builtin_capture_rules();

/// What lies at a path, as far as rules care.
enum class PathIs { directory, link, other };

class CaptureRules {
public:
  /// `own` are the layer's rows. The first row that fits a path decides, "keep" against dropping it.
  explicit CaptureRules(std::vector<CaptureRule> own = {});

  /// The row by which the entry is dropped, or nullptr. `target` is that of a symbolic link. A directory is dropped
  /// with all that is in it, but not while a "keep" may fit something below it.
  const CaptureRule* dropping(const std::string& path, PathIs what, std::string_view target = {}) const;
  /// The whole table, the layer's rows first.
  std::span<const CaptureRule> all() const { return m_rules; }

private:
  bool may_keep_below(const std::string& path) const;

  std::vector<CaptureRule> m_rules;
  /// Of each rule, what stands before the first wildcard: most paths are told apart by it.
  std::vector<std::string> m_literal;
};

} // namespace sheaf::layer
