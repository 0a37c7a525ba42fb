// SPDX-License-Identifier: Apache-2.0
#include "containerfile/expand.hpp"

#include "containerfile/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sheaf::containerfile {
namespace {

/// Patterns keep their escapes: what they mean is for the pattern to say.
enum class Escapes { take_off, keep };

enum class Quotes { take_off, plain_text };

constexpr int k_deepest = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_character(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80U;
  return letter || is_digit(c) || c == '_';
}

Error mistake(std::string message) { return Error(ErrorCode::invalid, std::move(message)); }

class Expander {
public:
  Expander(std::string_view word, const Lookup& lookup, char escape, Quotes quotes)
      : m_word(word), m_lookup(lookup), m_escape(escape), m_quotes(quotes == Quotes::take_off) {}

  /// Up to `stop`, which is consumed, or the end of the word for '\0'.
  Result<std::string> text(char stop, Escapes escapes) {
    std::string result;
    while (!at_end()) {
      const char c = peek();
      if (stop != '\0' && c == stop) {
        ++m_at;
        return result;
      }
      if (m_quotes && c == '\'') {
        SHEAF_TRY_ASSIGN(const auto quoted, single_quoted());
        result += quoted;
      } else if (m_quotes && c == '"') {
        SHEAF_TRY_ASSIGN(const auto quoted, double_quoted(escapes));
        result += quoted;
      } else if (c == '$') {
        SHEAF_TRY_ASSIGN(const auto value, dollar());
        result += value;
      } else if (c == m_escape) {
        escaped(result, escapes);
      } else {
        result += take();
      }
    }
    if (stop != '\0') {
      return mistake(fmt::format("a '{}' is missing in '{}'", stop, shown()));
    }
    return result;
  }

private:
  bool at_end() const { return m_at >= m_word.size(); }
  char peek() const { return at_end() ? '\0' : m_word[m_at]; }
  char take() { return at_end() ? '\0' : m_word[m_at++]; }

  void escaped(std::string& result, Escapes escapes) {
    ++m_at;
    if (escapes == Escapes::keep) {
      result += m_escape;
    }
    if (!at_end()) {
      result += take();
    }
  }

  Result<std::string> single_quoted() {
    const auto end = m_word.find('\'', m_at + 1);
    if (end == std::string_view::npos) {
      return mistake(fmt::format("a single quote is not closed in '{}'", shown()));
    }
    const auto quoted = m_word.substr(m_at + 1, end - m_at - 1);
    m_at = end + 1;
    return std::string(quoted);
  }

  Result<std::string> double_quoted(Escapes escapes) {
    ++m_at;
    std::string result;
    while (!at_end()) {
      if (peek() == '$') {
        SHEAF_TRY_ASSIGN(const auto value, dollar());
        result += value;
        continue;
      }
      const char c = take();
      if (c == '"') {
        return result;
      }
      const bool escapes_next = c == m_escape && (peek() == '"' || peek() == '$' || peek() == m_escape);
      if (!escapes_next || escapes == Escapes::keep) {
        result += c;
      }
      if (escapes_next) {
        result += take();
      }
    }
    return mistake(fmt::format("a double quote is not closed in '{}'", shown()));
  }

  /// Empty if there is none. A number and the special parameters of a shell are names, too; nobody ever sets them.
  std::string name() {
    const auto begin = m_at;
    if (is_digit(peek())) {
      while (is_digit(peek())) {
        ++m_at;
      }
    } else if (!at_end() && std::string_view("@*#?-$!").find(peek()) != std::string_view::npos) {
      ++m_at;
    } else {
      while (is_name_character(peek())) {
        ++m_at;
      }
    }
    return std::string(m_word.substr(begin, m_at - begin));
  }

  Result<std::string> dollar() {
    ++m_at;
    if (peek() != '{') {
      const auto variable = name();
      return variable.empty() ? std::string("$") : m_lookup(variable).value_or("");
    }
    ++m_at;
    if (++m_depth > k_deepest) {
      return mistake(fmt::format("more than {} '${{' are inside each other", k_deepest));
    }
    auto value = braces();
    --m_depth;
    return value;
  }

