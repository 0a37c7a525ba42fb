// SPDX-License-Identifier: Apache-2.0
#pragma once

// SQLite as Database, Statement and Transaction; nothing else includes sqlite3.h.

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sheaf::sql {

/// A prepared statement. Columns and parameters count from 0. Text views are valid until the next step().
class Statement {
public:
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::int64_t value);
  Statement& bind_blob(int index, std::string_view bytes);
  /// True if there is a row. `corrupt`, `busy`, `no_space`, … on failure.
  Result<bool> step();
  std::string text(int column) const;
  std::int64_t integer(int column) const;
  /// Bytes as they are, of a text or a blob.
  std::string blob(int column) const;
  /// Makes the statement ready to be run again; parameters keep their values.
  void reset();

private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : m_statement(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> m_statement;
};

/// One connection; not to be shared between threads. Waits up to 30 s for other processes.
class Database {
public:
  /// Opens or creates `path`. `corrupt` if it is not a database.
  static Result<Database> open(const std::string& path);
  /// An empty database that lives in memory only.
  static Result<Database> in_memory();
  /// The database file `bytes`, which may come from anywhere, in memory and read only: nothing its schema says is run.
  /// A file in write-ahead mode is read as it is, without its log. `corrupt` if it is not a database.
  static Result<Database> from_bytes(std::string_view bytes);
  /// The bytes of the file this database is, or would be. What SQLite writes of itself into the header (its version,
  /// how often the file changed) is replaced by fixed values, so the same statements give the same bytes.
  Result<std::string> serialise() const;
  /// Runs one or more statements without results.
  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);

private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> m_handle;
};

/// BEGIN IMMEDIATE; rolled back on destruction unless committed.
class [[nodiscard]] Transaction {
public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : m_database(std::exchange(other.m_database, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

private:
  explicit Transaction(Database& database) : m_database(&database) {}
  Database* m_database;
};

} // namespace sheaf::sql
