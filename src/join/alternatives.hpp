// SPDX-License-Identifier: Apache-2.0
#pragma once

// The groups of update-alternatives, /var/lib/dpkg/alternatives/NAME: which files can stand behind one name, and which
// one does. The choices of all layers are united; the symbolic links follow from the united group.

#include "join/driver.hpp"

namespace sheaf::join {

/// Keys: "status"; "link", the path of the group's link; "slave NAME", the path of that slave's link; "choice PATH",
/// the priority and the slaves' files by name ("50\neditor.1.gz\n/usr/share/man/man1/ed.1.gz\n").
///
/// The file does not say which choice a group in manual mode has: only the link /etc/alternatives/NAME does. So the
/// text may go on, after the blank line that ends it, with one line: the target of that link (`with_state_link`). The
/// value of "status" is then "manual\nPATH"; and "auto\nPATH" if several choices have the best priority and the current
/// one is not the first of them by path. Without the line "manual" and "auto" are all that is known, and a group in
/// manual mode has no `links`.
///
/// Source: dpkg utils/update-alternatives.c; its order of slaves (by name) and choices (by path) is kept, so that the
/// bytes are the ones it writes.
class Alternatives final : public Driver {
public:
  std::string_view name() const override { return "alternatives"; }
  bool owns(std::string_view file) const override;
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  /// Without the current choice, and without slaves that no choice has.
  Result<std::string> print(std::string_view file, const Records& records) const override;
  void order(std::string_view file, Records& records, std::size_t added_from) const override;
  /// Of the status manual beats automatic, two manual choices are a conflict. What belongs to the whole group stays if
  /// one side removed it and the other changed it.
  std::optional<Reconciled> reconcile(const Sides& sides) const override;
  /// Among choices of one best priority the one that was there first stays. Reports choices whose group, slave or
  /// manual choice another layer removed, and links that two slaves claim.
  void settle(FileMerge& merge) const override;
  std::string explain(const Conflict& conflict) const override;
  /// The group's link, /etc/alternatives/NAME and the same two for each slave, absent where the choice has no such
  /// slave.
  Links links(std::string_view file, const Records& records) const override;
  std::string state_link(std::string_view file) const override;
  std::string with_state_link(std::string text, std::string_view target) const override;
};

} // namespace sheaf::join
