// SPDX-License-Identifier: Apache-2.0
#include "detect/version_range.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace sheaf::detect {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Java's distributors, which version managers put before the version.
constexpr std::array<std::string_view, 14> k_vendors = {
    "adoptopenjdk", "corretto",  "dragonwell", "jetbrains", "kona",   "liberica",   "microsoft",
    "openjdk",      "openjdk64", "oracle",     "oracle64",  "semeru", "sapmachine", "temurin"};

/// Without "temurin-" or "adoptopenjdk-jre-".
std::string_view without_vendor(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = text.substr(0, dash);
  if (dash == std::string_view::npos ||
      (first != "zulu" && std::find(k_vendors.begin(), k_vendors.end(), first) == k_vendors.end())) {
    return text;
  }
  for (auto at = dash; at != std::string_view::npos && at + 1 < text.size(); at = text.find('-', at + 1)) {
    if (is_digit(text[at + 1])) {
      return text.substr(at + 1);
    }
  }
  return text;
}

std::string_view without_prefix(std::string_view text) {
  text = without_vendor(text);
  for (const std::string_view prefix : {"go", "v", "V"}) {
    if (text.starts_with(prefix) && text.size() > prefix.size() && is_digit(text[prefix.size()])) {
      return text.substr(prefix.size());
    }
  }
  return text;
}

/// A version as written, taken apart.
struct Parts {
  VersionNumbers numbers;
  /// It ends with ".x" or ".*".
  bool is_open = false;
  /// "rc1", "-beta.2", "+10"; what is behind the numbers.
  std::string_view suffix;
};

bool is_wild(std::string_view part) { return part == "x" || part == "X" || part == "*"; }

bool is_suffix(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) || c == '.' || c == '-' || c == '+' || c == '_';
  });
}

/// Nothing if `text` does not start with a number, or with "x" or "*" alone.
std::optional<Parts> take_apart(std::string_view text) {
  text = without_prefix(text);
  Parts parts;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto word = text.substr(0, std::min(text.find_first_of(".-+"), text.size()));
    if (is_wild(word)) {
      parts.is_open = true;
      const auto rest = split(text, '.');
      return std::all_of(rest.begin(), rest.end(), is_wild) ? std::optional(parts) : std::nullopt;
    }
    const auto number = to_number<std::uint32_t>(text.substr(0, end));
    if (!number) {
      break;
    }
    parts.numbers.push_back(*number);
    text.remove_prefix(end);
    if (text.size() < 2 || text[0] != '.' || (!is_digit(text[1]) && !is_wild(text.substr(1, 1)))) {
      break;
    }
    text.remove_prefix(1);
  }
  parts.suffix = text;
  const bool is_version = !parts.numbers.empty() && is_suffix(text) && (text.empty() || text[0] != '_');
  return is_version ? std::optional(parts) : std::nullopt;
}

/// Is it a mark of a version before the release, as npm, Python, Go and Cargo write it?
bool is_prerelease(std::string_view suffix) {
  suffix.remove_prefix(suffix.starts_with('-') || suffix.starts_with('.') ? 1 : 0);
  const auto word = suffix.substr(0, std::min(suffix.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), suffix.size()));
  constexpr std::array<std::string_view, 8> k_marks = {"a", "alpha", "b", "beta", "c", "rc", "pre", "dev"};
  return std::find(k_marks.begin(), k_marks.end(), word) != k_marks.end() && suffix.find('+') == std::string_view::npos;
}

/// Below, equal to or above, as far as both are known.
int compare(const VersionNumbers& a, const VersionNumbers& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] != b[i]) {
      return a[i] < b[i] ? -1 : 1;
    }
  }
  return 0;
}

/// The first version behind all that start with the first `size` numbers.
VersionNumbers behind(VersionNumbers version, std::size_t size) {
  version.resize(std::min(size, version.size()));
  ++version.back();
  return version;
}

/// Of "^1.2.3": the number whose change is a break is the first that is not 0.
std::size_t significant_size(const VersionNumbers& version) {
  const auto first = std::find_if(version.begin(), version.end(), [](auto number) { return number != 0; });
  return std::min(static_cast<std::size_t>(first - version.begin()) + 1, version.size());
}

} // namespace

class VersionRange::Parser {
public:
  /// One of the alternatives.
  static std::optional<All> parse(std::string_view text) {
    Parser parser;
    if (const auto dash = text.find(" - "); dash != std::string_view::npos) {
      const bool is_range =
          parser.add(">=", trim(text.substr(0, dash))) && parser.add("<=", trim(text.substr(dash + 3)));
      return is_range ? std::optional(parser.m_all) : std::nullopt;
    }
    while (!(text = trim(text)).empty()) {
      const auto op = text.substr(0, std::min(text.find_first_not_of("<>=!~^"), text.size()));
      text = trim(text.substr(op.size()));
      const auto word = text.substr(0, std::min(text.find_first_of(" \t,<>=!~^"), text.size()));
      if (!parser.add(op, word)) {
        return std::nullopt;
      }
      text = trim(text.substr(word.size()));
      text.remove_prefix(text.starts_with(',') ? 1 : 0);
    }
    return parser.m_all;
  }

private:
  bool add(std::string_view op, std::string_view word) {
    const auto parts = take_apart(word);
    if (!parts) {
      return false;
    }
    const auto& numbers = parts->numbers;
    if (numbers.empty()) { // "*": everything, whatever stands before it but "!=" and the like
      return op.empty() || op == "=" || op == "==" || op == ">=" || op == "^" || op == "~";
    }
    return add_simple(op, numbers, parts->is_open) || add_pair(op, numbers);
  }

