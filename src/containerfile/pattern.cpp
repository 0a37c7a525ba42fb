// SPDX-License-Identifier: Apache-2.0
#include "containerfile/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace sheaf::containerfile {
namespace {

using Characters = std::vector<std::string_view>;

/// UTF-8 characters; a byte that belongs to none is one of its own.
Characters characters_of(std::string_view text) {
  Characters characters;
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t wanted = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : lead >= 0xC0U ? 2 : 1;
    std::size_t size = 1;
    while (size < std::min(wanted, text.size()) && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
      ++size;
    }
    characters.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return characters;
}

std::string concatenate(Characters::const_iterator begin, Characters::const_iterator end) {
  std::string text;
  for (; begin != end; ++begin) {
    text += *begin;
  }
  return text;
}

/// How many of the characters [begin, end) the tokens match from the start; nothing if they do not match. All ends are
/// followed at once, so that no pattern takes exponential time.
template <class Tokens, class Iterator>
std::optional<std::size_t> match(const Tokens& tokens, Iterator begin, Iterator end, Pattern::Length length) {
  const auto size = static_cast<std::size_t>(std::distance(begin, end));
  std::vector<bool> ends(size + 1, false);
  ends[0] = true;
  for (const auto& token : tokens) {
    using Kind = typename std::decay_t<decltype(token)>::Kind;
    if (token.kind == Kind::any_text) {
      std::fill(std::find(ends.begin(), ends.end(), true), ends.end(), true);
      continue;
    }
    for (auto at = size; at > 0; --at) {
      const auto& character = *std::next(begin, static_cast<std::ptrdiff_t>(at - 1));
      ends[at] = ends[at - 1] && (token.kind == Kind::any_character || token.literal == character);
    }
    ends[0] = false;
  }
  if (length == Pattern::Length::shortest) {
    const auto found = std::find(ends.begin(), ends.end(), true);
    return found != ends.end() ? std::optional(static_cast<std::size_t>(found - ends.begin())) : std::nullopt;
  }
  const auto found = std::find(ends.rbegin(), ends.rend(), true);
  return found != ends.rend() ? std::optional(static_cast<std::size_t>(ends.rend() - found) - 1) : std::nullopt;
}

} // namespace

Result<Pattern> Pattern::parse(std::string_view text, char escape) {
  Pattern pattern;
  const auto characters = characters_of(text);
  for (std::size_t i = 0; i < characters.size(); ++i) {
    auto character = characters[i];
    if (character == "*") {
      pattern.m_tokens.push_back({Token::Kind::any_text, {}});
      continue;
    }
    if (character == "?") {
      pattern.m_tokens.push_back({Token::Kind::any_character, {}});
      continue;
    }
    if (character.front() == escape) {
      character = i + 1 < characters.size() ? characters[++i] : std::string_view();
      const bool special =
          character.size() == 1 &&
          (character.front() == escape || std::string_view("*?}/").find(character.front()) != std::string_view::npos);
      if (!special) {
        return Error(ErrorCode::invalid,
                     fmt::format("'{}{}' is no escape in the pattern '{}'", escape, character, text));
      }
    }
    pattern.m_tokens.push_back({Token::Kind::literal, std::string(character)});
  }
  return pattern;
}

std::string Pattern::without_prefix(std::string_view value, Length length) const {
  const auto characters = characters_of(value);
  const auto matched = match(m_tokens, characters.begin(), characters.end(), length);
  return concatenate(std::next(characters.begin(), static_cast<std::ptrdiff_t>(matched.value_or(0))), characters.end());
}

std::string Pattern::without_suffix(std::string_view value, Length length) const {
  const auto characters = characters_of(value);
  const std::vector<Token> reversed(m_tokens.rbegin(), m_tokens.rend());
  const auto matched = match(reversed, characters.rbegin(), characters.rend(), length);
  return concatenate(characters.begin(), std::prev(characters.end(), static_cast<std::ptrdiff_t>(matched.value_or(0))));
}

std::string Pattern::replace(std::string_view value, std::string_view replacement, Count count) const {
  const auto characters = characters_of(value);
  std::string result;
  auto at = characters.begin();
  for (bool after_match = false;;) {
    const auto matched = match(m_tokens, at, characters.end(), Length::longest);
    // Nothing is replaced between a match and what follows it, as regular expressions have it.
    const bool replaces = matched && (*matched > 0 || !after_match);
    if (replaces) {
      result += replacement;
      std::advance(at, static_cast<std::ptrdiff_t>(*matched));
      if (count == Count::first) {
        return result + concatenate(at, characters.end());
      }
    }
    after_match = replaces && *matched > 0;
    if (after_match) {
      continue;
    }
    if (at == characters.end()) {
      return result;
    }
    result += *at++;
  }
}

} // namespace sheaf::containerfile
