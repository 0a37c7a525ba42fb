// SPDX-License-Identifier: Apache-2.0
#pragma once

// The SQLite index of a store: recipe keys to content keys, and the history of builds.

#include "base/digest.hpp"
#include "sql/database.hpp"
#include "store/layer_record.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::store {

class Index {
public:
  /// `corrupt` if the file is not an index of ours.
  static Result<Index> open(const std::string& path);
  Result<void> add(const LayerRecord& record);
  Result<std::optional<ContentKey>> content_of(const RecipeKey& recipe);
  /// The recipes that gave this content.
  Result<std::vector<RecipeKey>> recipes_of(const ContentKey& content);
  /// Forgets recipes, for layers whose files are gone.
  Result<void> remove(const std::vector<RecipeKey>& recipes);
  /// How long the newest build of a layer of this name took; nothing if it was never built here.
  Result<std::optional<std::int64_t>> last_build_ms(const std::string& name);
  /// The recipes of layers of this name, the newest first.
  Result<std::vector<RecipeKey>> history(const std::string& name);
  /// `corrupt` if SQLite finds its file inconsistent.
  Result<void> check();
  /// Every recipe and its content.
  Result<std::vector<std::pair<RecipeKey, ContentKey>>> rows();
  /// The newest recipes of all, at most so many.
  Result<std::vector<RecipeKey>> latest(std::size_t most);
  /// The newest recipe of every name.
  Result<std::vector<RecipeKey>> newest();

private:
  explicit Index(sql::Database database) : m_database(std::move(database)) {}
  sql::Database m_database;
};

} // namespace sheaf::store
