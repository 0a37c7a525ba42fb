// SPDX-License-Identifier: Apache-2.0
#include "join/rpm_index.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace sheaf::join {

namespace {

constexpr std::array<RpmTable, 18> k_tables = {{
    {"Name", RpmTag::name, RpmKeyType::text, RpmKeyIndex::key},
    {"Basenames", RpmTag::base_names},
    {"Group", RpmTag::group, RpmKeyType::text, RpmKeyIndex::key},
    {"Requirename", RpmTag::requires_names},
    {"Providename", RpmTag::provides},
    {"Conflictname", RpmTag::conflicts},
    {"Obsoletename", RpmTag::obsoletes},
    {"Triggername", RpmTag::triggers},
    {"Dirnames", RpmTag::directory_names},
    {"Installtid", RpmTag::install_transaction, RpmKeyType::blob, RpmKeyIndex::none},
    {"Sigmd5", RpmTag::signature_md5, RpmKeyType::blob, RpmKeyIndex::none},
    {"Sha1header", RpmTag::header_sha1, RpmKeyType::text, RpmKeyIndex::key},
    {"Filetriggername", RpmTag::file_triggers},
    {"Transfiletriggername", RpmTag::transaction_file_triggers},
    {"Recommendname", RpmTag::recommends},
    {"Suggestname", RpmTag::suggests},
    {"Supplementname", RpmTag::supplements},
    {"Enhancename", RpmTag::enhances},
}};

/// A requirement that only matters while the package is being installed. Source: rpm, lib/rpmds.h, sense flags.
bool is_transient(std::uint32_t flags) {
  constexpr auto k_bit = [](unsigned number) { return 1U << number; };
  constexpr auto k_post_transaction = k_bit(5);
  constexpr auto k_pre_transaction = k_bit(7);
  constexpr auto k_install = k_bit(9) | k_bit(10) | k_bit(24) | k_bit(26) | k_pre_transaction | k_post_transaction;
  constexpr auto k_erase = k_bit(11) | k_bit(12);
  return (flags & k_install) != 0 && (flags & k_erase) == 0;
}

/// The tables whose entries may be boolean dependencies.
bool may_be_rich(RpmTag tag) {
  switch (tag) {
  case RpmTag::requires_names:
  case RpmTag::conflicts:
  case RpmTag::recommends:
  case RpmTag::suggests:
  case RpmTag::supplements:
  case RpmTag::enhances:
    return true;
  default:
    return false;
  }
}

std::vector<RpmIndexRow> blob_rows(const RpmTable& table, const RpmHeader& header) {
  std::vector<RpmIndexRow> rows;
  if (const auto bytes = header.binary(table.tag); !bytes.empty()) {
    rows.push_back({std::string(bytes), 0});
  }
  for (const auto number : header.numbers(table.tag)) {
    // rpm writes the number as it lies in memory; all machines we build for are little-endian.
    std::string key;
    for (unsigned shift = 0; shift < 32; shift += 8) {
      key += static_cast<char>(number >> shift & 0xFFU);
    }
    rows.push_back({std::move(key), static_cast<std::uint32_t>(rows.size())});
  }
  return rows;
}

/// Positions in the table, for the tables that do not just count.
std::vector<std::uint32_t> positions(RpmTag tag, const RpmHeader& header) {
  if (tag == RpmTag::file_triggers) {
    return header.numbers(RpmTag::file_trigger_indexes);
  }
  return tag == RpmTag::transaction_file_triggers ? header.numbers(RpmTag::transaction_file_trigger_indexes)
                                                  : std::vector<std::uint32_t>();
}

/// Walks a boolean dependency and collects its names; false on a malformed one.
class RichParser {
public:
  explicit RichParser(std::string_view text) : m_text(text) {}

  bool parse(int depth) {
    constexpr int k_deepest = 64;
    if (depth > k_deepest || !take('(')) {
      return false;
    }
    auto condition = m_names.size();
    std::string_view operation;
    for (;;) {
      skip_blanks();
      if (at_end() || m_text[m_at] == ')' || !(m_text[m_at] == '(' ? parse(depth + 1) : parse_name())) {
        return false;
      }
      skip_blanks();
      if (take(')')) {
        break;
      }
      const auto next = word();
      if (!may_follow(operation, next)) {
        return false;
      }
      if (next == "if" || next == "unless") {
        condition = m_names.size();
        m_negated = !m_negated;
      } else if (next == "else") {
        repeat_negated(condition);
        m_negated = !m_negated;
      }
      operation = next;
    }
    if (operation == "if" || operation == "unless") {
      m_negated = !m_negated;
    }
    return true;
  }

