// SPDX-License-Identifier: Apache-2.0
#pragma once

// Private to `lint.cpp` and `lint_variables.cpp`: which checks are wanted, and where findings go.

#include "containerfile/lint.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace sheaf::containerfile {

class LintReport {
public:
  LintReport(const File& file, const LintSettings& settings, Diagnostics& diagnostics)
      : m_source(file.source), m_check(settings.check.value_or(file.check)), m_diagnostics(diagnostics) {}

  void add(std::string_view rule, Span span, std::string message, std::string hint = {}) {
    if (!wants(rule)) {
      return;
    }
    m_diagnostics.add({m_check.error ? Severity::error : Severity::warning, std::string(rule), std::move(message),
                       m_source, span, std::move(hint)});
  }

private:
  bool wants(std::string_view rule) const {
    if (rule == "InvalidDefinitionDescription") { // the one that is experimental
      return m_check.experimental_all || m_check.experimental.contains(rule);
    }
    return !m_check.skip_all && !m_check.skip.contains(rule);
  }

  std::shared_ptr<const SourceText> m_source;
  CheckDirective m_check;
  Diagnostics& m_diagnostics;
};

/// Which earlier stage each stage starts from; nothing for an image. Names are expanded with build arguments, else
/// defaults.
std::vector<std::optional<std::size_t>> parent_stages(const File& file, const LintSettings& settings);

/// UndefinedVar, UndefinedArgInFrom, InvalidDefaultArgInFrom, RedundantTargetPlatform, FromPlatformFlagConstDisallowed.
void lint_variables(const File& file, const LintSettings& settings, LintReport& report);

} // namespace sheaf::containerfile
