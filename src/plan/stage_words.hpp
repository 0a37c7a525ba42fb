// SPDX-License-Identifier: Apache-2.0
#pragma once

// The variables that a stage has at one point, the words of its instructions with these put in, and the way to say what
// is wrong with a word.

#include "base/diagnostics.hpp"
#include "containerfile/expand.hpp"
#include "containerfile/instructions.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::plan {

/// Names and values in the order in which they were last set; names differ.
using Variables = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string> find_variable(const Variables& variables, std::string_view name);
/// Moves a variable that is there to the end.
void set_variable(Variables& variables, const std::string& name, const std::string& value);

class StageWords {
public:
  StageWords(std::shared_ptr<const SourceText> source, char escape, Variables variables, Diagnostics& diagnostics);

  /// The instructions that follow stand in `source`, with `escape`.
  void read_from(std::shared_ptr<const SourceText> source, char escape);
  const std::shared_ptr<const SourceText>& source() const { return m_source; }
  Diagnostics& diagnostics() { return m_diagnostics; }

  const Variables& variables() const { return m_variables; }
  void set(const std::string& name, const std::string& value) { set_variable(m_variables, name, value); }

  /// Empty if it cannot be expanded, which is reported.
  std::string expand(const containerfile::Word& word);
  std::string expand(const std::optional<containerfile::Word>& word);
  std::vector<std::string> expand(const std::vector<containerfile::Word>& words);
  /// A heredoc of COPY or ADD: quotes are text, '\' escapes.
  std::string content_of(const containerfile::InlineFile& file);

  void error(Span span, std::string rule, std::string message, std::string hint = {});
  void warning(Span span, std::string rule, std::string message, std::string hint = {});

private:
  containerfile::Lookup lookup() const;
  std::string checked(Result<std::string> value, Span span);

  std::shared_ptr<const SourceText> m_source;
  char m_escape;
  Variables m_variables;
  Diagnostics& m_diagnostics;
};

} // namespace sheaf::plan
