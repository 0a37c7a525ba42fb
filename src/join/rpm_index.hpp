// SPDX-License-Identifier: Apache-2.0
#pragma once

// The index tables of an rpm database: what rpm looks packages up by, worked out of their headers.

#include "join/rpm_header.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::join {

enum class RpmKeyType { text, blob };
enum class RpmKeyIndex { none, key, key_and_package };

/// A table "key, package, position", in the order rpm creates them.
struct RpmTable {
  std::string_view name;
  RpmTag tag;
  RpmKeyType type = RpmKeyType::text;
  RpmKeyIndex index = RpmKeyIndex::key_and_package;
};

/// All tables of rpm 4.16 to 4.20.
std::span<const RpmTable> rpm_tables();

struct RpmIndexRow {
  std::string key;
  std::uint32_t position = 0;
  bool operator==(const RpmIndexRow&) const = default;
};

/// The rows of one package in one table, in rpm's order. Source: rpm, lib/rpmdb.c.
std::vector<RpmIndexRow> rpm_index_rows(const RpmTable& table, const RpmHeader& header);

/// The names a boolean dependency speaks of, sorted, no duplicates; those that make it false begin with '!'. Empty if
/// it is malformed. Source: rpm-dependencies boolean (rpm manual), lib/rpmds.c.
std::vector<std::string> names_in_rich_dependency(std::string_view text);

} // namespace sheaf::join
