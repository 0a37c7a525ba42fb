// SPDX-License-Identifier: Apache-2.0
#pragma once

// rpm's database of packages in the form rpm >= 4.16 keeps it, SQLite. Pure: the file is read and written in memory.
// Two versions of one package are a conflict, except for packages of which one layer has several versions installed
// (kernels, signing keys): those unite.

#include "join/driver.hpp"

#include <array>

namespace sheaf::join {

/// Where rpm keeps its database: rpm's own default, and that of Fedora >= 36 and its like.
inline constexpr std::array<std::string_view, 2> k_rpm_database_files = {"var/lib/rpm/rpmdb.sqlite",
                                                                         "usr/lib/sysimage/rpm/rpmdb.sqlite"};

/// Keys: "name.architecture", with "\nversion" after it for a package that is installed in several versions. Values:
/// the package's header, see `normalised`. Format: docs/formats/rpm-and-apk.md.
class RpmDatabase final : public Driver {
public:
  std::string_view name() const override { return "rpm-database"; }
  bool owns(std::string_view file) const override;
  /// `unsupported` for a database with tables this driver does not know, which it could not keep.
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
  void settle(FileMerge& merge) const override;
  std::string explain(const Conflict& conflict) const override;
  std::string other_remedy(const Conflict& conflict) const override;
};

/// SQLite's write-ahead log beside the database. rpm leaves it empty; one with content means that rpm was killed, and
/// that the database alone does not say what is installed.
class RpmLog final : public Driver {
public:
  std::string_view name() const override { return "rpm-log"; }
  bool owns(std::string_view file) const override;
  /// No records; `corrupt` with what to do about it if `text` is not empty.
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
};

} // namespace sheaf::join
