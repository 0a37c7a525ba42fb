// SPDX-License-Identifier: Apache-2.0
#pragma once

// The SQLite index of a store: recipe keys to content keys, and the history of builds.

#include "base/digest.hpp"
#include "sql/database.hpp"
#include "store/layer_record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sheaf::store {

class Index {
public:
  /// `corrupt` if the file is not an index of ours.
  static Result<Index> open(const std::string& path);
  Result<void> add(const LayerRecord& record);
  Result<std::optional<ContentKey>> content_of(const RecipeKey& recipe);
  /// Forgets a recipe, for a layer whose files are gone.
  Result<void> remove(const RecipeKey& recipe);
  /// How long the newest build of a layer of this name took; nothing if it was never built here.
  Result<std::optional<std::int64_t>> last_build_ms(const std::string& name);
  /// The recipes of layers of this name, the newest first.
  Result<std::vector<RecipeKey>> history(const std::string& name);
  /// The newest recipe of every name.
  Result<std::vector<RecipeKey>> newest();

private:
  explicit Index(sql::Database database) : m_database(std::move(database)) {}
  sql::Database m_database;
};

} // namespace sheaf::store
