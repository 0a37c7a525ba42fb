// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "sql/database.hpp"

#include <gtest/gtest.h>

namespace sheaf::sql {
namespace {

class Sql : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  Database open() const {
    auto database = Database::open(path("a.db")).value();
    EXPECT_TRUE(database.execute("CREATE TABLE IF NOT EXISTS t (name TEXT, number INTEGER)"));
    return database;
  }
  static std::int64_t count(Database& database) {
    auto statement = database.prepare("SELECT count(*) FROM t").value();
    EXPECT_TRUE(statement.step().value());
    return statement.integer(0);
  }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-sql-").value();
};

TEST_F(Sql, KeepsTextAndNumbers) {
  auto database = open();
  const std::string text("it's\0odd \xc3\xa9", 12);
  auto insert = database.prepare("INSERT INTO t VALUES (?, ?)").value();
  ASSERT_FALSE(insert.bind(0, text).bind(1, std::int64_t{-5'000'000'000}).step().value());
  auto again = open();
  auto select = again.prepare("SELECT name, number, NULL FROM t").value();
  ASSERT_TRUE(select.step().value());
  EXPECT_EQ(select.text(0), text);
  EXPECT_EQ(select.integer(1), -5'000'000'000);
  EXPECT_EQ(select.text(2), "");
  EXPECT_FALSE(select.step().value());
}

TEST_F(Sql, ATransactionThatIsNotCommittedNeverWas) {
  auto database = open();
  {
    const auto transaction = Transaction::begin(database).value();
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES ('a', 1)"));
    EXPECT_EQ(count(database), 1);
  }
  EXPECT_EQ(count(database), 0);
  auto transaction = Transaction::begin(database).value();
  ASSERT_TRUE(database.execute("INSERT INTO t VALUES ('a', 1)"));
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(count(database), 1);
}

TEST_F(Sql, AMovedTransactionEndsOnce) {
  auto database = open();
  {
    auto first = Transaction::begin(database).value();
    const auto second = std::move(first);
  }
  EXPECT_TRUE(Transaction::begin(database));
}

TEST_F(Sql, BadStatementsAreErrors) {
  auto database = open();
  EXPECT_FALSE(database.execute("CREATE NONSENSE"));
  EXPECT_FALSE(database.prepare("SELECT * FROM none"));
}

TEST_F(Sql, AFileThatIsNoDatabaseIsCorrupt) {
  ASSERT_TRUE(os::write_file(path("bad.db"), std::string(4096, 'x')));
  auto database = Database::open(path("bad.db"));
  const auto result = database ? database->execute("CREATE TABLE t (a)") : Result<void>(database.error());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::corrupt);
}

TEST_F(Sql, OpenItselfReportsACorruptFile) {
  ASSERT_TRUE(os::write_file(path("bad.db"), std::string(4096, 'x')));
  const auto database = Database::open(path("bad.db"));
  ASSERT_FALSE(database) << "database.hpp promises 'corrupt' from open()";
  EXPECT_EQ(database.error().code(), ErrorCode::corrupt);
}

TEST_F(Sql, AFolderThatIsNotThereIsAnError) { EXPECT_FALSE(Database::open(path("none/a.db"))); }

Database filled(std::string_view name) {
  auto database = Database::in_memory().value();
  EXPECT_TRUE(database.execute("CREATE TABLE t (name TEXT, bytes BLOB)"));
  auto insert = database.prepare("INSERT INTO t VALUES (?, ?)").value();
  EXPECT_TRUE(insert.bind(0, name).bind_blob(1, std::string_view("\0\xff", 2)).step());
  insert.reset();
  EXPECT_TRUE(insert.bind(0, std::string_view("again")).step());
  return database;
}

TEST(SqlBytes, ADatabaseGoesThroughItsBytes) {
  const auto bytes = filled("a").serialise().value();
  auto copy = Database::from_bytes(bytes).value();
  auto select = copy.prepare("SELECT name, bytes FROM t").value();
  ASSERT_TRUE(select.step().value());
  EXPECT_EQ(select.text(0), "a");
  EXPECT_EQ(select.blob(1), std::string("\0\xff", 2));
  ASSERT_TRUE(select.step().value());
  EXPECT_EQ(select.text(0), "again");
  EXPECT_EQ(select.blob(1), std::string("\0\xff", 2)) << "parameters keep their values";
  EXPECT_FALSE(select.step().value());
  select.reset();
  EXPECT_FALSE(copy.execute("INSERT INTO t VALUES ('b', '')")) << "read only";
  EXPECT_EQ(copy.serialise().value(), bytes);
}

TEST(SqlBytes, SameStatementsSameBytes) {
  EXPECT_EQ(filled("a").serialise().value(), filled("a").serialise().value());
  auto changed = filled("a");
  ASSERT_TRUE(changed.execute("PRAGMA user_version = 7; PRAGMA user_version = 0"));
  EXPECT_EQ(changed.serialise().value(), filled("a").serialise().value()) << "how often it changed does not show";
}

TEST_F(Sql, AFileInWriteAheadModeIsReadFromItsBytes) {
  {
    auto database = open();
    ASSERT_TRUE(database.execute("PRAGMA journal_mode = WAL; INSERT INTO t VALUES ('a', 1)"));
  }
  auto copy = Database::from_bytes(os::read_file(path("a.db")).value()).value();
  EXPECT_EQ(count(copy), 1);
}

TEST(SqlBytes, OtherBytesAreCorrupt) {
  EXPECT_EQ(Database::from_bytes("").error().code(), ErrorCode::corrupt);
  EXPECT_EQ(Database::from_bytes(std::string(4096, 'x')).error().code(), ErrorCode::corrupt);
  const auto whole = filled("a").serialise().value();
  for (std::size_t size = 0; size < whole.size(); size += 64) {
    auto database = Database::from_bytes(std::string_view(whole).substr(0, size));
    EXPECT_FALSE(database && database->execute("SELECT * FROM t")) << size;
  }
}

} // namespace
} // namespace sheaf::sql
