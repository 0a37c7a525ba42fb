// SPDX-License-Identifier: Apache-2.0
#include "base/digest.hpp"

#include <benchmark/benchmark.h>

namespace sheaf {
namespace {

void sha256(benchmark::State& state) {
  const std::string content(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    benchmark::DoNotOptimize(Digest::of(content));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
// A small file, where the start of a hash counts, up to a large one.
BENCHMARK(sha256)->Name("sha256")->Arg(64)->Arg(4096)->Arg(1 << 20)->Arg(16 << 20);

} // namespace
} // namespace sheaf
