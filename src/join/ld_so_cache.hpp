// SPDX-License-Identifier: Apache-2.0
#pragma once

// The cache of the dynamic linker, /etc/ld.so.cache, merged without running ldconfig: the union of the libraries, in
// the bytes that ldconfig would write for the composed root.

#include "join/driver.hpp"

namespace sheaf::join {

/// Keys, fields separated by tabs: "generator"; "string <text>" for a string nobody uses;
/// "library <soname> <flags> <os version> <hwcap> <path>", numbers in hex, hwcap as "0x.." or "subdirectory:isa level".
///
/// Libraries that ldconfig's order does not tell apart (one soname in two directories) stand in the order in which it
/// read the directories, which the cache does not hold. So the value of a library is the key of the equal library
/// before it, if any; merged, these are constraints on the order ("\n"-separated). Libraries without such a constraint
/// come by path.
class LdSoCache final : public Driver {
public:
  std::string_view name() const override { return "ld-so-cache"; }
  bool owns(std::string_view file) const override { return file == "etc/ld.so.cache"; }
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
  /// Leaves the order as it is: `print` sorts, for it is the order of the entries' values.
  void order(std::string_view file, Records& records, std::size_t added_from) const override;
  /// Unites the constraints; a library that one side removed is gone.
  std::optional<Reconciled> reconcile(const Sides& sides) const override;
  std::string explain(const Conflict& conflict) const override;
};

} // namespace sheaf::join
