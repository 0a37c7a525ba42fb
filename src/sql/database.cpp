// SPDX-License-Identifier: Apache-2.0
#include "sql/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <utility>

namespace sheaf::sql {
namespace {

ErrorCode code_of(int result) {
  switch (result & 0xFF) {
  case SQLITE_NOTADB:
  case SQLITE_CORRUPT:
    return ErrorCode::corrupt;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return ErrorCode::busy;
  case SQLITE_FULL:
    return ErrorCode::no_space;
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_CANTOPEN:
    return ErrorCode::denied;
  default:
    return ErrorCode::internal;
  }
}

Error error_of(sqlite3* handle, int result, std::string_view doing) {
  return {code_of(result), fmt::format("{}: {}", doing, handle != nullptr ? sqlite3_errmsg(handle) : "out of memory")};
}

/// MAX_PATHNAME of SQLite's os_unix.c, less what is appended for the journal.
constexpr std::size_t k_longest_path = 512 - 8;

// Offsets in the header of a database file. Source: sqlite.org/fileformat2.html, "The Database Header".
constexpr std::size_t k_header_size = 100;
constexpr std::size_t k_page_size = 16;
constexpr std::size_t k_write_version = 18;
constexpr std::size_t k_change_counter = 24;
constexpr std::size_t k_page_count = 28;
constexpr std::size_t k_version_valid_for = 92;
constexpr std::size_t k_version_number = 96;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) {
    value = value << 8U | static_cast<unsigned char>(byte);
  }
  return value;
}

/// SQLite takes what a file lacks for zeros, and so would read a file that was cut as one with other content.
bool is_whole(std::string_view bytes) {
  if (bytes.size() < k_header_size) {
    return false;
  }
  const auto stored = big_endian(bytes.substr(k_page_size, 2));
  const std::uint64_t page_size = stored == 1 ? 65536 : stored; // 65536 has no room in two bytes
  return page_size != 0 && bytes.size() % page_size == 0 &&
         bytes.size() / page_size >= big_endian(bytes.substr(k_page_count, 4));
}

} // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Statement& Statement::bind(int index, std::string_view text) {
  // SQLite copies the text at once: SQLITE_TRANSIENT, spelled out because its macro holds an old-style cast.
  const auto transient = reinterpret_cast<sqlite3_destructor_type>(static_cast<std::intptr_t>(-1));
  sqlite3_bind_text(m_statement.get(), index + 1, text.data(), static_cast<int>(text.size()), transient);
  return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(m_statement.get(), index + 1, value);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  const auto transient = reinterpret_cast<sqlite3_destructor_type>(static_cast<std::intptr_t>(-1));
  sqlite3_bind_blob64(m_statement.get(), index + 1, bytes.data(), bytes.size(), transient);
  return *this;
}

Result<bool> Statement::step() {
  const int result = sqlite3_step(m_statement.get());
  if (result == SQLITE_ROW) {
    return true;
  }
  if (result == SQLITE_DONE) {
    return false;
  }
  const bool is_query = sqlite3_stmt_readonly(m_statement.get()) != 0;
  return error_of(sqlite3_db_handle(m_statement.get()), result, is_query ? "reading the index" : "writing the index");
}

std::string Statement::text(int column) const {
  const auto* text = sqlite3_column_text(m_statement.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column));
  return text != nullptr ? std::string(reinterpret_cast<const char*>(text), size) : std::string();
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(m_statement.get(), column); }

std::string Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(m_statement.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column));
  return bytes != nullptr ? std::string(bytes, size) : std::string();
}

void Statement::reset() { sqlite3_reset(m_statement.get()); }

Result<Database> Database::in_memory() {
  Database database;
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.m_handle.reset(handle);
  if (result != SQLITE_OK) {
    return error_of(handle, result, "opening a database in memory");
  }
  sqlite3_extended_result_codes(handle, 1);
  return database;
}

Result<Database> Database::from_bytes(std::string_view bytes) {
  if (!is_whole(bytes)) {
    return Error(ErrorCode::corrupt, "opening a database: the file is too short");
  }
  SHEAF_TRY_ASSIGN(Database database, in_memory());
  auto* handle = database.m_handle.get();
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  auto* copy = static_cast<unsigned char*>(sqlite3_malloc64(bytes.size()));
  if (copy == nullptr) {
    return Error(ErrorCode::internal, "opening a database: out of memory");
  }
  std::copy(bytes.begin(), bytes.end(), copy);
  // Without a file there can be no log beside it, and SQLite refuses a header that says there may be one.
  std::fill_n(copy + k_write_version, 2, static_cast<unsigned char>(1));
  const auto size = static_cast<sqlite3_int64>(bytes.size());
  const int result = sqlite3_deserialize(handle, "main", copy, size, size,
                                         SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY);
  if (result != SQLITE_OK) {
    return error_of(handle, result, "opening a database");
  }
  SHEAF_TRY(database.execute("PRAGMA cell_size_check = ON; PRAGMA schema_version").context("opening a database"));
  return database;
}

Result<std::string> Database::serialise() const {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(sqlite3_serialize(m_handle.get(), "main", &size, 0),
                                                              sqlite3_free);
  if (bytes == nullptr || static_cast<std::size_t>(size) < k_header_size) {
    return Error(ErrorCode::internal, "serialising a database: out of memory");
  }
  std::string text(reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size));
  constexpr std::string_view k_once("\0\0\0\1", 4);
  constexpr std::string_view k_version("\0\x2e\x57\x48", 4); // 3037000
  text.replace(k_change_counter, 4, k_once);
  text.replace(k_version_valid_for, 4, k_once);
  text.replace(k_version_number, 4, k_version);
  return text;
}

Result<Database> Database::open(const std::string& path) {
  if (path.size() > k_longest_path) {
    return Error(ErrorCode::invalid,
                 fmt::format("opening '{}': SQLite takes paths of at most {} bytes, and this one has {}", path,
                             k_longest_path, path.size()))
        .with_hint("choose a place with a shorter path, for example with --root or SHEAF_ROOT");
  }
  Database database;
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.m_handle.reset(handle);
  if (result != SQLITE_OK) {
    return error_of(handle, result, fmt::format("opening '{}'", path));
  }
  sqlite3_busy_timeout(handle, 30'000);
  sqlite3_extended_result_codes(handle, 1);
  // SQLite looks at the file only when it has to; this makes it look.
  SHEAF_TRY(database.execute("PRAGMA schema_version").context(fmt::format("opening '{}'", path)));
  return database;
}

Result<void> Database::execute(const std::string& sql) {
  const int result = sqlite3_exec(m_handle.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) {
    return error_of(m_handle.get(), result, "writing the index");
  }
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v2(m_handle.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (result != SQLITE_OK) {
    return error_of(m_handle.get(), result, "preparing an index query");
  }
  return Statement(statement);
}

Result<Transaction> Transaction::begin(Database& database) {
  SHEAF_TRY(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (m_database != nullptr) {
    ignore(m_database->execute("ROLLBACK"), "rolling back a transaction that was not committed");
  }
}

Result<void> Transaction::commit() {
  SHEAF_TRY(m_database->execute("COMMIT"));
  m_database = nullptr;
  return {};
}

} // namespace sheaf::sql
