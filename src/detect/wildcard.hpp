// SPDX-License-Identifier: Apache-2.0
#pragma once

// A compiled wildcard of an ignore file, as git matches it: bytes, '*', '?', '[…]', '\' and, in paths, "**". Used by
// `IgnoreFile` only. Matching goes through all states at once, so its cost is the length of the pattern times that of
// the text, whatever the pattern.

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sheaf::detect {

class Wildcard {
public:
  enum class Text {
    name, ///< one part of a path: '*' and '?' take any byte
    path, ///< '*', '?' and '[…]' do not take '/', "**" between slashes or at an end does
  };

  /// A pattern that is no proper one (an open bracket, an unknown class, a '\' at the end) matches nothing.
  static Wildcard compile(std::string_view pattern, Text text);

  bool matches(std::string_view text) const;

private:
  enum class Op : std::uint8_t {
    one_of,  ///< a byte of `bytes`
    many,    ///< any number of bytes of `bytes`
    folders, ///< nothing, or what the next two tokens match
    never,
  };
  using Bytes = std::bitset<256>;
  struct Token {
    Op op = Op::never;
    Bytes bytes;
  };
  struct Compiler;

  void enter(std::vector<bool>& states, std::size_t state) const;

  std::vector<Token> m_tokens;
};

} // namespace sheaf::detect
