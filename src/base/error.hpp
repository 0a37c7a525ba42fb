// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one error type of the project. Code decides by `code()`, people read `render()`. An error gains context on its
// way up (`with_context`), by what *we* were doing; it never loses its cause.

#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// What kind of failure this is. Few and stable: exit codes and decisions depend on them.
enum class ErrorCode {
  not_found,
  denied,
  invalid,
  corrupt,
  busy,
  network,
  cancelled,
  unsupported,
  failed_step,
  conflict,
  no_space,
  internal,
};

std::string_view to_string(ErrorCode code);
/// The code named by `text`, `internal` for an unknown name (a newer helper may know more codes than we do).
ErrorCode error_code_from(std::string_view text);

class Error {
public:
  Error(ErrorCode code, std::string message, std::source_location where = std::source_location::current());

  /// An error of the operating system: `doing` (verb and object), then the text of `errno_value`.
  static Error from_errno(int errno_value, std::string_view doing,
                          std::source_location where = std::source_location::current());

  ErrorCode code() const { return m_code; }
  const std::string& message() const { return m_message; }
  /// Outermost first.
  const std::vector<std::string>& context() const { return m_context; }
  const std::string& hint() const { return m_hint; }
  /// Text that is already laid out for people (source lines with carets, the last lines of a log); may be empty.
  const std::string& details() const { return m_details; }
  const std::source_location& where() const { return m_where; }
  /// 0 if the operating system had no part in it.
  int errno_value() const { return m_errno; }

  /// Adds what the caller was doing, in front of what is there.
  Error&& with_context(std::string doing) &&;
  Error&& with_hint(std::string hint) &&;
  Error&& with_details(std::string details) &&;
  Error&& with_code(ErrorCode code) &&;

  /// "context: context: message", one line.
  std::string summary() const;
  /// "error: …" with details and hint, ends without a newline.
  std::string render() const;

private:
  ErrorCode m_code;
  std::string m_message;
  std::vector<std::string> m_context;
  std::string m_hint;
  std::string m_details;
  int m_errno = 0;
  std::source_location m_where;
};

} // namespace sheaf
