// SPDX-License-Identifier: Apache-2.0
#include "containerfile/chmod.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace sheaf::containerfile {
namespace {

bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

/// "u=rwX", "go-w", "+x", "g=u", "u=rw-x": who, then at least one operator, each with its permissions or one other
/// class.
bool is_clause(std::string_view clause) {
  while (!clause.empty() && is_one_of(clause.front(), "ugoa")) {
    clause.remove_prefix(1);
  }
  if (clause.empty()) {
    return false;
  }
  while (!clause.empty()) {
    if (!is_one_of(clause.front(), "+-=")) {
      return false;
    }
    clause.remove_prefix(1);
    const auto permissions = clause.substr(0, std::min(clause.find_first_of("+-="), clause.size()));
    const bool other_class = permissions.size() == 1 && is_one_of(permissions.front(), "ugo");
    if (!other_class &&
        !std::all_of(permissions.begin(), permissions.end(), [](char c) { return is_one_of(c, "rwxXst"); })) {
      return false;
    }
    clause.remove_prefix(permissions.size());
  }
  return true;
}

} // namespace

bool is_valid_mode(std::string_view mode) {
  if (const auto number = to_number<unsigned>(mode, 8)) {
    return *number <= 07777;
  }
  const auto clauses = split(mode, ',');
  return std::all_of(clauses.begin(), clauses.end(), is_clause);
}

} // namespace sheaf::containerfile
