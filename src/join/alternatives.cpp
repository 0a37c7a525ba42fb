// SPDX-License-Identifier: Apache-2.0
#include "join/alternatives.hpp"

#include "base/text.hpp"
#include "join/alternatives_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace sheaf::join {

namespace {

constexpr std::string_view k_directory = "var/lib/dpkg/alternatives/";
constexpr std::string_view k_link_directory = "etc/alternatives/";

std::string_view group_name(std::string_view file) { return file.substr(k_directory.size()); }

/// Without the leading and doubled '/'.
std::string below_root(std::string_view path) {
  std::string below;
  for (const auto part : split(path, '/')) {
    if (!part.empty()) {
      below.append(below.empty() ? "" : "/").append(part);
    }
  }
  return below;
}

/// The link that programs use, and the one below /etc/alternatives that it points to.
void add_links(Links& links, std::string_view name, std::string_view link, std::string_view file, bool only_if_exists) {
  const auto middle = fmt::format("{}{}", k_link_directory, name);
  const auto condition = only_if_exists ? below_root(file) : std::string();
  links.emplace(below_root(link), file.empty() ? Link() : Link{"/" + middle, condition});
  links.emplace(middle, file.empty() ? Link() : Link{std::string(file), condition});
}

/// The rules that span the records of one group.
class Settler {
public:
  Settler(const Driver& driver, FileMerge& merge) : m_driver(driver), m_merge(merge) { load(); }

  void settle() {
    if (m_group.choices.empty()) {
      return; // a group without choices is none; what is left says which links must go
    }
    restore_group();
    restore_slaves();
    check_removals();
    check_slave_links();
    keep_first_of_best();
  }

private:
  void load() {
    m_group = {};
    m_set_by.clear();
    for (const auto& merged : m_merge.records) {
      m_group.add(merged.record);
      m_set_by.emplace(merged.record.key, merged.set_by);
    }
  }

  std::size_t set_by(std::string_view key) const {
    const auto found = m_set_by.find(key);
    return found == m_set_by.end() ? k_base : found->second;
  }

  std::string layer_name(std::size_t set_by) const {
    return set_by == k_base ? std::string() : std::string(m_merge.layers[set_by].name);
  }

  /// The last layer that removed the record, and what that was.
  std::pair<std::size_t, const RecordChange*> removal_of(std::string_view key) const {
    for (auto i = m_merge.layers.size(); i-- > 0;) {
      for (const auto& change : m_merge.layers[i].facts->changes) {
        if (change.file == m_merge.file && change.key == key && !change.after) {
          return {i, &change};
        }
      }
    }
    return {k_base, nullptr};
  }

  /// A group goes with its last choice; where another layer has a choice in it, it stays.
  void restore_group() {
    for (const auto& key : {alternatives_key::k_link, alternatives_key::k_status}) {
      const auto* removal = m_set_by.contains(key) ? nullptr : removal_of(key).second;
      if (removal != nullptr) {
        m_merge.records.push_back({{std::string(key), *removal->before}, k_base});
      }
    }
    load(); // the records may have moved
  }

  /// A slave goes with the last choice that has it; where another layer has such a choice, it stays.
  void restore_slaves() {
    std::map<std::string, std::string> missing;
    for (const auto& [path, choice] : m_group.choices) {
      for (const auto& [slave, file] : choice.slaves) {
        auto key = fmt::format("{}{}", alternatives_key::k_slave, slave);
        const auto* removal = m_group.slaves.contains(slave) ? nullptr : removal_of(key).second;
        if (removal != nullptr) {
          missing.emplace(std::move(key), *removal->before);
        }
      }
    }
    for (const auto& [key, link] : missing) {
      m_merge.records.push_back({{key, link}, k_base});
    }
    load(); // the records may have moved
  }

  /// `user` is a record that cannot do without the record `missing`.
  void report(std::string_view missing, std::string_view user) {
    auto first = removal_of(missing).first;
    auto second = set_by(user);
    if (first == second) { // it spoke last of both; the record is really what another layer made of it
      second = another_setter(user, first);
    }
    if (first + 1 > second + 1) { // the base is the first of all
      std::swap(first, second);
    }
    m_merge.conflicts.push_back(with_texts(m_driver, {std::string(m_driver.name()),
                                                      std::string(m_merge.file),
                                                      std::string(missing),
                                                      layer_name(first),
                                                      layer_name(second),
                                                      std::nullopt,
                                                      std::nullopt,
                                                      {},
                                                      {}}));
  }

