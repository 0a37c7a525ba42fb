// SPDX-License-Identifier: Apache-2.0
#pragma once

// Decides, while a layer is captured, which of its files are made anew for every composition and therefore not kept:
// outputs of a generator that can run in this root and would make them. What somebody wrote by hand into such a file
// stays in the layer.

#include "os/fd.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "generate/generator.hpp"

namespace sheaf::builder {

class GeneratedFilter {
public:
  /// `lowers` is what the layer was built on, bottom first, `tree` what it changed; the tree is only read.
  static Result<GeneratedFilter> look(std::vector<std::string> lowers, const std::string& tree);

  /// Arguments as for layer::CaptureOptions::is_generated.
  bool drops(const std::string& path, const std::optional<std::string>& link_target) const;

private:
  std::set<const generate::Generator*> m_able;
  /// Outputs with a content of their own.
  std::set<std::string> m_kept;
};

} // namespace sheaf::builder
