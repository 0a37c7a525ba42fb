// SPDX-License-Identifier: Apache-2.0
#include "context/glob.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::context {
namespace {

struct Rune {
  char32_t value = 0;
  std::size_t length = 1;
};

/// Bytes that are no UTF-8 count as one rune each, beyond all that Unicode has, so that they differ from each other.
Rune stray(unsigned char byte) { return {0x110000U + byte, 1}; }

Rune rune_at(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) {
    return {first, 1};
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) {
    return stray(first);
  }
  char32_t value = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0U) != 0x80U) {
      return stray(first);
    }
    value = (value << 6U) | (next & 0x3FU);
  }
  return {value, length};
}

} // namespace

/// Reads the pattern from left to right.
struct Glob::Compiler {
  std::string_view pattern;
  DoubleStar double_star;
  Glob glob;
  std::size_t at = 0;
  std::string literal;
  bool has_wildcard = false;
  bool leading = false;
  bool trailing = false;

  Error malformed(std::string_view what) const {
    return {ErrorCode::invalid, fmt::format("'{}' is not a pattern: {}", pattern, what)};
  }

  void stars() {
    ++at;
    if (double_star == DoubleStar::is_star || at >= pattern.size() || pattern[at] != '*') {
      glob.m_tokens.push_back({Op::star, 0, false, {}});
      has_wildcard = true;
      return;
    }
    const bool is_first = at == 1;
    ++at;
    if (at < pattern.size() && pattern[at] == '/') {
      ++at;
    }
    if (at >= pattern.size()) {
      trailing = true;
      glob.m_tokens.push_back({Op::rest, 0, false, {}});
      return;
    }
    leading = leading || is_first;
    has_wildcard = has_wildcard || !is_first;
    glob.m_tokens.push_back({Op::folders, 0, false, {}});
    glob.m_tokens.push_back({Op::folder_loop, 0, false, {}});
  }

  /// One end of a range in a class.
  Result<char32_t> class_rune() {
    if (at >= pattern.size() || pattern[at] == '-' || pattern[at] == ']') {
      return malformed("a class in brackets lacks a character");
    }
    if (pattern[at] == '\\' && ++at >= pattern.size()) {
      return malformed("there is nothing after the last '\\'");
    }
    const auto rune = rune_at(pattern, at);
    at += rune.length;
    return rune.value;
  }

  Result<void> one_of() {
    Token token{Op::one_of, 0, false, {}};
    ++at;
    if (at < pattern.size() && pattern[at] == '^') {
      token.negated = true;
      ++at;
    }
    while (at >= pattern.size() || pattern[at] != ']' || token.ranges.empty()) {
      if (at >= pattern.size()) {
        return malformed("'[' without ']'");
      }
      SHEAF_TRY_ASSIGN(const char32_t low, class_rune());
      char32_t high = low;
      if (at < pattern.size() && pattern[at] == '-') {
        ++at;
        SHEAF_TRY_ASSIGN(high, class_rune());
      }
      token.ranges.emplace_back(low, high);
    }
    ++at;
    has_wildcard = true;
    glob.m_tokens.push_back(std::move(token));
    return {};
  }

  Result<void> next() {
    switch (pattern[at]) {
    case '*':
      stars();
      return {};
    case '?':
      ++at;
      has_wildcard = true;
      glob.m_tokens.push_back({Op::any, 0, false, {}});
      return {};
    case '[':
      return one_of();
    case '\\':
      if (++at >= pattern.size()) {
        return malformed("there is nothing after the last '\\'");
      }
      break;
    default:
      break;
    }
    const auto rune = rune_at(pattern, at);
    literal.append(pattern.substr(at, rune.length));
    at += rune.length;
    glob.m_tokens.push_back({Op::rune, rune.value, false, {}});
    return {};
  }

  Result<Glob> run() {
    while (at < pattern.size()) {
      SHEAF_TRY(next());
    }
    const bool is_all = trailing && glob.m_tokens.size() == 1;
    if (!has_wildcard && (is_all || !leading || !trailing)) {
      glob.m_kind = trailing ? Kind::prefix : leading ? Kind::suffix : Kind::exact;
      // "**/x": the slash is a part of what a longer path ends with.
      const bool with_slash = glob.m_kind == Kind::suffix && pattern.starts_with("**/");
      glob.m_literal = (with_slash ? "/" : "") + literal;
      return std::move(glob);
    }
    glob.m_kind = Kind::general;
    return std::move(glob);
  }
};

