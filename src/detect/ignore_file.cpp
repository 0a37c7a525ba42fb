// SPDX-License-Identifier: Apache-2.0
#include "detect/ignore_file.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace sheaf::detect {
namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view k_special = "*?[\\";

/// Without the spaces at its end, but for one that a '\' stands before. Other blanks stay.
std::string_view without_trailing_spaces(std::string_view line) {
  std::size_t end = 0; // behind the last character that counts
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\\') {
      if (++at == line.size()) {
        return line; // git leaves such a line alone
      }
      end = at + 1;
    } else if (line[at] != ' ') {
      end = at + 1;
    }
  }
  return line.substr(0, end);
}

} // namespace

std::optional<IgnoreFile::Pattern> IgnoreFile::pattern_from(std::string_view line) {
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  if (line.empty() || line.starts_with('#')) {
    return std::nullopt;
  }
  line = without_trailing_spaces(line);
  Pattern pattern;
  pattern.is_negated = line.starts_with('!');
  line.remove_prefix(pattern.is_negated ? 1 : 0);
  pattern.is_for_directories = line.ends_with('/');
  line.remove_suffix(pattern.is_for_directories ? 1 : 0);
  if (line.empty()) {
    return std::nullopt;
  }
  const auto wild = line.find_first_of(k_special);
  if (line.find('/') == std::string_view::npos) {
    if (wild == std::string_view::npos) {
      pattern.literal = line;
    } else if (line[0] == '*' && line.find_first_of(k_special, 1) == std::string_view::npos) {
      pattern.form = Form::suffix;
      pattern.literal = line.substr(1);
    } else {
      pattern.form = Form::wild_name;
      pattern.wildcard = Wildcard::compile(line, Wildcard::Text::name);
    }
    return pattern;
  }
  // git compares what comes before the first wildcard by itself and matches the rest, so that "a**/b" is "a", then
  // "**/b" at the start of a pattern.
  pattern.form = wild == std::string_view::npos ? Form::path : Form::wild_path;
  const auto start = line.starts_with('/') ? std::size_t{1} : 0;
  pattern.literal = line.substr(start, std::min(wild, line.size()) - start);
  if (pattern.form == Form::wild_path) {
    pattern.wildcard = Wildcard::compile(line.substr(wild), Wildcard::Text::path);
  }
  return pattern;
}

IgnoreFile IgnoreFile::parse(std::string_view text) {
  if (text.starts_with(k_byte_order_mark)) {
    text.remove_prefix(k_byte_order_mark.size());
  }
  IgnoreFile file;
  for (const auto line : lines_of(text)) {
    if (auto pattern = pattern_from(line)) {
      file.m_patterns.push_back(std::move(*pattern));
    }
  }
  return file;
}

bool IgnoreFile::fits(const Pattern& pattern, std::string_view path, std::string_view name) {
  switch (pattern.form) {
  case Form::name:
    return name == pattern.literal;
  case Form::suffix:
    return name.ends_with(pattern.literal);
  case Form::path:
    return path == pattern.literal;
  case Form::wild_name:
    return pattern.wildcard->matches(name);
  case Form::wild_path:
    return path.starts_with(pattern.literal) && pattern.wildcard->matches(path.substr(pattern.literal.size()));
  }
  return false;
}

Verdict IgnoreFile::verdict(std::string_view path, EntryKind kind) const {
  const auto name = path.substr(path.rfind('/') + 1);
  const auto last = std::find_if(m_patterns.rbegin(), m_patterns.rend(), [&](const Pattern& pattern) {
    return (kind == EntryKind::directory || !pattern.is_for_directories) && fits(pattern, path, name);
  });
  if (last == m_patterns.rend()) {
    return Verdict::none;
  }
  return last->is_negated ? Verdict::included : Verdict::ignored;
}

void IgnoreFiles::push(std::string_view folder, IgnoreFile file) {
  m_levels.push_back({folder.size(), std::make_shared<const IgnoreFile>(std::move(file))});
}

bool IgnoreFiles::ignores(std::string_view path, EntryKind kind) const {
  auto verdict = Verdict::none;
  const bool is_told = std::any_of(m_levels.rbegin(), m_levels.rend(), [&](const Level& level) {
    verdict = level.file->verdict(path.substr(level.folder_size), kind);
    return verdict != Verdict::none;
  });
  return is_told && verdict == Verdict::ignored;
}

} // namespace sheaf::detect
