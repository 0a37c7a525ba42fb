// SPDX-License-Identifier: Apache-2.0
// Detection over a project of 10,000 files in 500 folders, with the rules of a catalogue as large as ours.

#include "detect/detect.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sheaf::detect {
namespace {

namespace fs = std::filesystem;

constexpr int k_top_folders = 20;
constexpr int k_inner_folders = 24;
constexpr int k_files_per_folder = 20;

/// A project that is removed at the end.
class Project {
public:
  Project() {
    std::string name = (fs::temp_directory_path() / "sheaf-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      std::abort();
    }
    m_root = name;
    for (int top = 0; top < k_top_folders; ++top) {
      fill(m_root / fmt::format("module{}", top));
      for (int inner = 0; inner < k_inner_folders; ++inner) {
        fill(m_root / fmt::format("module{}", top) / fmt::format("part{}", inner));
      }
    }
    std::ofstream(m_root / "module7" / "package.json") << "{}\n";
    std::ofstream(m_root / "pyproject.toml") << "\n";
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
  const Project project;
  const std::vector<Rule> rules = {{"python", "pyproject.toml"},
                                   {"python", "requirements*.txt"},
                                   {"python", "setup.py"},
                                   {"node", "package.json"},
                                   {"go", "go.mod"},
                                   {"rust", "Cargo.toml"},
                                   {"java", "pom.xml"},
                                   {"java", "build.gradle*"}};
  for (auto _ : state) {
    const auto found = detect(project.root(), rules);
    if (!found || found->findings.size() != 2) {
      state.SkipWithError("not the two findings");
    }
  }
  state.SetItemsProcessed(state.iterations() * k_top_folders * (k_inner_folders + 1) * k_files_per_folder);
}
BENCHMARK(detect_project)->Name("detect/10000_files")->Unit(benchmark::kMillisecond);

} // namespace
} // namespace sheaf::detect
