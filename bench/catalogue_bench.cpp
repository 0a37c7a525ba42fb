// SPDX-License-Identifier: Apache-2.0
#include "base/diagnostics.hpp"
#include "catalogue/builtin.hpp"

#include <benchmark/benchmark.h>

namespace sheaf::catalogue {
namespace {

void builtin(benchmark::State& state) {
  std::int64_t count = 0;
  for (auto _ : state) {
    Diagnostics diagnostics;
    const auto layers = builtin_layers(diagnostics);
    if (diagnostics.has_errors()) {
      state.SkipWithError("a built-in layer does not parse");
    }
    count = static_cast<std::int64_t>(layers.size());
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(builtin)->Name("catalogue/builtin_layers")->Unit(benchmark::kMillisecond);

} // namespace
} // namespace sheaf::catalogue
