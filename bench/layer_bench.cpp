// SPDX-License-Identifier: Apache-2.0
// Inventories as large as those of real layers: a toolchain has some 30,000 entries.

#include "layer/inventory.hpp"
#include "layer/overlap.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>

namespace sheaf::layer {
namespace {

constexpr int k_files_per_folder = 50;

Entry entry_at(std::string path, EntryType type) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = type;
  entry.mode = type == EntryType::directory ? 0755 : 0644;
  entry.mtime = 1'700'000'000;
  return entry;
}

/// `count` entries below usr/lib/`owner`, all parents listed, sorted.
std::string inventory_text(const std::string& owner, int count) {
  Inventory inventory;
  for (const auto* parent : {"usr", "usr/lib"}) {
    inventory.entries.push_back(entry_at(parent, EntryType::directory));
  }
  const auto root = "usr/lib/" + owner;
  inventory.entries.push_back(entry_at(root, EntryType::directory));
  for (int i = 0; static_cast<int>(inventory.entries.size()) < count; ++i) {
    const auto folder = fmt::format("{}/folder{:05}", root, i / k_files_per_folder);
    if (i % k_files_per_folder == 0) {
      inventory.entries.push_back(entry_at(folder, EntryType::directory));
    }
    auto file = entry_at(fmt::format("{}/module{:06}.py", folder, i), EntryType::file);
    file.size = static_cast<std::uint64_t>(i);
    file.digest = Digest::of(file.path);
    inventory.entries.push_back(std::move(file));
  }
  return serialise(inventory);
}

void set_lines(benchmark::State& state, std::int64_t lines) { state.SetItemsProcessed(state.iterations() * lines); }

void split_lines(benchmark::State& state) {
  const auto text = inventory_text("python", static_cast<int>(state.range(0)));
  for (auto _ : state) {
    auto lines = split_inventory(text);
    if (!lines) {
      state.SkipWithError("the inventory does not split");
    }
    benchmark::DoNotOptimize(lines);
  }
  set_lines(state, state.range(0));
}
BENCHMARK(split_lines)->Name("inventory/split")->Arg(30'000)->Unit(benchmark::kMillisecond);

void parse_entries(benchmark::State& state) {
  const auto text = inventory_text("python", static_cast<int>(state.range(0)));
  for (auto _ : state) {
    auto inventory = parse_inventory(text);
    if (!inventory) {
      state.SkipWithError("the inventory does not parse");
    }
    benchmark::DoNotOptimize(inventory);
  }
  set_lines(state, state.range(0));
}
BENCHMARK(parse_entries)->Name("inventory/parse")->Arg(30'000)->Unit(benchmark::kMillisecond);

void overlaps(benchmark::State& state) {
  std::vector<std::string> texts;
  std::vector<LayerPaths> layers;
  for (int i = 0; i < state.range(0); ++i) {
    texts.push_back(inventory_text(fmt::format("layer{}", i), static_cast<int>(state.range(1))));
  }
  for (const auto& text : texts) {
    auto lines = split_inventory(text);
    if (!lines) {
      std::abort();
    }
    layers.push_back({fmt::format("layer{}", layers.size()), {}, {}, std::move(*lines)});
  }
  const OverlapQuestions questions{
      [](const std::string& path) { return std::optional(entry_at(path, EntryType::directory)); }, {}};
  for (auto _ : state) {
    auto found = find_overlaps(layers, questions);
    if (!found || !found->conflicts.empty()) {
      state.SkipWithError("the layers overlap");
    }
    benchmark::DoNotOptimize(found);
  }
  set_lines(state, state.range(0) * state.range(1));
}
BENCHMARK(overlaps)->Name("overlap/find")->Args({6, 10'000})->Unit(benchmark::kMillisecond);

} // namespace
} // namespace sheaf::layer
