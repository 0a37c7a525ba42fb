// SPDX-License-Identifier: Apache-2.0
#include "join/rpm_database.hpp"

#include "join/package_texts.hpp"
#include "join/rpm_index.hpp"
#include "sql/database.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace sheaf::join {

namespace {

constexpr std::string_view k_packages =
    "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)";

/// Signing keys: rpm keeps each as a package of this name.
constexpr std::string_view k_key_package = "gpg-pubkey";

std::string_view package_of(std::string_view key) { return key.substr(0, key.find('\n')); }

Error not_a_database(std::string_view file, const Error& cause) {
  return {ErrorCode::corrupt, fmt::format("'/{}' is no rpm database: {}", file, cause.message())};
}

Error foreign(std::string_view file, std::string_view what) {
  return Error(ErrorCode::unsupported, fmt::format("'/{}' has {}, which this version cannot keep", file, what))
      .with_hint("databases of rpm 4.16 to 4.20 can be joined");
}

/// Only what rpm itself puts there: nothing of a database that came from elsewhere may be lost or run.
Result<void> check_schema(std::string_view file, sql::Database& database) {
  SHEAF_TRY_ASSIGN(auto query, database.prepare("SELECT type, name, sql FROM sqlite_master"));
  bool found = false;
  for (;;) {
    SHEAF_TRY_ASSIGN(const bool row, query.step());
    if (!row) {
      break;
    }
    const auto type = query.text(0);
    const auto name = query.text(1);
    const auto tables = rpm_tables();
    const bool known = name == "Packages" || name.starts_with("sqlite_") ||
                       std::any_of(tables.begin(), tables.end(), [&](const auto& table) { return table.name == name; });
    if (type != "index" && (type != "table" || !known)) {
      return foreign(file, fmt::format("the {} '{}'", type, name));
    }
    if (name == "Packages" && query.text(2) != k_packages) {
      return foreign(file, "a table 'Packages' of another form");
    }
    found = found || name == "Packages";
  }
  if (!found) {
    return Error(ErrorCode::corrupt, fmt::format("'/{}' is no rpm database: it has no table 'Packages'", file));
  }
  return {};
}

/// The packages in the order of the database, keyed as if each were installed in one version only.
Result<Records> read_packages(std::string_view file, sql::Database& database) {
  SHEAF_TRY_ASSIGN(auto query, database.prepare("SELECT hnum, blob FROM Packages ORDER BY hnum"));
  Records records;
  for (;;) {
    SHEAF_TRY_ASSIGN(const bool row, query.step());
    if (!row) {
      return records;
    }
    const auto doing = fmt::format("reading package {} of '/{}'", query.integer(0), file);
    SHEAF_TRY_ASSIGN(auto value, normalised(query.blob(1)).context(doing));
    SHEAF_TRY_ASSIGN(const RpmHeader header, RpmHeader::parse(value));
    auto key = header.name_and_architecture();
    if (key.find('\n') != std::string::npos) {
      return Error(ErrorCode::corrupt, fmt::format("{}: a name with a newline", doing));
    }
    records.push_back({std::move(key), std::move(value)});
  }
}

std::string version_of(const std::string& value) {
  const auto header = RpmHeader::parse(value);
  return header ? header->version() : "unknown";
}

/// Signing keys, and packages installed in several versions, are told apart by their version.
void add_versions(Records& records) {
  std::unordered_map<std::string, std::size_t> count;
  for (const auto& record : records) {
    ++count[record.key];
  }
  for (auto& record : records) {
    if (count[record.key] > 1 || record.key == k_key_package) {
      record.key += "\n" + version_of(record.value);
    }
  }
}

Result<void> create_tables(sql::Database& database) {
  SHEAF_TRY(database.execute("PRAGMA page_size = 4096; PRAGMA encoding = 'UTF-8'; " + std::string(k_packages)));
  for (const auto& table : rpm_tables()) {
    SHEAF_TRY(database.execute(fmt::format("CREATE TABLE '{}' (key '{}' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER "
                                           "NOT NULL, FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))",
                                           table.name, table.type == RpmKeyType::text ? "TEXT" : "BLOB")));
  }
  return {};
}

/// After the rows: an index made in one go is dense, and its bytes depend on the rows alone.
Result<void> create_indexes(sql::Database& database) {
  for (const auto& table : rpm_tables()) {
    if (table.index != RpmKeyIndex::none) {
      SHEAF_TRY(database.execute(fmt::format("CREATE INDEX '{0}_key_idx' ON '{0}'(key ASC)", table.name)));
    }
    if (table.index == RpmKeyIndex::key_and_package) {
      SHEAF_TRY(database.execute(fmt::format("CREATE INDEX '{0}_hnum_idx' ON '{0}'(hnum ASC)", table.name)));
    }
  }
  return {};
}

Result<void> insert_packages(sql::Database& database, const Records& records) {
  SHEAF_TRY_ASSIGN(auto insert, database.prepare("INSERT INTO Packages (hnum, blob) VALUES (?, ?)"));
  std::int64_t number = 0;
  for (const auto& record : records) {
    SHEAF_TRY(insert.bind(0, ++number).bind_blob(1, record.value).step());
    insert.reset();
  }
  return {};
}

Result<void> insert_index(sql::Database& database, const RpmTable& table, const std::vector<RpmHeader>& headers) {
  SHEAF_TRY_ASSIGN(auto insert, database.prepare(fmt::format("INSERT INTO '{}' VALUES (?, ?, ?)", table.name)));
  std::int64_t number = 0;
  for (const auto& header : headers) {
    ++number;
    for (const auto& row : rpm_index_rows(table, header)) {
      if (table.type == RpmKeyType::text) {
        insert.bind(0, std::string_view(row.key));
      } else {
        insert.bind_blob(0, row.key);
      }
      SHEAF_TRY(insert.bind(1, number).bind(2, static_cast<std::int64_t>(row.position)).step());
      insert.reset();
    }
  }
  return {};
}

Result<std::string> write_database(const Records& records) {
  std::vector<RpmHeader> headers;
  headers.reserve(records.size());
  for (const auto& record : records) {
    SHEAF_TRY_ASSIGN(auto header, RpmHeader::parse(record.value));
    headers.push_back(std::move(header));
  }
  SHEAF_TRY_ASSIGN(auto database, sql::Database::in_memory());
  SHEAF_TRY(create_tables(database));
  SHEAF_TRY_ASSIGN(auto transaction, sql::Transaction::begin(database));
  SHEAF_TRY(insert_packages(database, records));
  for (const auto& table : rpm_tables()) {
    SHEAF_TRY(insert_index(database, table, headers));
  }
  SHEAF_TRY(create_indexes(database));
  SHEAF_TRY(transaction.commit());
  return database.serialise();
}

std::string state_of(const std::optional<std::string>& value) {
  return value ? fmt::format("version {}", version_of(*value)) : "removed";
}

} // namespace

