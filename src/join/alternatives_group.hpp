// SPDX-License-Identifier: Apache-2.0
#pragma once

// One group of update-alternatives as a value: read from its file, as records of the join, and back. The driver
// (alternatives.hpp) says what the records mean when layers are merged.

#include "join/driver.hpp"

#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::join {

namespace alternatives_key {
inline constexpr std::string_view k_status = "status";
inline constexpr std::string_view k_link = "link";
inline constexpr std::string_view k_slave = "slave ";
inline constexpr std::string_view k_choice = "choice ";
} // namespace alternatives_key

/// All text of a group is borrowed, from its file or from its records.
struct AlternativesGroup {
  enum class Mode { automatic, manual };
  struct Choice {
    int priority = 0;
    /// Slave -> its file, an absolute path; only those that have one.
    std::map<std::string_view, std::string_view> slaves;
  };

  Mode mode = Mode::automatic;
  /// In manual mode the current choice, none if it is unknown. In automatic mode those that come first among choices of
  /// equal priority, for they were there first; only where that does not follow from the order of their paths.
  std::set<std::string_view> preferred;
  /// Absolute path of the link that programs use; empty if the records have none.
  std::string_view link;
  /// Slave -> its link.
  std::map<std::string_view, std::string_view> slaves;
  std::map<std::string_view, Choice> choices;

  /// `name` is the group's, `file` its root-relative path. `text` is the file and, optionally, one line more: the
  /// current choice. `corrupt` with the line. Source: dpkg utils/update-alternatives.c (alternative_load).
  static Result<AlternativesGroup> parse(std::string_view file, std::string_view name, std::string_view text);
  static AlternativesGroup from_records(const Records& records);
  void add(const Record& record);
  Records to_records() const;

  /// "auto" or "manual", and the preferred choices, each on a line: the record of the status.
  std::string status() const;
  void set_status(std::string_view value);

  /// The choices of the best priority, by path.
  std::vector<std::string_view> best_choices() const;
  /// The choice that update-alternatives would have the link point to; empty if that cannot be known.
  std::string_view current_choice() const;
  /// The slaves that some choice has, with their links; update-alternatives forgets the others.
  std::vector<std::pair<std::string_view, std::string_view>> used_slaves() const;
};

} // namespace sheaf::join
