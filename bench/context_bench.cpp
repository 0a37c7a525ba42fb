// SPDX-License-Identifier: Apache-2.0
// What an unchanged context costs: every stamp is compared with the record of the last walk. Beside it a context of
// which something has changed (the tree walked, every file's stamp looked at, the digest made), the walk alone, and the
// first time, when all is read.

#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

#include "context/content_digest.hpp"
#include "context/known_tree.hpp"

namespace sheaf::context {
namespace {

template <class T>
T sure(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().summary());
    std::abort();
  }
  return std::move(*result);
}

/// A tree of `count` small files, 50 in a folder, and its cache; made once.
class Tree {
public:
  explicit Tree(int count) {
    for (int i = 0; i < count; ++i) {
      const auto folder = fmt::format("{}/tree/package-{:03}/src-{}", m_directory.path(), i / 1000, i / 50);
      if (i % 50 == 0 && !os::make_directories(folder)) {
        std::abort();
      }
      const auto file = sure(os::open(fmt::format("{}/file-{}.txt", folder, i), O_WRONLY | O_CREAT, 0644));
      if (!os::write_all(file, fmt::format("content of file {}\n", i))) {
        std::abort();
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50)); // stamps that are too young are not trusted
    auto cache = DigestCache::load(this->cache());
    benchmark::DoNotOptimize(sure(digest_of(fd(), files(), Owners::ignored, &cache)));
    if (!cache.save()) {
      std::abort();
    }
  }
  std::string path() const { return m_directory.path() + "/tree"; }
  os::Fd fd() const { return sure(os::open(path(), O_RDONLY | O_DIRECTORY)); }
  std::string cache() const { return m_directory.path() + "/cache"; }
  std::vector<SelectedSource> files() const { return sure(select(fd(), {{"."}, {}, false}, nullptr)); }

  static const Tree& of(int count) {
    static std::map<int, Tree> trees;
    return trees.try_emplace(count, count).first->second;
  }

private:
  os::TempDir m_directory = sure(os::TempDir::create("/dev/shm", "sheaf-bench-"));
};

void unchanged(benchmark::State& state) {
  const auto& tree = Tree::of(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    auto known = sure(KnownTree::open(tree.path(), "", tree.cache()));
    benchmark::DoNotOptimize(sure(known.digest({{"."}, {}, false})));
  }
}
BENCHMARK(unchanged)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();

void something_changed(benchmark::State& state) {
  const auto& tree = Tree::of(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    auto cache = DigestCache::load(tree.cache());
    benchmark::DoNotOptimize(sure(digest_of(tree.fd(), tree.files(), Owners::ignored, &cache)));
  }
}
BENCHMARK(something_changed)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

void walk_only(benchmark::State& state) {
  const auto& tree = Tree::of(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(tree.files());
  }
}
BENCHMARK(walk_only)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

void first_time(benchmark::State& state) {
  const auto& tree = Tree::of(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(sure(digest_of(tree.fd(), tree.files(), Owners::ignored, nullptr)));
  }
}
BENCHMARK(first_time)->Arg(10'000)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace sheaf::context