Result<Glob> Glob::compile(std::string_view pattern, DoubleStar double_star) {
  Compiler compiler{pattern, double_star, {}, 0, {}, false, false, false};
  return compiler.run();
}

bool Glob::accepts(const Token& token, char32_t rune) {
  switch (token.op) {
  case Op::rune:
    return token.rune == rune;
  case Op::any:
    return rune != U'/';
  case Op::one_of:
    return token.negated != std::any_of(token.ranges.begin(), token.ranges.end(), [rune](const auto& range) {
             return range.first <= rune && rune <= range.second;
           });
  default:
    return false;
  }
}

/// Enters `state` and all that is reached from it without taking a character.
void Glob::add_state(States& states, std::size_t state) const {
  while (states[state] == 0) {
    states[state] = 1;
    if (state == m_tokens.size()) {
      return;
    }
    const auto op = m_tokens[state].op;
    if (op == Op::folders) {
      states[state + 1] = 1;
      state += 2;
    } else if (op == Op::star || op == Op::rest) {
      ++state;
    } else {
      return;
    }
  }
}

void Glob::step(const States& from, States& to, char32_t rune) const {
  std::fill(to.begin(), to.end(), std::uint8_t{0});
  for (std::size_t i = 0; i < m_tokens.size(); ++i) {
    if (from[i] == 0) {
      continue;
    }
    const auto& token = m_tokens[i];
    if (token.op == Op::rest || (token.op == Op::star && rune != U'/')) {
      add_state(to, i);
    } else if (token.op == Op::folder_loop) {
      to[i] = 1;
      if (rune == U'/') {
        add_state(to, i + 1);
      }
    } else if (accepts(token, rune)) {
      add_state(to, i + 1);
    }
  }
}

bool Glob::matches(std::string_view path) const {
  switch (m_kind) {
  case Kind::exact:
    return path == m_literal;
  case Kind::prefix:
    return path.starts_with(m_literal);
  case Kind::suffix:
    return path.ends_with(m_literal) || (m_literal.starts_with('/') && path == std::string_view(m_literal).substr(1));
  case Kind::general:
    break;
  }
  States now(m_tokens.size() + 1, 0);
  States next(now.size(), 0);
  add_state(now, 0);
  for (std::size_t at = 0; at < path.size();) {
    const auto rune = rune_at(path, at);
    step(now, next, rune.value);
    now.swap(next);
    at += rune.length;
  }
  return now.back() != 0;
}

bool Glob::matches_with_parents(std::string_view path) const {
  if (m_kind == Kind::exact) {
    return path.starts_with(m_literal) && (path.size() == m_literal.size() || path[m_literal.size()] == '/');
  }
  if (m_kind == Kind::prefix) {
    return path.starts_with(m_literal);
  }
  if (m_kind == Kind::suffix) {
    for (auto end = path.find('/'); end != std::string_view::npos; end = path.find('/', end + 1)) {
      if (matches(path.substr(0, end))) {
        return true;
      }
    }
    return matches(path);
  }
  States now(m_tokens.size() + 1, 0);
  States next(now.size(), 0);
  add_state(now, 0);
  for (std::size_t at = 0; at < path.size();) {
    const auto rune = rune_at(path, at);
    if (rune.value == U'/' && now.back() != 0) {
      return true;
    }
    step(now, next, rune.value);
    now.swap(next);
    at += rune.length;
  }
  return now.back() != 0;
}

bool Glob::may_match_below(std::string_view path) const {
  if (path.empty() || m_kind == Kind::suffix) {
    return true;
  }
  if (m_kind != Kind::general) {
    const auto common = std::min(path.size(), m_literal.size());
    if (path.substr(0, common) != std::string_view(m_literal).substr(0, common)) {
      return false;
    }
    return m_literal.size() > path.size() ? m_literal[path.size()] == '/' : m_kind == Kind::prefix;
  }
  States now(m_tokens.size() + 1, 0);
  States next(now.size(), 0);
  add_state(now, 0);
  for (std::size_t at = 0; at <= path.size();) {
    const auto rune = at < path.size() ? rune_at(path, at) : Rune{U'/', 1};
    step(now, next, rune.value);
    now.swap(next);
    at += rune.length;
  }
  return std::find(now.begin(), now.end(), 1) != now.end();
}

} // namespace sheaf::context
