// SPDX-License-Identifier: Apache-2.0
// Store::commit of a layer of five small files: what every layer pays for being on the disk before it has a name. The
// store is below TMPDIR, and what other programs have not yet written there is part of the time.

#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <benchmark/benchmark.h>

#include <string>

#include "tools/small_layer.hpp"

namespace sheaf {
namespace {

void commit(benchmark::State& state) {
  const auto folder = os::TempDir::create(os::environment("TMPDIR").value_or("/tmp"), "sheaf-bench-").value();
  auto store = store::Store::open(folder.path() + "/store").value();
  int number = 0;
  for (auto unused : state) {
    state.PauseTiming();
    const auto staging = store.stage().value();
    const auto record = bench::make_small_layer(staging, std::nullopt, number++).value();
    state.ResumeTiming();
    if (const auto layer = store.commit(staging.file("layer"), record); !layer) {
      state.SkipWithError(layer.error().summary().c_str());
      return;
    }
  }
}
BENCHMARK(commit)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(100);

} // namespace
} // namespace sheaf
