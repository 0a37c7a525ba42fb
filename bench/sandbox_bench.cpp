// SPDX-License-Identifier: Apache-2.0
// One trivial command in a sandbox of its own with a fresh upper: what every step of an image build pays. Needs root or
// a user namespace, and a static /bin/busybox.

#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "os/temp_dir.hpp"
#include "sandbox/helper.hpp"
#include "sandbox/runtime.hpp"
#include "sandbox/zygote.hpp"

#include <benchmark/benchmark.h>

#include <filesystem>
#include <string_view>

namespace {

using namespace sheaf; // NOLINT(google-build-using-namespace): a program of its own

void trivial_run(benchmark::State& state) {
  const auto directory = os::TempDir::create("/tmp", "sheaf-bench-").value();
  const auto lower = directory.path() + "/lower";
  std::filesystem::create_directories(lower + "/bin");
  std::filesystem::copy_file("/bin/busybox", lower + "/bin/busybox");
  const auto runtime = sandbox::native_runtime();
  int count = 0;
  for (auto unused : state) {
    const auto folder = directory.path() + "/" + std::to_string(count++);
    sandbox::SandboxSpec spec;
    spec.lowers = {lower};
    spec.upper = folder + "-upper";
    spec.work = folder + "-work";
    spec.mount_point = folder + "-root";
    spec.is_volatile = true;
    for (const auto& path : {spec.upper, spec.work, spec.mount_point}) {
      std::filesystem::create_directory(path);
    }
    spec.binds = {{"/etc/hosts", "/etc/hosts", sandbox::Access::read_only, false},
                  {"/etc/hosts", "/etc/resolv.conf", sandbox::Access::read_only, false}};
    sandbox::RunCommand command;
    command.argv = {"/bin/busybox", "true"};
    spec.action = std::vector<sandbox::RunCommand>{command};
    const auto outcome = runtime->run(spec, {}, {}, {});
    if (!outcome || !outcome->status.ok()) {
      state.SkipWithError(outcome ? "the command failed" : outcome.error().summary().c_str());
      return;
    }
  }
}
BENCHMARK(trivial_run)->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(1);

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == sandbox::k_helper_argument) {
    return sandbox::zygote_main();
  }
  if (os::effective_uid() != 0 && !os::enter_user_namespace(os::OwnMounts::no)) {
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
