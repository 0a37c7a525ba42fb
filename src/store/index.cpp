// SPDX-License-Identifier: Apache-2.0
#include "store/index.hpp"

#include "store/schema.hpp"

#include <fmt/format.h>

namespace sheaf::store {

namespace {

/// Of schema.sql. An index of another version is made anew.
constexpr std::int64_t k_version = 2;

Result<std::int64_t> version_of(sql::Database& database) {
  SHEAF_TRY_ASSIGN(auto statement, database.prepare("PRAGMA user_version"));
  SHEAF_TRY(statement.step());
  return statement.integer(0);
}

} // namespace

Result<Index> Index::open(const std::string& path) {
  SHEAF_TRY_ASSIGN(auto database, sql::Database::open(path));
  SHEAF_TRY_ASSIGN(auto version, version_of(database));
  if (version == 0) {
    SHEAF_TRY_ASSIGN(auto transaction, sql::Transaction::begin(database));
    SHEAF_TRY_ASSIGN(version, version_of(database)); // another process may have made it meanwhile
    if (version == 0) {
      SHEAF_TRY(database.execute(fmt::format("{} PRAGMA user_version = {};", k_schema, k_version)));
      version = k_version;
    }
    SHEAF_TRY(transaction.commit());
  }
  if (version != k_version) {
    return Error(ErrorCode::corrupt, fmt::format("the index at '{}' has version {}", path, version));
  }
  return Index(std::move(database));
}

Result<void> Index::add(const LayerRecord& record) {
  SHEAF_TRY_ASSIGN(auto statement, m_database.prepare("INSERT OR REPLACE INTO recipe VALUES (?, ?, ?, ?, ?, ?, ?)"));
  statement.bind(0, record.recipe_key.hex())
      .bind(1, record.content_key.hex())
      .bind(2, record.name)
      .bind(3, record.created)
      .bind(4, record.build_ms)
      .bind(5, static_cast<std::int64_t>(record.bytes))
      .bind(6, static_cast<std::int64_t>(record.files));
  SHEAF_TRY(statement.step());
  return {};
}

Result<std::optional<ContentKey>> Index::content_of(const RecipeKey& recipe) {
  SHEAF_TRY_ASSIGN(auto statement, m_database.prepare("SELECT content_key FROM recipe WHERE recipe_key = ?"));
  SHEAF_TRY_ASSIGN(const bool found, statement.bind(0, recipe.hex()).step());
  if (!found) {
    return std::optional<ContentKey>();
  }
  SHEAF_TRY_ASSIGN(const auto digest, Digest::parse(statement.text(0)));
  return std::optional(ContentKey{digest});
}

Result<std::optional<std::int64_t>> Index::last_build_ms(const std::string& name) {
  SHEAF_TRY_ASSIGN(auto statement,
                   m_database.prepare("SELECT build_ms FROM recipe WHERE name = ? ORDER BY created DESC LIMIT 1"));
  SHEAF_TRY_ASSIGN(const bool found, statement.bind(0, name).step());
  return found ? std::optional(statement.integer(0)) : std::nullopt;
}

namespace {

/// The first column of all rows.
Result<std::vector<RecipeKey>> keys_of(sql::Statement& statement) {
  std::vector<RecipeKey> keys;
  for (;;) {
    SHEAF_TRY_ASSIGN(const bool found, statement.step());
    if (!found) {
      return keys;
    }
    SHEAF_TRY_ASSIGN(const auto digest, Digest::parse(statement.text(0)));
    keys.push_back(RecipeKey{digest});
  }
}

} // namespace

Result<std::vector<RecipeKey>> Index::newest() {
  SHEAF_TRY_ASSIGN(auto statement,
                   m_database.prepare("SELECT recipe_key, name, max(created) FROM recipe GROUP BY name"));
  return keys_of(statement);
}

Result<std::vector<RecipeKey>> Index::latest(std::size_t most) {
  SHEAF_TRY_ASSIGN(auto statement, m_database.prepare("SELECT recipe_key FROM recipe ORDER BY created DESC LIMIT ?"));
  statement.bind(0, static_cast<std::int64_t>(most));
  return keys_of(statement);
}

Result<std::vector<RecipeKey>> Index::history(const std::string& name) {
  SHEAF_TRY_ASSIGN(auto statement,
                   m_database.prepare("SELECT recipe_key FROM recipe WHERE name = ? ORDER BY created DESC"));
  statement.bind(0, name);
  return keys_of(statement);
}

Result<std::vector<RecipeKey>> Index::recipes_of(const ContentKey& content) {
  SHEAF_TRY_ASSIGN(auto statement, m_database.prepare("SELECT recipe_key FROM recipe WHERE content_key = ?"));
  statement.bind(0, content.hex());
  return keys_of(statement);
}

Result<void> Index::remove(const std::vector<RecipeKey>& recipes) {
  SHEAF_TRY_ASSIGN(auto transaction, sql::Transaction::begin(m_database));
  SHEAF_TRY_ASSIGN(auto statement, m_database.prepare("DELETE FROM recipe WHERE recipe_key = ?"));
  for (const auto& recipe : recipes) {
    SHEAF_TRY(statement.bind(0, recipe.hex()).step());
    statement.reset();
  }
  return transaction.commit();
}

Result<void> Index::check() {
  SHEAF_TRY_ASSIGN(auto statement, m_database.prepare("PRAGMA quick_check(1)"));
  SHEAF_TRY_ASSIGN(const bool found, statement.step());
  return found && statement.text(0) == "ok" ? Result<void>() : Error(ErrorCode::corrupt, statement.text(0));
}

Result<std::vector<std::pair<RecipeKey, ContentKey>>> Index::rows() {
  SHEAF_TRY_ASSIGN(auto statement, m_database.prepare("SELECT recipe_key, content_key FROM recipe"));
  std::vector<std::pair<RecipeKey, ContentKey>> rows;
  for (;;) {
    SHEAF_TRY_ASSIGN(const bool found, statement.step());
    if (!found) {
      return rows;
    }
    SHEAF_TRY_ASSIGN(const auto recipe, Digest::parse(statement.text(0)));
    SHEAF_TRY_ASSIGN(const auto content, Digest::parse(statement.text(1)));
    rows.emplace_back(RecipeKey{recipe}, ContentKey{content});
  }
}

} // namespace sheaf::store
