// SPDX-License-Identifier: Apache-2.0
#include "join/alternatives_group.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::join {

namespace {

/// Is `text` the absolute path of something below the root?
bool is_path(std::string_view text) {
  return text.starts_with('/') && text.find_first_not_of('/') != std::string_view::npos &&
         text.find('\0') == std::string_view::npos;
}

/// Is it one where a link can be written?
bool is_link_path(std::string_view text) {
  const auto parts = split(text, '/');
  return is_path(text) && !text.ends_with('/') &&
         std::none_of(parts.begin(), parts.end(), [](auto part) { return part == "." || part == ".."; });
}

std::string print_choice(const AlternativesGroup::Choice& choice) {
  auto value = fmt::format("{}\n", choice.priority);
  for (const auto& [slave, file] : choice.slaves) {
    value.append(slave).append("\n").append(file).append("\n");
  }
  return value;
}

/// Nothing if `value` is none of `print_choice`.
std::optional<AlternativesGroup::Choice> parse_choice(std::string_view value) {
  const auto lines = lines_of(value);
  const auto priority = lines.empty() ? std::nullopt : to_number<int>(lines[0]);
  if (!priority || lines.size() % 2 == 0) {
    return std::nullopt;
  }
  AlternativesGroup::Choice choice{*priority, {}};
  for (std::size_t i = 1; i < lines.size(); i += 2) {
    choice.slaves.emplace(lines[i], lines[i + 1]);
  }
  return choice;
}

/// The file as text, line by line.
class Reader {
public:
  Reader(std::string_view file, std::string_view name, std::string_view text)
      : m_file(file), m_name(name), m_text(text), m_lines(lines_of(text)) {}

  Result<AlternativesGroup> read() {
    SHEAF_TRY(read_head());
    SHEAF_TRY(read_slaves());
    SHEAF_TRY(read_choices());
    if (m_next < m_lines.size()) {
      SHEAF_TRY(read_current());
    }
    return std::move(m_group);
  }

private:
  Error corrupt(std::string_view what) const {
    const auto line = std::min(m_next == 0 ? 0 : m_next - 1, m_lines.size() - 1);
    return corrupt_at(m_file, m_text, static_cast<std::size_t>(m_lines[line].data() - m_text.data()), what);
  }

  Result<std::string_view> next(std::string_view what) {
    if (m_next == m_lines.size()) {
      return corrupt(fmt::format("the file ends where {} is expected", what));
    }
    return m_lines[m_next++];
  }

  Result<std::string_view> next_link(std::string_view what) {
    SHEAF_TRY_ASSIGN(const auto line, next(what));
    if (!is_link_path(line)) {
      return corrupt(fmt::format("expected {}, an absolute path", what));
    }
    return line;
  }

  Result<void> read_head() {
    SHEAF_TRY_ASSIGN(const auto status, next("the status"));
    if (status != "auto" && status != "manual") {
      return corrupt("expected 'auto' or 'manual'");
    }
    m_group.mode = status == "manual" ? AlternativesGroup::Mode::manual : AlternativesGroup::Mode::automatic;
    SHEAF_TRY_ASSIGN(m_group.link, next_link("the link"));
    return {};
  }

  Result<void> read_slaves() {
    std::set<std::string_view> links = {m_group.link};
    for (;;) {
      SHEAF_TRY_ASSIGN(const auto name, next("a slave"));
      if (name.empty()) {
        return {};
      }
      SHEAF_TRY_ASSIGN(const auto link, next_link("the link of a slave"));
      // The name becomes a name below /etc/alternatives.
      if (!is_link_path(fmt::format("/{}", name)) || name.find('/') != std::string_view::npos || name == m_name ||
          !m_group.slaves.emplace(name, link).second || !links.insert(link).second) {
        return corrupt("the name or the link of a slave is taken or no such name");
      }
      m_slaves.push_back(name);
    }
  }

  Result<void> read_choices() {
    for (;;) {
      SHEAF_TRY_ASSIGN(const auto path, next("a choice"));
      if (path.empty()) {
        return {};
      }
      SHEAF_TRY_ASSIGN(const auto priority_text, next("a priority"));
      const auto priority = to_number<int>(priority_text);
      if (!is_path(path) || !priority) {
        return corrupt("expected a choice, an absolute path, and its priority");
      }
      AlternativesGroup::Choice choice{*priority, {}};
      for (const auto slave : m_slaves) {
        SHEAF_TRY_ASSIGN(const auto file, next("the file of a slave"));
        if (!file.empty() && !is_path(file)) {
          return corrupt("expected the file of a slave, an absolute path");
        }
        if (!file.empty()) {
          choice.slaves.emplace(slave, file);
        }
      }
      if (!m_group.choices.emplace(path, std::move(choice)).second) {
        return corrupt(fmt::format("'{}' is listed twice", path));
      }
    }
  }

