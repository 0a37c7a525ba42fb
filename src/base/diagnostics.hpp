// SPDX-License-Identifier: Apache-2.0
#pragma once

// Collects every problem found in text that people write, so that one run reports them all, each with file, line,
// column, the line itself and a caret. Used by the parsers of Containerfiles, YAML and flags.

#include "base/result.hpp"
#include "base/source_text.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sheaf {

enum class Severity { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  /// Stable and kebab-case, for example "unknown-key".
  std::string rule;
  std::string message;
  std::shared_ptr<const SourceText> source;
  Span span;
  /// What to try; may be empty.
  std::string hint;
};

/// "path:line:column: error: message [rule]", the line, a caret, the hint. Ends without a newline.
std::string render(const Diagnostic& diagnostic);

class Diagnostics {
public:
  void add(Diagnostic diagnostic);
  /// Shorthand for an error at `span` of `source`.
  void error(std::shared_ptr<const SourceText> source, Span span, std::string rule, std::string message,
             std::string hint = {});
  void warning(std::shared_ptr<const SourceText> source, Span span, std::string rule, std::string message,
               std::string hint = {});

  bool has_errors() const { return m_errors > 0; }
  std::size_t error_count() const { return m_errors; }
  /// In the order they were added.
  const std::vector<Diagnostic>& all() const { return m_all; }
  /// All of them, sorted by file and position, separated by newlines.
  std::string render() const;
  /// An `invalid` error that carries all errors as its details; `doing` is for example "reading 'sheaf.yml'".
  Error to_error(std::string_view doing) const;

private:
  std::vector<Diagnostic> m_all;
  std::size_t m_errors = 0;
};

} // namespace sheaf
