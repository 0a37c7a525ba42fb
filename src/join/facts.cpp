// SPDX-License-Identifier: Apache-2.0
#include "join/facts.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

namespace sheaf::join {

namespace {

constexpr std::string_view k_magic = "sheaf-facts ";
constexpr std::string_view k_header = "sheaf-facts 1\n";

void append_field(std::string& out, std::string_view value) {
  std::array<char, 20> digits{};
  const auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), value.size()).ptr;
  out.append(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
  out.append(":").append(value).append(",");
}

void append_optional(std::string& out, const std::optional<std::string>& value) {
  if (value) {
    append_field(out, *value);
  } else {
    out += '-';
  }
}

/// A path that stays below the root: facts may come from another machine, and the join's result is written there.
bool is_root_relative(std::string_view path) {
  const auto parts = split(path, '/');
  return path.find('\0') == std::string_view::npos && std::none_of(parts.begin(), parts.end(), [](auto part) {
           return part.empty() || part == "." || part == "..";
         });
}

class Reader {
public:
  explicit Reader(std::string_view bytes) : m_bytes(bytes), m_at(k_header.size()) {}

  bool at_end() const { return m_at == m_bytes.size(); }

  Result<RecordChange> change() {
    RecordChange change;
    const auto start = m_at;
    SHEAF_TRY_ASSIGN(change.file, field());
    SHEAF_TRY_ASSIGN(change.key, field());
    SHEAF_TRY_ASSIGN(change.before, optional_field());
    SHEAF_TRY_ASSIGN(change.after, optional_field());
    if (!take('\n')) {
      return corrupt("expected the end of the record");
    }
    if (!is_root_relative(change.file)) {
      return corrupt("bad path", start);
    }
    if (change.key.empty() || change.before == change.after) {
      return corrupt("record without a key or a change", start);
    }
    return change;
  }

  Error corrupt(std::string_view what) const { return corrupt(what, m_at); }
  static Error corrupt(std::string_view what, std::size_t offset) {
    return {ErrorCode::corrupt, fmt::format("facts: byte {}: {}", offset, what)};
  }

private:
  bool take(char expected) {
    if (m_at < m_bytes.size() && m_bytes[m_at] == expected) {
      ++m_at;
      return true;
    }
    return false;
  }

  Result<std::string> field() {
    const char* first = m_bytes.data() + m_at;
    std::size_t size = 0;
    const auto [end, failure] = std::from_chars(first, m_bytes.data() + m_bytes.size(), size);
    // One length, one spelling: equal facts must have equal bytes.
    if (failure != std::errc() || (*first == '0' && end != first + 1)) {
      return corrupt("expected a length");
    }
    m_at += static_cast<std::size_t>(end - first);
    if (!take(':')) {
      return corrupt("expected ':'");
    }
    if (size > m_bytes.size() - m_at) {
      return corrupt("field is longer than the file");
    }
    std::string value(m_bytes.substr(m_at, size));
    m_at += size;
    if (!take(',')) {
      return corrupt("expected ','");
    }
    return value;
  }

  Result<std::optional<std::string>> optional_field() {
    if (take('-')) {
      return std::optional<std::string>();
    }
    SHEAF_TRY_ASSIGN(std::string value, field());
    return std::optional(std::move(value));
  }

  std::string_view m_bytes;
  std::size_t m_at;
};

} // namespace

std::string serialise(const Facts& facts) {
  std::string out(k_header);
  std::size_t size = out.size();
  for (const auto& change : facts.changes) {
    size += change.file.size() + change.key.size() + 40;
    size += (change.before ? change.before->size() : 0) + (change.after ? change.after->size() : 0);
  }
  out.reserve(size);
  for (const auto& change : facts.changes) {
    append_field(out, change.file);
    append_field(out, change.key);
    append_optional(out, change.before);
    append_optional(out, change.after);
    out += '\n';
  }
  return out;
}

Result<Facts> parse_facts(std::string_view bytes) {
  if (!bytes.starts_with(k_magic)) {
    return Error(ErrorCode::corrupt, "facts: byte 0: not a facts file");
  }
  if (!bytes.starts_with(k_header)) {
    return Error(ErrorCode::unsupported, "facts: written in another version of the format")
        .with_hint("build the layer again, or use the version of sheaf that built it");
  }
  Reader reader(bytes);
  Facts facts;
  while (!reader.at_end()) {
    SHEAF_TRY_ASSIGN(RecordChange change, reader.change());
    if (!facts.changes.empty()) {
      const auto& last = facts.changes.back();
      if (std::tie(last.file, last.key) >= std::tie(change.file, change.key)) {
        return reader.corrupt("records are not in order");
      }
    }
    facts.changes.push_back(std::move(change));
  }
  return facts;
}

} // namespace sheaf::join
