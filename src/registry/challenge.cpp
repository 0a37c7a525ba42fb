// SPDX-License-Identifier: Apache-2.0
#include "registry/challenge.hpp"

#include <algorithm>
#include <cctype>

namespace sheaf::registry {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

class Parser {
public:
  explicit Parser(std::string_view text) : m_rest(text) {}

  std::vector<Challenge> parse() {
    while (!m_rest.empty()) {
      skip([](char c) { return is_blank(c) || c == ','; });
      if (const auto word = take_while(is_token_character); !word.empty()) {
        take_item(word);
      } else if (!m_rest.empty()) {
        m_rest.remove_prefix(1); // nothing that can begin here
      }
    }
    return std::move(m_challenges);
  }

private:
  /// A word is the name of a parameter if "=" and a value follow, else of a scheme.
  void take_item(std::string_view word) {
    const auto after_word = m_rest;
    skip(is_blank);
    if (!m_rest.starts_with('=')) {
      m_rest = after_word;
      m_challenges.push_back({lower(word), {}});
      skip_credentials();
      return;
    }
    m_rest.remove_prefix(1);
    skip(is_blank);
    auto value = m_rest.starts_with('"') ? take_quoted()
                                         : std::string(take_while([](char c) { return !is_blank(c) && c != ','; }));
    if (!m_challenges.empty()) {
      m_challenges.back().parameters.emplace(lower(word), std::move(value));
    }
  }

  /// "Negotiate YWJj=": one word after the scheme that is no parameter.
  void skip_credentials() {
    const auto before = m_rest;
    skip(is_blank);
    take_while([](char c) { return is_token_character(c) || c == '/'; });
    const bool padded = m_rest.starts_with('=');
    take_while([](char c) { return c == '='; });
    skip(is_blank);
    if (!padded || (!m_rest.empty() && !m_rest.starts_with(','))) {
      m_rest = before;
    }
  }

  std::string take_quoted() {
    std::string value;
    m_rest.remove_prefix(1);
    while (!m_rest.empty() && m_rest.front() != '"') {
      if (m_rest.front() == '\\' && m_rest.size() > 1) {
        m_rest.remove_prefix(1);
      }
      value += m_rest.front();
      m_rest.remove_prefix(1);
    }
    m_rest.remove_prefix(m_rest.empty() ? 0 : 1);
    return value;
  }

  template <class Predicate>
  std::string_view take_while(Predicate predicate) {
    const auto end = static_cast<std::size_t>(std::ranges::find_if_not(m_rest, predicate) - m_rest.begin());
    const auto taken = m_rest.substr(0, end);
    m_rest.remove_prefix(end);
    return taken;
  }

  template <class Predicate>
  void skip(Predicate predicate) {
    take_while(predicate);
  }

  std::string_view m_rest;
  std::vector<Challenge> m_challenges;
};

} // namespace

std::string Challenge::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) { return Parser(header).parse(); }

} // namespace sheaf::registry
