// SPDX-License-Identifier: Apache-2.0
#pragma once

// The shared databases of the generated machine, changed as the tools of a distribution change them.

#include <string>

#include "property/laws_root.hpp"

namespace sheaf::laws {

/// Of the package; empty if it is not installed.
std::string installed_version(const Workbench& bench, const std::string& name);
bool is_marked(const Workbench& bench, const std::string& name);
/// As installed automatically.
void mark(Workbench& bench, const std::string& name, bool automatic);
/// Its stanza, its files and its trigger.
void put_package(Workbench& bench, const std::string& name, const std::string& version);
void drop_package(Workbench& bench, const std::string& name);

bool has_diversion(const Workbench& bench, const std::string& path);
void put_diversion(Workbench& bench, const std::string& path);
void put_stat_override(Workbench& bench, const std::string& path, unsigned mode);

/// With the first id free of those that follow from the name; `mark` decides the day it was made.
void put_user(Workbench& bench, const std::string& name, const std::string& mark);
bool has_group(const Workbench& bench, const std::string& name);
void put_member(Workbench& bench, const std::string& group, const std::string& member);
/// Sets field `field` of the user's line.
void edit_user(Workbench& bench, const std::string& name, unsigned field, unsigned value);

/// The group of alternatives "tool"; the number decides path and priority.
bool has_choice(const Workbench& bench, unsigned choice);
/// Is the choice one that somebody made?
bool is_by_hand(const Workbench& bench);
void put_choice(Workbench& bench, unsigned choice);
void choose_by_hand(Workbench& bench, unsigned choice);
void drop_choice(Workbench& bench, unsigned choice);

/// Adds the line unless it is there.
void put_line(Workbench& bench, const std::string& path, const std::string& line);
void set_variable(Workbench& bench, const std::string& name, unsigned value);

} // namespace sheaf::laws