  std::vector<std::string> take_names() {
    std::sort(m_names.begin(), m_names.end());
    m_names.erase(std::unique(m_names.begin(), m_names.end()), m_names.end());
    for (auto& name : m_names) {
      if (name.front() == ' ') {
        name.erase(0, 1);
      }
    }
    return std::move(m_names);
  }

private:
  bool at_end() const { return m_at == m_text.size(); }
  static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == ',';
  }
  void skip_blanks() {
    while (!at_end() && is_blank(m_text[m_at])) {
      ++m_at;
    }
  }
  bool take(char c) {
    const bool there = !at_end() && m_text[m_at] == c;
    m_at += there ? 1 : 0;
    return there;
  }
  /// Up to a blank or the bracket that closes the dependency; names may hold brackets of their own.
  std::string_view word() {
    const auto start = m_at;
    for (int open = 0; !at_end() && !is_blank(m_text[m_at]); ++m_at) {
      if (m_text[m_at] == ')' && open-- <= 0) {
        break;
      }
      open += m_text[m_at] == '(' ? 1 : 0;
    }
    return m_text.substr(start, m_at - start);
  }
  bool parse_name() {
    const auto name = word();
    if (name.empty()) {
      return false;
    }
    skip_blanks();
    const auto here = m_at;
    const auto comparison = word();
    if (!comparison.empty() && comparison.find_first_not_of("<>=") == std::string_view::npos) {
      skip_blanks();
      if (word().empty()) {
        return false;
      }
    } else {
      m_at = here;
    }
    if (!name.starts_with("rpmlib(")) {
      m_names.push_back((m_negated ? "!" : " ") + std::string(name));
    }
    return true;
  }
  static bool may_follow(std::string_view before, std::string_view next) {
    constexpr std::array<std::string_view, 7> k_all = {"and", "or", "if", "unless", "else", "with", "without"};
    if (std::find(k_all.begin(), k_all.end(), next) == k_all.end()) {
      return false;
    }
    if (before.empty() || (next == "else" && (before == "if" || before == "unless"))) {
      return true;
    }
    return next == before && (next == "and" || next == "or" || next == "with");
  }
  /// The names of a condition count for both branches, with opposite signs.
  void repeat_negated(std::size_t from) {
    for (const auto end = m_names.size(); from < end; ++from) {
      auto other = m_names[from];
      other.front() = other.front() == ' ' ? '!' : ' ';
      m_names.push_back(std::move(other));
    }
  }

  std::string_view m_text;
  std::size_t m_at = 0;
  bool m_negated = false;
  /// With ' ' or '!' in front.
  std::vector<std::string> m_names;
};

} // namespace

std::span<const RpmTable> rpm_tables() { return k_tables; }

std::vector<std::string> names_in_rich_dependency(std::string_view text) {
  RichParser parser(text);
  return parser.parse(0) ? parser.take_names() : std::vector<std::string>();
}

std::vector<RpmIndexRow> rpm_index_rows(const RpmTable& table, const RpmHeader& header) {
  if (table.type == RpmKeyType::blob) {
    return blob_rows(table, header);
  }
  auto keys = header.strings(table.tag);
  if (keys.empty() && table.tag == RpmTag::group) {
    keys.emplace_back("Unknown");
  }
  const auto flags =
      table.tag == RpmTag::requires_names ? header.numbers(RpmTag::requires_flags) : std::vector<std::uint32_t>();
  const auto given = positions(table.tag, header);
  std::vector<RpmIndexRow> rows;
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool repeated = table.tag == RpmTag::triggers && !seen.insert(keys[i]).second;
    if (repeated || (i < flags.size() && is_transient(flags[i]))) {
      continue;
    }
    const auto position = i < given.size() ? given[i] : static_cast<std::uint32_t>(i);
    rows.push_back({std::string(keys[i]), position});
    if (keys[i].starts_with('(') && may_be_rich(table.tag)) {
      for (auto& name : names_in_rich_dependency(keys[i])) {
        rows.push_back({std::move(name), position});
      }
    }
  }
  return rows;
}

} // namespace sheaf::join
