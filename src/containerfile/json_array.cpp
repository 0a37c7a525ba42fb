// SPDX-License-Identifier: Apache-2.0
#include "containerfile/json_array.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

namespace sheaf::containerfile {
namespace {

class Reader {
public:
  Reader(std::string_view text, Range within)
      : m_text(text.substr(0, within.end)), m_within(within), m_at(within.begin) {}

  JsonArray read() {
    skip_blanks();
    if (peek() != '[') {
      return {};
    }
    m_open = m_at++;
    skip_blanks();
    if (peek() == ']') {
      ++m_at;
      return finish();
    }
    while (element()) {
      skip_blanks();
      const char c = peek();
      if (c == ']') {
        ++m_at;
        return finish();
      }
      if (c != ',') {
        fail(m_at < m_text.size() ? "',' or ']' is missing" : "the closing ']' is missing", {m_at, m_at});
        break;
      }
      ++m_at;
      skip_blanks();
      if (peek() == ']') {
        fail("there is a ',' too many", {m_at - 1, m_at});
        break;
      }
    }
    return std::move(m_array);
  }

private:
  char peek() const { return m_at < m_text.size() ? m_text[m_at] : '\0'; }

  void skip_blanks() {
    while (m_at < m_text.size() && is_blank(m_text[m_at])) {
      ++m_at;
    }
  }

  bool element() {
    const auto begin = m_at;
    if (peek() != '"') {
      return not_a_string();
    }
    const auto end = closing_quote('"');
    if (!end) {
      return fail("the string is not closed", {begin, m_text.size()});
    }
    const Range range{begin, *end + 1};
    // nlohmann knows the escapes; it gets nothing but this one string.
    const auto value = nlohmann::json::parse(m_text.substr(begin, range.size()), nullptr, false);
    if (!value.is_string()) {
      return fail("this is no valid JSON string", range);
    }
    m_array.items.push_back({value.get<std::string>(), range});
    m_at = range.end;
    return true;
  }

  bool not_a_string() {
    const auto begin = m_at;
    const auto end = m_text.find_first_of(",]", begin);
    const auto where = trimmed(m_text, {begin, end == std::string_view::npos ? m_text.size() : end});
    if (nlohmann::json::accept(m_text.substr(m_open, m_within.end - m_open))) {
      m_array.form = ArrayForm::not_strings;
      m_array.problem = "every element has to be a string in double quotes";
      m_array.where = where;
      return false;
    }
    return fail(peek() == '\'' ? "JSON strings are in double quotes" : "a string in double quotes is missing", where);
  }

  JsonArray finish() {
    const auto end = m_at;
    skip_blanks();
    if (m_at < m_text.size()) {
      fail("there is text after the ']'", {m_at, m_within.end});
    } else {
      m_array.form = ArrayForm::array;
      m_at = end;
    }
    return std::move(m_array);
  }

  bool fail(std::string problem, Range where) {
    if (looks_like_json()) {
      m_array.form = ArrayForm::broken;
      m_array.problem = std::move(problem);
      m_array.where = where;
    }
    return false;
  }

  /// Tells `["a" "b"]` and `[ 'a', 'b' ]` from the command `[ "$a" = b ]`, which wants a blank after its '['.
  bool looks_like_json() const {
    Reader first(m_text, m_within);
    first.m_at = m_open + 1;
    first.skip_blanks();
    const char quote = first.peek();
    if (quote != '"' && quote != '\'') {
      return false;
    }
    if (first.m_at == m_open + 1) {
      return true;
    }
    const auto end = first.closing_quote(quote);
    first.m_at = end.value_or(m_text.size() - 1) + 1;
    first.skip_blanks();
    return first.peek() == ',';
  }

  std::optional<std::size_t> closing_quote(char quote) const {
    for (auto at = m_at + 1; at < m_text.size(); ++at) {
      if (m_text[at] == '\\') {
        ++at;
      } else if (m_text[at] == quote) {
        return at;
      }
    }
    return std::nullopt;
  }

  std::string_view m_text;
  Range m_within;
  std::size_t m_at;
  std::size_t m_open = 0;
  JsonArray m_array;
};

} // namespace

JsonArray read_json_array(std::string_view text, Range within) { return Reader(text, within).read(); }

} // namespace sheaf::containerfile
