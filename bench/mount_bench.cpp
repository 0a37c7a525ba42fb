// SPDX-License-Identifier: Apache-2.0
// Mounting a stack: a detached overlay of many lowers with an upper. Needs root, or a user namespace around it:
// unshare --map-root-user --mount build-bench/bin/bench_mount

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/temp_dir.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace sheaf::os {
namespace {

void mount_stack(benchmark::State& state) {
  const auto directory = TempDir::create(environment("TMPDIR").value_or("/tmp"), "sheaf-bench-");
  if (!directory) {
    state.SkipWithError("there is no temporary directory");
    return;
  }
  Overlay overlay;
  for (int i = 0; i < state.range(0); ++i) {
    overlay.lowers.push_back(fmt::format("{}/layers/{:064}/tree", directory->path(), i));
  }
  overlay.upper = directory->path() + "/upper";
  overlay.work = directory->path() + "/work";
  auto all = overlay.lowers;
  all.insert(all.end(), {overlay.upper, overlay.work});
  for (const auto& path : all) {
    if (!make_directories(path + "/usr/bin")) {
      state.SkipWithError("the lowers cannot be made");
      return;
    }
  }
  for (auto _ : state) {
    const auto mount = mount_overlay(overlay);
    if (!mount) {
      state.SkipWithError(mount.error().summary().c_str());
      return;
    }
  }
}
BENCHMARK(mount_stack)->Name("mount")->Arg(2)->Arg(24)->Arg(60)->Arg(200)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace sheaf::os
