// SPDX-License-Identifier: Apache-2.0
#pragma once

// The patterns of `${x#p}`, `${x%p}` and `${x/p/r}`: '*' is any text, '?' is any one character (UTF-8), there are no
// brackets. Matching takes time proportional to pattern times text.

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::containerfile {

class Pattern {
public:
  enum class Length { shortest, longest };
  enum class Count { first, all };

  /// `invalid` if `escape` stands before a character that is not special.
  static Result<Pattern> parse(std::string_view text, char escape);

  /// `value` without what the pattern matches at its start; untouched if it does not match.
  std::string without_prefix(std::string_view value, Length length) const;
  std::string without_suffix(std::string_view value, Length length) const;
  /// The longest matches, from the left, replaced by `replacement`, which is plain text.
  std::string replace(std::string_view value, std::string_view replacement, Count count) const;

private:
  struct Token {
    enum class Kind { any_text, any_character, literal } kind;
    std::string literal;
  };
  std::vector<Token> m_tokens;
};

} // namespace sheaf::containerfile