  Result<void> read_current() {
    SHEAF_TRY_ASSIGN(const auto target, next("the current choice"));
    if (m_next < m_lines.size()) {
      return corrupt("the file goes on after its end");
    }
    m_group.preferred = {target};
    // A link that points elsewhere is somebody's own: update-alternatives would repair it.
    const auto current = m_group.current_choice();
    const bool follows =
        m_group.mode == AlternativesGroup::Mode::automatic && (current.empty() || current == m_group.best_choices()[0]);
    m_group.preferred.clear();
    if (!follows && !current.empty()) {
      m_group.preferred.insert(current);
    }
    return {};
  }

  std::string_view m_file;
  std::string_view m_name;
  std::string_view m_text;
  std::vector<std::string_view> m_lines;
  std::size_t m_next = 0;
  AlternativesGroup m_group;
  /// In file order: the files of a choice come in it.
  std::vector<std::string_view> m_slaves;
};

} // namespace

Result<AlternativesGroup> AlternativesGroup::parse(std::string_view file, std::string_view name,
                                                   std::string_view text) {
  return Reader(file, name, text).read();
}

AlternativesGroup AlternativesGroup::from_records(const Records& records) {
  AlternativesGroup group;
  for (const auto& record : records) {
    group.add(record);
  }
  return group;
}

void AlternativesGroup::add(const Record& record) {
  const std::string_view key = record.key;
  if (key == alternatives_key::k_status) {
    set_status(record.value);
  } else if (key == alternatives_key::k_link) {
    link = record.value;
  } else if (key.starts_with(alternatives_key::k_slave)) {
    slaves.emplace(key.substr(alternatives_key::k_slave.size()), record.value);
  } else if (const auto choice = parse_choice(record.value); choice && key.starts_with(alternatives_key::k_choice)) {
    choices.emplace(key.substr(alternatives_key::k_choice.size()), *choice);
  }
}

Records AlternativesGroup::to_records() const {
  Records records;
  for (const auto& [path, choice] : choices) {
    records.push_back({fmt::format("{}{}", alternatives_key::k_choice, path), print_choice(choice)});
  }
  records.push_back({std::string(alternatives_key::k_link), std::string(link)});
  for (const auto& [name, slave_link] : slaves) {
    records.push_back({fmt::format("{}{}", alternatives_key::k_slave, name), std::string(slave_link)});
  }
  records.push_back({std::string(alternatives_key::k_status), status()});
  return records;
}

std::string AlternativesGroup::status() const {
  std::string value = mode == Mode::manual ? "manual" : "auto";
  for (const auto path : preferred) {
    value.append("\n").append(path);
  }
  return value;
}

void AlternativesGroup::set_status(std::string_view value) {
  const auto lines = split(value, '\n');
  mode = lines[0] == "manual" ? Mode::manual : Mode::automatic;
  preferred = {lines.begin() + 1, lines.end()};
}

std::vector<std::string_view> AlternativesGroup::best_choices() const {
  std::vector<std::string_view> best;
  for (const auto& [path, choice] : choices) {
    const auto most = best.empty() ? choice.priority : choices.at(best[0]).priority;
    if (choice.priority > most) {
      best.clear();
    }
    if (choice.priority >= most) {
      best.push_back(path);
    }
  }
  return best;
}

std::string_view AlternativesGroup::current_choice() const {
  const auto is_preferred = [this](std::string_view path) { return preferred.contains(path); };
  if (mode == Mode::manual) {
    const auto found =
        std::find_if(choices.begin(), choices.end(), [&](const auto& choice) { return is_preferred(choice.first); });
    return found == choices.end() ? std::string_view() : found->first;
  }
  const auto best = best_choices();
  const auto found = std::find_if(best.begin(), best.end(), is_preferred);
  return found != best.end() ? *found : best.empty() ? std::string_view() : best[0];
}

std::vector<std::pair<std::string_view, std::string_view>> AlternativesGroup::used_slaves() const {
  std::vector<std::pair<std::string_view, std::string_view>> used;
  for (const auto& slave : slaves) {
    if (std::any_of(choices.begin(), choices.end(),
                    [&](const auto& choice) { return choice.second.slaves.contains(slave.first); })) {
      used.emplace_back(slave);
    }
  }
  return used;
}

} // namespace sheaf::join
