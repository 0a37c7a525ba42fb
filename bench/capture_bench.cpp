// SPDX-License-Identifier: Apache-2.0
// Capture of a tree as large as a toolchain's, against the least that must be done: reading every file once and hashing
// it. Root sees the marks of a real build; an ordinary user measures the same, without device nodes.

#include "builder/share_files.hpp"
#include "layer/capture.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>

namespace sheaf {
namespace {

constexpr int k_files = 25'000;
constexpr int k_files_per_folder = 40;
constexpr std::int64_t k_epoch = 1'700'000'000;

[[noreturn]] void fail(const Error& error) {
  fmt::print(stderr, "{}\n", error.summary());
  std::abort();
}

template <class T>
T sure(Result<T> result) {
  if (!result) {
    fail(result.error());
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(result).value();
  }
}

/// Seconds.
struct Times {
  double wall = 0;
  double cpu = 0;
};

class Stopwatch {
public:
  Times read() const {
    const auto now = clocks();
    return {now.wall - m_start.wall, now.cpu - m_start.cpu};
  }

private:
  static double seconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  }
  static Times clocks() { return {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)}; }
  Times m_start = clocks();
};

/// A tree with the sizes of a toolchain's layer (node: 30,675 entries, 322 MB): most files have a few kilobytes, every
/// hundredth some hundred.
class Tree {
public:
  Tree() : m_directory(sure(os::TempDir::create(os::environment("TMPDIR").value_or("/tmp"), "sheaf-bench-"))) {
    sure(os::make_directories(path("parent/usr/lib")));
    std::string content(400'000, '\0');
    for (std::size_t i = 0; i < content.size(); ++i) {
      content[i] = static_cast<char>('a' + i * i % 23);
    }
    for (std::uint32_t i = 0; i < k_files; ++i) {
      const auto folder = fmt::format("usr/lib/tool/package{:04}", i / k_files_per_folder);
      if (i % k_files_per_folder == 0) {
        sure(os::make_directories(path("upper/" + folder)));
      }
      const std::uint32_t size = i % 100 == 0 ? 100'000 + i * 7 : 200 + i * 2'654'435'761U % 16'384;
      content.replace(0, 8, fmt::format("{:08}", i));
      m_files.push_back(fmt::format("{}/module{:05}.js", folder, i));
      sure(os::write_file(path("upper/" + m_files.back()), std::string_view(content).substr(0, size)));
      m_bytes += size;
    }
  }

  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  std::uint64_t bytes() const { return m_bytes; }

  /// As a build leaves them: younger than the epoch, so that every one has to be clamped.
  void make_new() const {
    for (const auto& file : m_files) {
      utimensat(AT_FDCWD, path("upper/" + file).c_str(), nullptr, 0);
    }
  }

  /// One read and SHA-256 of all files, by one thread.
  Times read_all() const {
    const Stopwatch watch;
    std::array<char, 131072> buffer{};
    for (const auto& file : m_files) {
      const auto fd = sure(os::open(path("upper/" + file), O_RDONLY));
      Sha256 hash;
      for (auto got = ::read(fd.get(), buffer.data(), buffer.size()); got > 0;
           got = ::read(fd.get(), buffer.data(), buffer.size())) {
        hash.update({buffer.data(), static_cast<std::size_t>(got)});
      }
      benchmark::DoNotOptimize(hash.finish());
    }
    return watch.read();
  }

  layer::Captured capture() const {
    const auto parent = sure(layer::ParentView::open({path("parent")}));
    layer::CaptureOptions options;
    options.epoch = k_epoch;
    options.is_shared_state = [](std::string_view file) { return file == "etc/passwd"; };
    return sure(layer::capture(path("upper"), parent, options));
  }

private:
  os::TempDir m_directory;
  std::vector<std::string> m_files;
  std::uint64_t m_bytes = 0;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Series {
  std::vector<double> wall;
  std::vector<double> cpu;
  void add(const Times& times) {
    wall.push_back(times.wall);
    cpu.push_back(times.cpu);
  }
};

/// `ratio`: capture divided by one read and hash of the same files, each the median; both have a warm page cache.
/// `cpu_ratio` is the same in processor time, which a busy machine does not change.
void capture(benchmark::State& state) {
  const Tree tree;
  Series reads;
  Series captures;
  tree.read_all();
  for (auto _ : state) {
    tree.make_new();
    reads.add(tree.read_all());
    const Stopwatch watch;
    benchmark::DoNotOptimize(tree.capture());
    const auto took = watch.read();
    captures.add(took);
    state.SetIterationTime(took.wall);
  }
  state.counters["files"] = k_files;
  state.counters["MB"] = static_cast<double>(tree.bytes()) / 1e6;
  state.counters["read+sha256_ms"] = median(reads.wall) * 1000;
  state.counters["ratio"] = median(captures.wall) / median(reads.wall);
  state.counters["cpu_ratio"] = median(captures.cpu) / median(reads.cpu);
}
BENCHMARK(capture)->Name("capture/25000")->UseManualTime()->Iterations(5)->Unit(benchmark::kMillisecond);

/// All files of a second build of the layer become links to those of the first.
void share(benchmark::State& state) {
  const Tree stored;
  const auto inventory = layer::serialise(stored.capture().inventory);
  sure(os::make_directories(stored.path("layer")));
  sure(os::write_file(stored.path("layer/inventory"), inventory));
  sure(os::rename(stored.path("upper"), stored.path("layer/tree")));
  sure(os::sync_file_system(stored.path("layer"))); // as a commit does
  store::StoredLayer donor;
  donor.path = stored.path("layer");
  for (auto _ : state) {
    const Tree made;
    benchmark::DoNotOptimize(made.capture());
    const Stopwatch watch;
    const auto shared = sure(builder::share_files(made.path("upper"), inventory, {donor}, made.path("scratch")));
    const auto took = watch.read();
    state.SetIterationTime(took.wall);
    state.counters["cpu_ms"] = took.cpu * 1000;
    state.counters["files"] = static_cast<double>(shared.files);
    state.counters["MB"] = static_cast<double>(shared.bytes) / 1e6;
  }
}
BENCHMARK(share)->Name("share/25000")->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

/// What a stored layer that has nothing in common with the new one costs.
void share_nothing(benchmark::State& state) {
  const Tree made;
  const auto inventory = layer::serialise(made.capture().inventory);
  sure(os::make_directories(made.path("layer/tree")));
  auto text = inventory;
  for (auto at = text.find("module"); at != std::string::npos; at = text.find("module", at + 1)) {
    text.replace(at, 6, "nodule");
  }
  sure(os::write_file(made.path("layer/inventory"), text));
  store::StoredLayer donor;
  donor.path = made.path("layer");
  for (auto _ : state) {
    const auto shared = sure(builder::share_files(made.path("upper"), inventory, {donor}, made.path("scratch")));
    state.counters["files"] = static_cast<double>(shared.files);
  }
}
BENCHMARK(share_nothing)->Name("share/nothing in common")->Iterations(5)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace sheaf
