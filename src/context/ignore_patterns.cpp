// SPDX-License-Identifier: Apache-2.0
#include "context/ignore_patterns.hpp"

#include <algorithm>

namespace sheaf::context {
namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

/// Blanks as Go's strings.TrimSpace knows them in ASCII.
std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view k_blanks = " \t\r\n\v\f";
  const auto begin = text.find_first_not_of(k_blanks);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(k_blanks) - begin + 1);
}

/// As Go's filepath.Clean, then without a leading slash: "./a//b/" is "a/b", "" and "/" are ".".
std::string clean(std::string_view path) {
  std::vector<std::string_view> parts;
  const bool absolute = path.starts_with('/');
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, end - at);
    at = end + 1;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!part.empty() && part != "." && (part != ".." || !absolute)) {
      parts.push_back(part);
    }
  }
  std::string result;
  for (const auto& part : parts) {
    result.append(result.empty() ? "" : "/").append(part);
  }
  return result.empty() ? "." : result;
}

} // namespace

Result<void> IgnorePatterns::add(std::string_view text) {
  text = without_blanks(text);
  if (text.empty()) {
    return {};
  }
  const bool negated = text.starts_with('!');
  if (negated) {
    text = without_blanks(text.substr(1));
    if (text.empty()) {
      return Error(ErrorCode::invalid, "'!' alone excepts nothing")
          .with_hint("write the pattern of what is to be kept right after it: '!keep.txt'");
    }
  }
  SHEAF_TRY_ASSIGN(auto glob, Glob::compile(clean(text), DoubleStar::crosses));
  m_patterns.push_back({std::move(glob), negated});
  return {};
}

IgnorePatterns IgnorePatterns::parse(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics) {
  IgnorePatterns patterns;
  const auto text = source->text();
  std::size_t at = text.starts_with(k_byte_order_mark) ? k_byte_order_mark.size() : 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    if (!line.starts_with('#')) {
      if (const auto added = patterns.add(line); !added) {
        const auto shown = without_blanks(line);
        const auto begin = static_cast<std::size_t>(shown.data() - text.data());
        diagnostics.error(source, {begin, begin + shown.size()}, "ignore-pattern", added.error().message(),
                          added.error().hint());
      }
    }
    at = end + 1;
  }
  return patterns;
}

Result<IgnorePatterns> IgnorePatterns::from_list(const std::vector<std::string>& patterns) {
  IgnorePatterns result;
  for (const auto& pattern : patterns) {
    SHEAF_TRY(result.add(pattern));
  }
  return result;
}

bool IgnorePatterns::excludes(std::string_view path) const {
  bool excluded = false;
  for (const auto& pattern : m_patterns) {
    // One that could change nothing need not be asked.
    if (pattern.negated == excluded && pattern.glob.matches_with_parents(path)) {
      excluded = !pattern.negated;
    }
  }
  return excluded;
}

bool IgnorePatterns::may_except_below(std::string_view path) const {
  return std::any_of(m_patterns.begin(), m_patterns.end(),
                     [path](const Pattern& pattern) { return pattern.negated && pattern.glob.may_match_below(path); });
}

Result<bool> matches_wildcard(std::string_view pattern, std::string_view name) {
  SHEAF_TRY_ASSIGN(const auto glob, Glob::compile(pattern, DoubleStar::is_star));
  return glob.matches(name);
}

bool has_wildcard(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[') {
      return true;
    }
  }
  return false;
}

} // namespace sheaf::context
