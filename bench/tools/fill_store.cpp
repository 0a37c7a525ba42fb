// SPDX-License-Identifier: Apache-2.0
// bench_fill_store STORE LAYERS ROWS: brings a store to LAYERS small layers more, which are committed as builds commit
// theirs, and its index to ROWS recipes more, which name the contents of these layers. Prints the microseconds of each
// commit, one a line.

#include "os/file.hpp"
#include "sql/database.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "small_layer.hpp"

namespace {

using namespace sheaf; // NOLINT(google-build-using-namespace): a program of its own

Result<std::optional<store::StoredLayer>> find_base(store::Store& store) {
  SHEAF_TRY_ASSIGN(const auto layers, store.history("base"));
  return layers.empty() ? std::optional<store::StoredLayer>() : layers.front();
}

Result<std::vector<store::LayerRecord>> add_layers(store::Store& store, int count) {
  SHEAF_TRY_ASSIGN(const auto base, find_base(store));
  std::vector<store::LayerRecord> records;
  for (int i = 0; i < count; ++i) {
    SHEAF_TRY_ASSIGN(const auto staging, store.stage());
    SHEAF_TRY_ASSIGN(auto record, bench::make_small_layer(staging, base, i));
    const auto begin = std::chrono::steady_clock::now();
    SHEAF_TRY(store.commit(staging.file("layer"), record));
    const auto took = std::chrono::steady_clock::now() - begin;
    fmt::print("{}\n", std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    records.push_back(std::move(record));
  }
  return records;
}

/// As commits of other recipes would, but flushed once and in one transaction: one by one it would take an hour.
Result<void> add_rows(const std::string& root, const std::vector<store::LayerRecord>& records, int count) {
  SHEAF_TRY_ASSIGN(auto database, sql::Database::open(root + "/index.db"));
  SHEAF_TRY_ASSIGN(auto transaction, sql::Transaction::begin(database));
  SHEAF_TRY_ASSIGN(auto insert, database.prepare("INSERT OR REPLACE INTO recipe VALUES (?, ?, ?, ?, ?, ?, ?)"));
  for (int i = 0; i < count; ++i) {
    const auto& like = records.at(static_cast<std::size_t>(i) % records.size());
    const auto record = bench::with_other_recipe(like, i + static_cast<int>(records.size()));
    SHEAF_TRY(os::write_file(fmt::format("{}/recipes/{}", root, record.recipe_key.hex()), store::serialise(record)));
    insert.reset();
    SHEAF_TRY(insert.bind(0, record.recipe_key.hex())
                  .bind(1, record.content_key.hex())
                  .bind(2, record.name)
                  .bind(3, record.created)
                  .bind(4, record.build_ms)
                  .bind(5, static_cast<std::int64_t>(record.bytes))
                  .bind(6, static_cast<std::int64_t>(record.files))
                  .step());
  }
  SHEAF_TRY(transaction.commit());
  return os::sync_file_system(root);
}

Result<void> fill(const std::string& root, int layers, int rows) {
  SHEAF_TRY_ASSIGN(auto store, store::Store::open(root));
  SHEAF_TRY_ASSIGN(const auto records, add_layers(store, layers));
  return records.empty() ? Result<void>() : add_rows(root, records, rows);
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: bench_fill_store STORE LAYERS ROWS\n");
    return 2;
  }
  const auto filled = fill(argv[1], std::atoi(argv[2]), std::atoi(argv[3]));
  if (!filled) {
    fmt::print(stderr, "bench_fill_store: {}\n", filled.error().summary());
  }
  return filled ? 0 : 1;
}
