// SPDX-License-Identifier: Apache-2.0
#include "sql/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

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

Result<bool> Statement::step() {
  const int result = sqlite3_step(m_statement.get());
  if (result == SQLITE_ROW) {
    return true;
  }
  if (result == SQLITE_DONE) {
    return false;
  }
  return error_of(sqlite3_db_handle(m_statement.get()), result, "reading the index");
}

std::string Statement::text(int column) const {
  const auto* text = sqlite3_column_text(m_statement.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column));
  return text != nullptr ? std::string(reinterpret_cast<const char*>(text), size) : std::string();
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(m_statement.get(), column); }

Result<Database> Database::open(const std::string& path) {
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
    return error_of(m_handle.get(), result, "changing the index");
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