bool RpmDatabase::owns(std::string_view file) const {
  return std::find(k_rpm_database_files.begin(), k_rpm_database_files.end(), file) != k_rpm_database_files.end();
}

Result<Records> RpmDatabase::parse(std::string_view file, std::string_view text) const {
  if (text.empty()) {
    return Records(); // what SQLite makes of a database before anything is written
  }
  auto database = sql::Database::from_bytes(text);
  if (!database) {
    return not_a_database(file, database.error());
  }
  SHEAF_TRY(check_schema(file, *database));
  SHEAF_TRY_ASSIGN(auto records, read_packages(file, *database));
  add_versions(records);
  return with_unique_keys(file, std::move(records));
}

Result<std::string> RpmDatabase::print(std::string_view file, const Records& records) const {
  return write_database(records).context(fmt::format("writing '/{}'", file));
}

void RpmDatabase::settle(FileMerge& merge) const {
  // One layer has a package in one version, another in several: the same version is the same package, any other is
  // one more version, which only a layer that says so may add.
  std::unordered_map<std::string, std::vector<const MergedRecord*>> several;
  for (const auto& merged : merge.records) {
    const std::string package(package_of(merged.record.key));
    if (package.size() != merged.record.key.size() && package != k_key_package) {
      several[package].push_back(&merged);
    }
  }
  std::unordered_set<std::string> repeated;
  for (const auto& merged : merge.records) {
    const auto found = several.find(merged.record.key);
    if (found == several.end()) {
      continue;
    }
    const auto& all = found->second;
    const bool same = std::any_of(all.begin(), all.end(),
                                  [&](const auto* other) { return other->record.value == merged.record.value; });
    if (same && merged.set_by != k_base) {
      repeated.insert(merged.record.key);
      continue;
    }
    const auto name_of = [&](const MergedRecord& one) {
      return one.set_by == k_base ? std::string() : std::string(merge.layers[one.set_by].name);
    };
    const bool first = merged.set_by == k_base || (all[0]->set_by != k_base && merged.set_by < all[0]->set_by);
    const auto& a = first ? merged : *all[0];
    const auto& b = first ? *all[0] : merged;
    merge.conflicts.push_back(with_texts(*this, {std::string(name()),
                                                 std::string(merge.file),
                                                 merged.record.key,
                                                 name_of(a),
                                                 name_of(b),
                                                 a.record.value,
                                                 b.record.value,
                                                 {},
                                                 {}}));
  }
  const auto is_repeated = [&](const MergedRecord& merged) { return repeated.contains(merged.record.key); };
  merge.records.erase(std::remove_if(merge.records.begin() + static_cast<std::ptrdiff_t>(merge.added_from),
                                     merge.records.end(), is_repeated),
                      merge.records.end());
}

std::string RpmDatabase::explain(const Conflict& conflict) const {
  return package_conflict_text(package_of(conflict.key), conflict, state_of(conflict.value_a),
                               state_of(conflict.value_b));
}

std::string RpmDatabase::other_remedy(const Conflict& conflict) const {
  return one_snapshot_text(package_of(conflict.key));
}

bool RpmLog::owns(std::string_view file) const {
  constexpr std::string_view k_end = "-wal";
  return file.ends_with(k_end) && RpmDatabase().owns(file.substr(0, file.size() - k_end.size()));
}

Result<Records> RpmLog::parse(std::string_view file, std::string_view text) const {
  if (text.empty()) {
    return Records();
  }
  return Error(ErrorCode::corrupt,
               fmt::format("'/{}' is not empty: rpm was stopped before its database was whole", file))
      .with_hint("let the layer's last step be 'rpm --rebuilddb', which makes it whole");
}

Result<std::string> RpmLog::print(std::string_view /*file*/, const Records& /*records*/) const { return std::string(); }

} // namespace sheaf::join
