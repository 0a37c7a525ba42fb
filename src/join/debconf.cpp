// SPDX-License-Identifier: Apache-2.0
#include "join/debconf.hpp"

#include "base/text.hpp"
#include "join/stanza.hpp"
#include "join/three_way.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace sheaf::join {

namespace {

constexpr std::string_view k_passwords = "var/cache/debconf/passwords.dat";

/// Where debconf prints a field.
enum class Section { name, field, owners, flags, variable };

/// The lines of a stanza by section and name: the map's order is the one debconf prints in.
using Question = std::map<std::pair<Section, std::string_view>, std::string_view>;

Section section_of(std::string_view field) {
  if (field == "Name") {
    return Section::name;
  }
  if (field == "Owners") {
    return Section::owners;
  }
  return field == "Flags" ? Section::flags : Section::field;
}

Question parse_question(std::string_view stanza) {
  Question question;
  bool in_variables = false;
  for (const auto line : lines_of(stanza)) {
    if (in_variables && line.starts_with(' ')) {
      question.emplace(std::pair(Section::variable, trim(line.substr(0, line.find('=')))), line);
      continue;
    }
    const auto colon = std::min(line.find(':'), line.size());
    const auto field = line.substr(0, colon);
    in_variables = field == "Variables";
    if (!in_variables) {
      question.emplace(std::pair(section_of(field), field), trim(line.substr(std::min(colon + 1, line.size()))));
    }
  }
  return question;
}

struct Line {
  std::pair<Section, std::string_view> id;
  std::string text;
};

std::string print_question(const std::vector<Line>& lines) {
  std::string stanza;
  bool in_variables = false;
  for (const auto& line : lines) {
    if (line.id.first != Section::variable) {
      stanza.append(line.id.second).append(": ").append(line.text).append("\n");
      continue;
    }
    stanza.append(in_variables ? "" : "Variables:\n").append(line.text).append("\n");
    in_variables = true;
  }
  return stanza;
}

std::optional<std::string_view> find(const Question& question, const Question::key_type& id) {
  const auto found = question.find(id);
  return found == question.end() ? std::nullopt : std::optional(found->second);
}

/// The merged text, absent if the field is gone; nothing at all if the sides disagree.
std::optional<std::optional<std::string>> merge_field(Section section, std::optional<std::string_view> base,
                                                      std::optional<std::string_view> a,
                                                      std::optional<std::string_view> b) {
  if (section == Section::owners || section == Section::flags) {
    // Sorted, as debconf writes them; it leaves out empty ones.
    auto list = three_way_set(base.value_or(""), a.value_or(""), b.value_or(""), ", ");
    return list.empty() ? std::optional<std::string>() : std::optional(std::move(list));
  }
  const auto* winner = three_way(base, a, b);
  if (winner == nullptr) {
    return std::nullopt;
  }
  return *winner ? std::optional(std::string(**winner)) : std::optional<std::string>();
}

} // namespace

bool Debconf::owns(std::string_view file) const {
  return file == "var/cache/debconf/config.dat" || file == "var/cache/debconf/templates.dat" || file == k_passwords;
}

Result<Records> Debconf::parse(std::string_view file, std::string_view text) const {
  return parse_stanzas(file, text, [](auto stanza) { return std::string(stanza_field(stanza, "Name").value_or("")); });
}

Result<std::string> Debconf::print(std::string_view /*file*/, const Records& records) const {
  return print_stanzas(records);
}

void Debconf::order(std::string_view file, Records& records, std::size_t /*added_from*/) const {
  Driver::order(file, records, 0); // debconf sorts all of them when it writes
}

std::optional<Reconciled> Debconf::reconcile(const Sides& sides) const {
  if (!sides.current || !sides.after) {
    return std::nullopt;
  }
  const auto base = parse_question(sides.before ? *sides.before : std::string_view());
  const auto a = parse_question(*sides.current);
  const auto b = parse_question(*sides.after);
  std::set<Question::key_type> ids;
  for (const auto* side : {&a, &b}) {
    for (const auto& field : *side) {
      ids.insert(field.first);
    }
  }
  std::vector<Line> merged;
  for (const auto& id : ids) {
    auto field = merge_field(id.first, find(base, id), find(a, id), find(b, id));
    if (!field) {
      return std::nullopt;
    }
    if (*field) {
      merged.push_back({id, std::move(**field)});
    }
  }
  return Reconciled{print_question(merged)};
}

FileAttributes Debconf::attributes(std::string_view file) const {
  return {file == k_passwords ? 0600U : 0644U, "root"};
}

} // namespace sheaf::join