  /// The last layer but `not_this` that changed the record; the base if there is none.
  std::size_t another_setter(std::string_view key, std::size_t not_this) const {
    for (auto i = m_merge.layers.size(); i-- > 0;) {
      const auto& changes = m_merge.layers[i].facts->changes;
      if (i != not_this && std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
            return change.file == m_merge.file && change.key == key;
          })) {
        return i;
      }
    }
    return k_base;
  }

  void check_removals() {
    for (const auto& [path, choice] : m_group.choices) {
      const auto key = fmt::format("{}{}", alternatives_key::k_choice, path);
      if (m_group.link.empty() || !m_set_by.contains(alternatives_key::k_status)) {
        report(alternatives_key::k_link, key);
        return;
      }
      for (const auto& [slave, file] : choice.slaves) {
        if (!m_group.slaves.contains(slave)) {
          report(fmt::format("{}{}", alternatives_key::k_slave, slave), key);
        }
      }
    }
    if (m_group.mode == AlternativesGroup::Mode::manual && !m_group.preferred.empty() &&
        m_group.current_choice().empty()) {
      report(fmt::format("{}{}", alternatives_key::k_choice, *m_group.preferred.begin()), alternatives_key::k_status);
    }
  }

  void check_slave_links() {
    std::map<std::string_view, std::string_view> owners = {{m_group.link, alternatives_key::k_link}};
    std::vector<std::string> keys;
    keys.reserve(m_group.slaves.size());
    for (const auto& [slave, link] : m_group.used_slaves()) {
      const auto& key = keys.emplace_back(fmt::format("{}{}", alternatives_key::k_slave, slave));
      const auto [owner, added] = owners.emplace(link, key);
      if (!added) {
        report(owner->second, key);
      }
    }
  }

  /// The place of the last layer that took away a choice better than `priority`, the base's if none did: then the link
  /// moved to the first path, whoever had brought it until then.
  std::size_t last_fall_to(int priority) const {
    for (auto i = m_merge.layers.size(); i-- > 0;) {
      for (const auto& change : m_merge.layers[i].facts->changes) {
        if (change.file != m_merge.file || !change.before || change.after) {
          continue;
        }
        AlternativesGroup removed;
        const Record record{change.key, *change.before};
        removed.add(record);
        if (!removed.choices.empty() && removed.choices.begin()->second.priority > priority) {
          return i + 1;
        }
      }
    }
    return 0;
  }

  /// In automatic mode the link stays at a choice until a better one comes: of equal ones the first layer's.
  void keep_first_of_best() {
    if (m_group.mode == AlternativesGroup::Mode::manual) {
      return;
    }
    const auto best = m_group.best_choices();
    const auto fall = last_fall_to(m_group.choices.at(best[0]).priority);
    const auto rank = [&](std::string_view path) {
      return std::tuple(std::max(set_by(fmt::format("{}{}", alternatives_key::k_choice, path)) + 1, fall),
                        !m_group.preferred.contains(path), path);
    };
    const auto first = *std::min_element(best.begin(), best.end(), [&](auto a, auto b) { return rank(a) < rank(b); });
    m_group.preferred.clear();
    if (first != best[0]) {
      m_group.preferred.insert(first);
    }
    const auto status = std::find_if(m_merge.records.begin(), m_merge.records.end(), [](const auto& merged) {
      return merged.record.key == alternatives_key::k_status;
    });
    if (status != m_merge.records.end()) {
      status->record.value = m_group.status();
    }
  }

  const Driver& m_driver;
  FileMerge& m_merge;
  AlternativesGroup m_group;
  std::map<std::string, std::size_t, std::less<>> m_set_by;
};

} // namespace

bool Alternatives::owns(std::string_view file) const {
  if (!file.starts_with(k_directory)) {
    return false;
  }
  const auto name = group_name(file);
  return !name.empty() && name.find('/') == std::string_view::npos && !name.ends_with(".dpkg-tmp");
}

