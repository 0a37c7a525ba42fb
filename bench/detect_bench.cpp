// SPDX-License-Identifier: Apache-2.0
// Detection with the rules of the built-in catalogue over projects of 10,000 and 100,000 files, 20 in each folder, with
// an ignore file of 30 patterns at the root and one in every fiftieth folder. One folder in fifty is ignored.

#include "catalogue/builtin.hpp"
#include "resolve/detection.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sheaf::detect {
namespace {

namespace fs = std::filesystem;

constexpr int k_inner_folders = 49;
constexpr int k_files_per_folder = 20;

/// A project that is removed at the end.
class Project {
public:
  explicit Project(std::int64_t files) {
    std::string name = (fs::temp_directory_path() / "sheaf-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      std::abort();
    }
    m_root = name;
    const auto tops = files / (k_files_per_folder * (k_inner_folders + 1));
    for (int top = 0; top < tops; ++top) {
      const auto module = m_root / fmt::format("module{}", top);
      fill(module);
      std::ofstream(module / ".gitignore") << "/generated/\n*.log\n";
      for (int inner = 1; inner < k_inner_folders; ++inner) {
        fill(module / fmt::format("group{}", inner % 7) / fmt::format("part{}", inner));
      }
      fill(module / "out");
    }
    std::ofstream ignored(m_root / ".gitignore");
    ignored << "out/\n*.o\n!keep.o\n/build-*/\n**/cache/**/x\n[Tt]humbs.db\n";
    for (int i = 0; i < 24; ++i) {
      ignored << fmt::format("name{}\n", i);
    }
    std::ofstream(m_root / "module7" / "package.json") << R"({"engines": {"node": ">=18"}})"
                                                       << "\n";
    std::ofstream(m_root / "pyproject.toml") << "[project]\nrequires-python = '>=3.9'\n";
  }
  Project(const Project&) = delete;
  Project& operator=(const Project&) = delete;
  ~Project() {
    std::error_code ignored;
    fs::remove_all(m_root, ignored);
  }
  std::string root() const { return m_root.string(); }

private:
  static void fill(const fs::path& folder) {
    fs::create_directories(folder);
    for (int i = 0; i < k_files_per_folder; ++i) {
      std::ofstream(folder / fmt::format("source{}.cc", i));
    }
  }
  fs::path m_root;
};

void detect_project(benchmark::State& state) {
  const Project project(state.range(0));
  Diagnostics diagnostics;
  const auto rules = resolve::detection_rules(catalogue::Catalogue(catalogue::builtin_layers(diagnostics)));
  for (auto _ : state) {
    const auto found = detect(project.root(), rules);
    if (!found || found->findings.size() != 2 || found->findings[0].line != 2) {
      state.SkipWithError("not the two findings");
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(detect_project)->Name("detect/files")->Arg(10000)->Arg(100000)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace sheaf::detect
