// SPDX-License-Identifier: Apache-2.0
#include "store/index.hpp"

#include "store/schema.hpp"

namespace sheaf::store {

Result<Index> Index::open(const std::string& path) {
  SHEAF_TRY_ASSIGN(auto database, sql::Database::open(path));
  SHEAF_TRY(database.execute(k_schema));
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

Result<void> Index::remove(const RecipeKey& recipe) {
  SHEAF_TRY_ASSIGN(auto statement, m_database.prepare("DELETE FROM recipe WHERE recipe_key = ?"));
  SHEAF_TRY(statement.bind(0, recipe.hex()).step());
  return {};
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

Result<std::vector<RecipeKey>> Index::history(const std::string& name) {
  SHEAF_TRY_ASSIGN(auto statement,
                   m_database.prepare("SELECT recipe_key FROM recipe WHERE name = ? ORDER BY created DESC"));
  statement.bind(0, name);
  return keys_of(statement);
}

} // namespace sheaf::store
