// SPDX-License-Identifier: Apache-2.0
// What we call ignored is what `git check-ignore` calls ignored, for made-up ignore files over a tree of short names.
#include "detect/ignore_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>

namespace sheaf::detect {
namespace {

namespace fs = std::filesystem;

constexpr int k_rounds = 60;

/// Names that patterns of the same few letters fit or miss narrowly.
constexpr std::array<std::string_view, 12> k_names = {"a",   "b",  "ab", "ba", "abc", "b.c",
                                                      "a b", "a ", "#a", "!b", "[a]", "a*b"};

class Patterns {
public:
  explicit Patterns(unsigned seed) : m_random(seed) {}

  std::string file() {
    std::string text;
    for (int lines = pick(5); lines >= 0; --lines) {
      text += line() + (pick(12) == 0 ? "\r\n" : "\n");
    }
    return text;
  }
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(m_random); }

private:
  std::string line() {
    constexpr std::array<std::string_view, 29> k_pieces = {
        "a",   "b",    "c",           "ab",         ".",    "*",    "*",      "**",    "?",  "/",
        "/",   "/",    "**/",         "/**",        "[ab]", "[!a]", "[^b]",   "[a-b]", "\\", "\\*",
        "\\ ", "[]a]", "[[:alpha:]]", "[[:nope:]]", "[a",   "\\#",  "[a\\]]", "***",   "#"};
    std::string line(pick(4) == 0 ? "!" : "");
    for (int pieces = pick(5); pieces >= 0; --pieces) {
      line += k_pieces.at(static_cast<std::size_t>(pick(k_pieces.size())));
    }
    line += pick(5) == 0 ? "/" : "";
    line += pick(9) == 0 ? std::string_view("  ") : std::string_view();
    return line;
  }

  std::mt19937 m_random;
};

/// A repository of folders two levels deep, removed at the end.
class Repository {
public:
  Repository() {
    auto pattern = (fs::temp_directory_path() / "sheaf-ignore-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      std::abort();
    }
    m_root = pattern;
    run("git -c init.defaultBranch=main init --quiet");
    fs::remove(m_root / ".git/info/exclude");
    fill("", 0);
  }
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;
  ~Repository() { fs::remove_all(m_root); }

  /// All paths below the root but `.git`, parents first.
  const std::map<std::string, EntryKind>& paths() const { return m_paths; }

  void write(const std::string& file, const std::string& text) const {
    std::ofstream(m_root / file, std::ios::binary) << text;
  }

  /// Without the settings of whoever runs the test.
  std::set<std::string> ignored_by_git() const {
    std::string input;
    for (const auto& [path, kind] : m_paths) {
      input += path + '\0';
    }
    write("../" + m_root.filename().string() + "/.git/asked", input);
    run("git -c core.excludesFile=/dev/null -c core.ignoreCase=false check-ignore --no-index --stdin -z < .git/asked > "
        ".git/ignored || test $? = 1");
    std::ifstream file(m_root / ".git/ignored", std::ios::binary);
    std::set<std::string> ignored;
    for (std::string path; std::getline(file, path, '\0');) {
      ignored.insert(path);
    }
    return ignored;
  }

private:
  void run(const std::string& command) const {
    const auto line = fmt::format("cd '{}' && GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent && export HOME && {{ {}; }}",
                                  m_root.string(), command);
    ASSERT_EQ(std::system(line.c_str()), 0) << line;
  }

  void fill(const std::string& folder, int depth) {
    for (std::size_t i = 0; i < k_names.size(); ++i) {
      const auto path = folder + std::string(k_names.at(i));
      const bool is_folder = depth < 2 && i % 2 == static_cast<std::size_t>(depth);
      m_paths.emplace(path, is_folder ? EntryKind::directory : EntryKind::file);
      if (is_folder) {
        fs::create_directory(m_root / path);
        fill(path + "/", depth + 1);
      } else {
        write(path, "");
      }
    }
  }

  fs::path m_root;
  std::map<std::string, EntryKind> m_paths;
};

/// By our rules: a path is ignored if it is, or a folder it is in.
std::set<std::string> ignored_by_us(const Repository& repository, const std::map<std::string, std::string>& files) {
  std::map<std::string, IgnoreFile> parsed;
  for (const auto& [folder, text] : files) {
    parsed.emplace(folder, IgnoreFile::parse(text));
  }
  std::set<std::string> ignored;
  for (const auto& [path, kind] : repository.paths()) {
    const auto slash = path.rfind('/');
    if (slash != std::string::npos && ignored.contains(path.substr(0, slash))) {
      ignored.insert(path);
      continue;
    }
    IgnoreFiles ignores;
    for (const auto& [folder, file] : parsed) { // the outer ones sort first
      if (path.starts_with(folder)) {
        ignores.push(folder, file);
      }
    }
    if (ignores.ignores(path, kind)) {
      ignored.insert(path);
    }
  }
  return ignored;
}

TEST(IgnoreProperty, AgreesWithGit) {
  const Repository repository;
  std::size_t ignored_paths = 0;
  for (unsigned seed = 0; seed < k_rounds; ++seed) {
    Patterns patterns(seed);
    std::map<std::string, std::string> files;
    std::string shown;
    for (const std::string folder : {"", "a/", "a/b/"}) {
      files[folder] = patterns.pick(3) == 0 && !folder.empty() ? "" : patterns.file();
      repository.write(folder + ".gitignore", files[folder]);
      shown += fmt::format("{}.gitignore:\n{}", folder, files[folder]);
    }
    const auto expected = repository.ignored_by_git();
    ASSERT_EQ(ignored_by_us(repository, files), expected) << "seed " << seed << "\n" << shown;
    ignored_paths += expected.size();
  }
  EXPECT_GT(ignored_paths, std::size_t{k_rounds}) << "patterns that ignore nothing show nothing";
}

} // namespace
} // namespace sheaf::detect