Result<Records> Alternatives::parse(std::string_view file, std::string_view text) const {
  if (text.empty()) { // a group without choices, as update-alternatives reads it
    return Records();
  }
  SHEAF_TRY_ASSIGN(const auto group, AlternativesGroup::parse(file, group_name(file), text));
  return group.to_records();
}

Result<std::string> Alternatives::print(std::string_view file, const Records& records) const {
  const auto group = AlternativesGroup::from_records(records);
  if (group.choices.empty()) {
    return std::string();
  }
  if (group.link.empty()) {
    return Error(ErrorCode::corrupt, fmt::format("'/{}' has choices but no link", file));
  }
  auto text = fmt::format("{}\n{}\n", group.mode == AlternativesGroup::Mode::manual ? "manual" : "auto", group.link);
  const auto slaves = group.used_slaves();
  for (const auto& [name, link] : slaves) {
    text.append(name).append("\n").append(link).append("\n");
  }
  text.append("\n");
  for (const auto& [path, choice] : group.choices) {
    text.append(fmt::format("{}\n{}\n", path, choice.priority));
    for (const auto& slave : slaves) {
      const auto found = choice.slaves.find(slave.first);
      text.append(found == choice.slaves.end() ? std::string_view() : found->second).append("\n");
    }
  }
  text += "\n";
  // Facts are bytes from elsewhere: their paths become links.
  SHEAF_TRY(AlternativesGroup::parse(file, group_name(file), text).context("printing the records"));
  return text;
}

void Alternatives::order(std::string_view file, Records& records, std::size_t /*added_from*/) const {
  Driver::order(file, records, 0); // update-alternatives sorts all of them when it writes
}

std::optional<Reconciled> Alternatives::reconcile(const Sides& sides) const {
  if (!sides.current || !sides.after) {
    // What belongs to the whole group goes only with its last choice, which `settle` sees.
    const bool is_choice = sides.key.starts_with(alternatives_key::k_choice);
    return is_choice ? std::nullopt : std::optional(Reconciled{sides.current ? sides.current : sides.after});
  }
  if (sides.key != alternatives_key::k_status) {
    return std::nullopt;
  }
  AlternativesGroup a;
  AlternativesGroup b;
  a.set_status(*sides.current);
  b.set_status(*sides.after);
  if (a.mode != b.mode) {
    return Reconciled{a.mode == AlternativesGroup::Mode::manual ? *sides.current : *sides.after};
  }
  if (a.mode == AlternativesGroup::Mode::manual) {
    return std::nullopt;
  }
  a.preferred.merge(b.preferred);
  return Reconciled{a.status()};
}

void Alternatives::settle(FileMerge& merge) const { Settler(*this, merge).settle(); }

std::string Alternatives::explain(const Conflict& conflict) const {
  return fmt::format("{} and {} say different things of the {} of the alternatives '{}'", layer_text(conflict.layer_a),
                     layer_text(conflict.layer_b), conflict.key, group_name(conflict.file));
}

Links Alternatives::links(std::string_view file, const Records& records) const {
  Links links;
  const auto group = AlternativesGroup::from_records(records);
  if (group.choices.empty() && !group.link.empty()) {
    // Each layer left a choice that another one removed: none of them removed the links.
    add_links(links, group_name(file), group.link, {}, false);
    for (const auto& [name, link] : group.slaves) {
      add_links(links, name, link, {}, false);
    }
    return links;
  }
  const auto current = group.current_choice();
  if (current.empty()) {
    return links;
  }
  add_links(links, group_name(file), group.link, current, false);
  const auto& files = group.choices.at(current).slaves;
  for (const auto& [name, link] : group.used_slaves()) {
    const auto found = files.find(name);
    add_links(links, name, link, found == files.end() ? std::string_view() : found->second, true);
  }
  return links;
}

std::string Alternatives::state_link(std::string_view file) const {
  return fmt::format("{}{}", k_link_directory, group_name(file));
}

std::string Alternatives::with_state_link(std::string text, std::string_view target) const {
  return text.empty() || target.find('\n') != std::string_view::npos ? text : text.append(target).append("\n");
}

} // namespace sheaf::join
