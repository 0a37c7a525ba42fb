// SPDX-License-Identifier: Apache-2.0
#include "detect/wildcard.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace sheaf::detect {
namespace {

using Predicate = int (*)(int);
constexpr std::array<std::pair<std::string_view, Predicate>, 12> k_classes = {{{"alnum", std::isalnum},
                                                                               {"alpha", std::isalpha},
                                                                               {"blank", std::isblank},
                                                                               {"cntrl", std::iscntrl},
                                                                               {"digit", std::isdigit},
                                                                               {"graph", std::isgraph},
                                                                               {"lower", std::islower},
                                                                               {"print", std::isprint},
                                                                               {"punct", std::ispunct},
                                                                               {"space", std::isspace},
                                                                               {"upper", std::isupper},
                                                                               {"xdigit", std::isxdigit}}};

std::size_t byte_of(char c) { return static_cast<unsigned char>(c); }

} // namespace

/// Reads a pattern from its start to its end, once.
struct Wildcard::Compiler {
  std::string_view pattern;
  Text text;
  std::size_t at = 0;
  std::vector<Token> tokens;

  void run() {
    while (at < pattern.size()) {
      const char c = pattern[at++];
      if (c == '*') {
        add_stars();
      } else if (c == '?') {
        tokens.push_back({Op::one_of, wild_bytes()});
      } else if (c == '[') {
        const auto bytes = read_set();
        tokens.push_back(bytes ? Token{Op::one_of, *bytes} : Token{});
      } else if (c != '\\') {
        add_byte(c);
      } else if (at < pattern.size()) {
        add_byte(pattern[at++]);
      } else {
        tokens.emplace_back();
      }
    }
  }

private:
  /// What a wildcard takes that is not to cross a folder.
  Bytes wild_bytes() const {
    auto bytes = ~Bytes();
    bytes.set(byte_of('/'), text == Text::name);
    return bytes;
  }

  void add_byte(char c) {
    Token token{Op::one_of, {}};
    token.bytes.set(byte_of(c));
    tokens.push_back(token);
  }

  /// One star was read; further ones follow or do not.
  void add_stars() {
    const bool starts_part = at == 1 || pattern[at - 2] == '/';
    const auto first = at;
    while (at < pattern.size() && pattern[at] == '*') {
      ++at;
    }
    const auto rest = pattern.substr(at);
    const bool ends_part = rest.empty() || rest.starts_with('/') || rest.starts_with("\\/");
    const bool crosses = at > first && starts_part && ends_part && text == Text::path;
    if (crosses && rest.starts_with('/')) {
      tokens.push_back({Op::folders, {}});
    }
    tokens.push_back({Op::many, crosses ? ~Bytes() : wild_bytes()});
  }

  /// "[:name:]" at `at`, behind its '['. False if it is none but an ordinary '['; nothing if the name is unknown or
  /// the bracket stays open.
  std::optional<bool> read_class(Bytes& bytes) {
    const auto end = pattern.find(']', at + 1);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    if (end < at + 2 || pattern[end - 1] != ':') {
      return false;
    }
    const auto name = pattern.substr(at + 1, end - at - 2);
    const auto* known =
        std::find_if(k_classes.begin(), k_classes.end(), [name](const auto& entry) { return entry.first == name; });
    if (known == k_classes.end()) {
      return std::nullopt;
    }
    for (int byte = 0; byte < 128; ++byte) {
      if (known->second(byte) != 0) {
        bytes.set(static_cast<std::size_t>(byte));
      }
    }
    at = end + 1;
    return true;
  }

  /// A byte of a set, which a '\' may stand before; nothing at the end of the pattern.
  std::optional<char> read_member() {
    if (at < pattern.size() && pattern[at] == '\\') {
      ++at;
    }
    return at < pattern.size() ? std::optional(pattern[at++]) : std::nullopt;
  }

  bool is_range() const { return at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']'; }

  /// What can be the lower end of a range, if anything, after a part of a set was read.
  using Low = std::optional<char>;

  /// "-x" behind `low`. False at the end of the pattern.
  bool read_range(Bytes& bytes, char low) {
    ++at;
    const auto high = read_member();
    if (high) {
      for (auto byte = byte_of(low); byte <= byte_of(*high); ++byte) {
        bytes.set(byte);
      }
    }
    return high.has_value();
  }

  /// One byte, range or class of a set; `low` is what came before it and becomes what it leaves. False if it is none.
  bool read_part(Bytes& bytes, Low& low) {
    if (low && is_range()) {
      const auto from = *std::exchange(low, std::nullopt);
      return read_range(bytes, from);
    }
    if (pattern.substr(at).starts_with("[:")) {
      ++at;
      const auto is_class = read_class(bytes);
      if (is_class && *is_class) {
        low = std::nullopt;
        return true;
      }
      low = is_class ? Low('[') : std::nullopt;
    } else {
      low = read_member();
    }
    if (low) {
      bytes.set(byte_of(*low));
    }
    return low.has_value();
  }

  /// What stands behind a '['; nothing if it is no proper set.
  std::optional<Bytes> read_set() {
    const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
    at += negated ? 1 : 0;
    Bytes bytes;
    Low low;
    bool is_first = true; // a ']' there is a byte like any other
    while (is_first || (at < pattern.size() && pattern[at] != ']')) {
      if (!read_part(bytes, low)) {
        return std::nullopt;
      }
      is_first = false;
    }
    if (at >= pattern.size()) {
      return std::nullopt;
    }
    ++at;
    bytes = negated ? ~bytes : bytes;
    bytes.set(byte_of('/'), bytes.test(byte_of('/')) && text == Text::name);
    return bytes;
  }
};

Wildcard Wildcard::compile(std::string_view pattern, Text text) {
  Compiler compiler{pattern, text, 0, {}};
  compiler.run();
  Wildcard wildcard;
  wildcard.m_tokens = std::move(compiler.tokens);
  return wildcard;
}

/// Adds `state` and those that are reached from it without a byte. A state that is there has been entered before.
void Wildcard::enter(std::vector<bool>& states, std::size_t state) const {
  while (!states[state]) {
    states[state] = true;
    if (state == m_tokens.size()) {
      return;
    }
    const auto op = m_tokens[state].op;
    if (op == Op::folders) {
      enter(states, state + 3);
    } else if (op != Op::many) {
      return;
    }
    ++state;
  }
}

bool Wildcard::matches(std::string_view text) const {
  std::vector<bool> states(m_tokens.size() + 1);
  std::vector<bool> next(states.size());
  enter(states, 0);
  for (const char c : text) {
    std::fill(next.begin(), next.end(), false);
    bool is_alive = false;
    for (std::size_t state = 0; state < m_tokens.size(); ++state) {
      const auto& token = m_tokens[state];
      if (states[state] && token.op != Op::folders && token.op != Op::never && token.bytes.test(byte_of(c))) {
        enter(next, token.op == Op::many ? state : state + 1);
        is_alive = true;
      }
    }
    if (!is_alive) {
      return false;
    }
    states.swap(next);
  }
  return states.back();
}

} // namespace sheaf::detect