  bool add_simple(std::string_view op, const VersionNumbers& numbers, bool is_open) {
    if (op.empty() || op == "=" || op == "==" || op == "===") {
      m_all.push_back({Op::starts_with, numbers});
    } else if (op == "!=") {
      m_all.push_back({is_open ? Op::starts_not_with : Op::is_not, numbers});
    } else if (op == ">=") {
      m_all.push_back({Op::at_least, numbers});
    } else if (op == ">") {
      m_all.push_back({Op::above, numbers});
    } else if (op == "<=") {
      m_all.push_back({Op::at_most, numbers});
    } else if (op == "<") {
      m_all.push_back({Op::below, numbers});
    } else {
      return false;
    }
    return true;
  }

  /// Those that stand for a lower and an upper end.
  bool add_pair(std::string_view op, const VersionNumbers& numbers) {
    const auto size = numbers.size();
    if (op == "^") {
      m_all.push_back({Op::below, behind(numbers, significant_size(numbers))});
    } else if (op == "~") {
      m_all.push_back({Op::below, behind(numbers, 2)});
    } else if (op == "~=" && size > 1) {
      m_all.push_back({Op::below, behind(numbers, size - 1)});
    } else {
      return false;
    }
    m_all.push_back({Op::at_least, numbers});
    return true;
  }

  All m_all;
};

std::optional<VersionRange> VersionRange::parse(std::string_view text) {
  VersionRange range;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find("||", at), text.size());
    auto all = Parser::parse(text.substr(at, end - at));
    if (!all) {
      return std::nullopt;
    }
    range.m_alternatives.push_back(std::move(*all));
    at = end + 2;
  }
  return range;
}

bool VersionRange::holds(const Test& test, const VersionNumbers& version) {
  const auto order = compare(version, test.version);
  // Of equal beginnings: is the end of the one we ask for still open?
  const bool is_vague = version.size() < test.version.size();
  switch (test.op) {
  case Op::at_least:
    return order >= 0;
  case Op::above:
    return order > 0 || (order == 0 && is_vague);
  case Op::at_most:
    return order <= 0;
  case Op::below: {
    auto limit = test.version;
    while (limit.size() > 1 && limit.back() == 0) { // nothing that starts with 4 is below 4.0
      limit.pop_back();
    }
    return compare(version, limit) < 0 || (compare(version, limit) == 0 && version.size() < limit.size());
  }
  case Op::starts_with:
    return order == 0;
  case Op::is_not:
    return order != 0 || version.size() != test.version.size();
  case Op::starts_not_with:
    return order != 0 || is_vague;
  }
  return false;
}

bool VersionRange::allows(const VersionNumbers& version) const {
  return std::any_of(m_alternatives.begin(), m_alternatives.end(), [&](const All& all) {
    return std::all_of(all.begin(), all.end(), [&](const Test& test) { return holds(test, version); });
  });
}

bool VersionRange::allows(std::string_view version) const {
  const auto parts = take_apart(version);
  return parts && !parts->numbers.empty() && allows(parts->numbers);
}

VersionNumbers VersionRange::least() const {
  VersionNumbers least;
  for (const auto& test : m_alternatives.front()) {
    const bool is_lower_end = test.op == Op::at_least || test.op == Op::above || test.op == Op::starts_with;
    if (is_lower_end && (least.empty() || compare(test.version, least) > 0)) {
      least = test.version;
    }
  }
  return least;
}

std::optional<std::string> plain_version(std::string_view text) {
  text = trim(text);
  const auto parts = take_apart(text);
  if (!parts || parts->is_open || parts->numbers.empty()) {
    return std::nullopt;
  }
  return to_string(parts->numbers) + std::string(is_prerelease(parts->suffix) ? parts->suffix : std::string_view());
}

std::string to_string(const VersionNumbers& version) { return fmt::format("{}", fmt::join(version, ".")); }

bool disagree(std::string_view first, std::string_view second) {
  const auto a = VersionRange::parse(first);
  const auto b = VersionRange::parse(second);
  const auto lacks = [](const VersionRange& range, const VersionNumbers& version) {
    return !range.allows(version.empty() ? VersionNumbers{0} : version);
  };
  return a && b && lacks(*a, b->least()) && lacks(*b, a->least());
}

} // namespace sheaf::detect
