// SPDX-License-Identifier: Apache-2.0
#pragma once

// One compiled pattern with wildcards. Matching steps through all states at once, so its cost is the length of the
// pattern times that of the path, whatever the pattern.

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::context {

enum class DoubleStar {
  is_star, ///< Go's filepath.Match
  crosses, ///< "**" stands for any number of folders: moby/patternmatcher
};

class Glob {
public:
  /// `invalid` for an open bracket, an empty class and a '\' at the end.
  static Result<Glob> compile(std::string_view pattern, DoubleStar double_star);

  bool matches(std::string_view path) const;
  /// Does it match `path` or a folder that `path` is in?
  bool matches_with_parents(std::string_view path) const;
  /// May it match something below the folder `path` (empty: the top)?
  bool may_match_below(std::string_view path) const;

private:
  enum class Kind : std::uint8_t {
    exact,   ///< only m_literal
    prefix,  ///< "literal**"
    suffix,  ///< "**literal": the end of a path, as moby/patternmatcher has it
    general, ///< m_tokens
  };
  enum class Op : std::uint8_t {
    rune,        ///< this one
    any,         ///< one, not '/'
    star,        ///< any number, not '/'
    folders,     ///< start of "**" in the middle: nothing, or what `folder_loop` takes
    folder_loop, ///< anything up to and with a '/'
    rest,        ///< anything
    one_of,      ///< a class
  };
  struct Token {
    Op op = Op::rune;
    char32_t rune = 0;
    bool negated = false;
    std::vector<std::pair<char32_t, char32_t>> ranges;
  };
  using States = std::vector<std::uint8_t>;
  struct Compiler;

  static bool accepts(const Token& token, char32_t rune);
  void add_state(States& states, std::size_t state) const;
  void step(const States& from, States& to, char32_t rune) const;

  Kind m_kind = Kind::exact;
  std::string m_literal;
  std::vector<Token> m_tokens;
};

} // namespace sheaf::context