  Result<std::string> braces() {
    const auto variable = name();
    if (at_end()) {
      return mistake(fmt::format("a '}}' is missing in '{}'", shown()));
    }
    if (variable.empty()) {
      return mistake(fmt::format("a variable's name is missing after '${{' in '{}'", shown()));
    }
    const auto value = m_lookup(variable);
    switch (const char c = take()) {
    case '}':
      return value.value_or("");
    case ':':
    case '-':
    case '+':
    case '?':
      return conditional(variable, value, c);
    case '#':
    case '%':
      return shortened(value.value_or(""), c);
    case '/':
      return replaced(value.value_or(""));
    default:
      return unknown_modifier(variable, std::string(1, c));
    }
  }

  /// The word, or the start of what is long or has several lines.
  std::string shown() const {
    constexpr std::size_t k_longest = 60;
    const auto end = std::min({m_word.size(), m_word.find('\n'), k_longest});
    return std::string(m_word.substr(0, end)) + (end < m_word.size() ? "..." : "");
  }

  Error unknown_modifier(const std::string& variable, const std::string& modifier) const {
    if (modifier.find_first_of(" \t\r\n") != std::string::npos) {
      return mistake(fmt::format("a '}}' is missing after '${{{}'", variable));
    }
    return mistake(fmt::format("'${{{}{}...}}' is no known way to use a variable", variable, modifier));
  }

  Result<std::string> conditional(const std::string& variable, const std::optional<std::string>& value, char modifier) {
    const bool empty_is_unset = modifier == ':';
    if (empty_is_unset) {
      modifier = take();
    }
    if (modifier != '-' && modifier != '+' && modifier != '?') {
      return unknown_modifier(variable, modifier == '\0' ? ":" : fmt::format(":{}", modifier));
    }
    SHEAF_TRY_ASSIGN(auto word, text('}', Escapes::take_off));
    const bool present = value && !(empty_is_unset && value->empty());
    if (modifier == '+') {
      return present ? word : std::string();
    }
    if (present) {
      return *value;
    }
    if (modifier == '?') {
      const auto* reason = value ? "must not be empty" : "must be set";
      return mistake(fmt::format("{}: {}", variable, word.empty() ? reason : word));
    }
    return word;
  }

  Result<std::string> shortened(const std::string& value, char side) {
    const bool doubled = peek() == side;
    m_at += doubled ? 1 : 0;
    SHEAF_TRY_ASSIGN(const auto source, text('}', Escapes::keep));
    SHEAF_TRY_ASSIGN(const auto pattern, Pattern::parse(source, m_escape));
    const auto length = doubled ? Pattern::Length::longest : Pattern::Length::shortest;
    return side == '#' ? pattern.without_prefix(value, length) : pattern.without_suffix(value, length);
  }

  Result<std::string> replaced(const std::string& value) {
    const bool doubled = peek() == '/';
    m_at += doubled ? 1 : 0;
    SHEAF_TRY_ASSIGN(const auto source, text('/', Escapes::keep));
    SHEAF_TRY_ASSIGN(const auto pattern, Pattern::parse(source, m_escape));
    SHEAF_TRY_ASSIGN(const auto replacement, text('}', Escapes::keep));
    return pattern.replace(value, replacement, doubled ? Pattern::Count::all : Pattern::Count::first);
  }

  std::string_view m_word;
  const Lookup& m_lookup;
  char m_escape;
  bool m_quotes;
  std::size_t m_at = 0;
  int m_depth = 0;
};

} // namespace

Result<std::string> expand(std::string_view word, const Lookup& lookup, char escape) {
  return Expander(word, lookup, escape, Quotes::take_off).text('\0', Escapes::take_off);
}

Result<std::string> expand_content(std::string_view content, const Lookup& lookup) {
  return Expander(content, lookup, '\\', Quotes::plain_text).text('\0', Escapes::take_off);
}

} // namespace sheaf::containerfile
