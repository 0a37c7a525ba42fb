// SPDX-License-Identifier: Apache-2.0
#include "sandbox/file_mode.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

namespace sheaf::sandbox {
namespace {

constexpr mode_t k_all = 07777;
constexpr mode_t k_read = 0444;
constexpr mode_t k_write = 0222;
constexpr mode_t k_execute = 0111;

mode_t who_bits(char who) {
  switch (who) {
  case 'u':
    return S_ISUID | S_IRWXU;
  case 'g':
    return S_ISGID | S_IRWXG;
  case 'o':
    return S_ISVTX | S_IRWXO;
  case 'a':
    return k_all;
  default:
    return 0;
  }
}

mode_t permission_bits(char permission) {
  switch (permission) {
  case 'r':
    return k_read;
  case 'w':
    return k_write;
  case 'x':
    return k_execute;
  case 's':
    return S_ISUID | S_ISGID;
  case 't':
    return S_ISVTX;
  default:
    return 0;
  }
}

Error malformed(std::string_view text, std::string_view why) {
  return Error(ErrorCode::invalid, fmt::format("'{}' is not a mode: {}", text, why))
      .with_hint("write an octal number up to 7777 or a symbolic mode such as 'u=rwX,go=rX'");
}

} // namespace

Result<void> FileMode::parse_clause(std::string_view clause, FileMode& mode) {
  mode_t who = 0;
  std::size_t at = 0;
  while (at < clause.size() && who_bits(clause[at]) != 0) {
    who |= who_bits(clause[at++]);
  }
  if (at == clause.size()) {
    return malformed(clause, "it lacks '+', '-' or '='");
  }
  while (at < clause.size()) {
    Change change;
    change.who = who == 0 ? k_all : who;
    change.operation = clause[at++];
    if (change.operation != '+' && change.operation != '-' && change.operation != '=') {
      return malformed(clause, fmt::format("'{}' is none of '+', '-' and '='", change.operation));
    }
    if (at < clause.size() && (clause[at] == 'u' || clause[at] == 'g' || clause[at] == 'o')) {
      change.copied_from = clause[at++];
    } else {
      for (; at < clause.size() && (clause[at] == 'X' || permission_bits(clause[at]) != 0); ++at) {
        change.search = change.search || clause[at] == 'X';
        change.bits |= permission_bits(clause[at]);
      }
    }
    mode.m_changes.push_back(change);
  }
  return {};
}

Result<FileMode> FileMode::parse(std::string_view text) {
  FileMode mode;
  if (text.empty()) {
    return malformed(text, "it is empty");
  }
  if (text.front() >= '0' && text.front() <= '9') {
    const auto number = to_number<mode_t>(text, 8);
    if (!number || *number > k_all) {
      return malformed(text, "it is not an octal number up to 7777");
    }
    mode.m_changes.push_back({k_all, '=', *number, false, 0});
    return mode;
  }
  for (const auto clause : split(text, ',')) {
    SHEAF_TRY(parse_clause(clause, mode).context(fmt::format("reading the mode '{}'", text)));
  }
  return mode;
}

mode_t FileMode::value_of(const Change& change, mode_t now, bool is_directory) {
  mode_t value = change.bits;
  if (change.copied_from != 0) {
    const auto shift = change.copied_from == 'u' ? 6U : change.copied_from == 'g' ? 3U : 0U;
    value = ((now >> shift) & 7U) * k_execute;
  }
  if (change.search && (is_directory || (now & k_execute) != 0)) {
    value |= k_execute;
  }
  return value & change.who;
}

mode_t FileMode::apply(mode_t mode) const {
  const bool is_directory = S_ISDIR(mode);
  mode_t now = mode & k_all;
  for (const auto& change : m_changes) {
    const auto value = value_of(change, now, is_directory);
    if (change.operation == '+') {
      now |= value;
    } else if (change.operation == '-') {
      now &= ~value;
    } else {
      now = (now & ~change.who) | value;
    }
  }
  return now;
}

} // namespace sheaf::sandbox
