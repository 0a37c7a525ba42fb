// SPDX-License-Identifier: Apache-2.0
// Makes the tree in tests/golden/detect/<case>/tree, detects with the built-in layers and compares all that is found
// with `expected`. SHEAF_ACCEPT=1 rewrites the expectations.
//
// A tree: what it shows, then for each file a line "=== PATH" and its contents. "=== PATH -> TARGET" is a link,
// "=== PATH/" a folder. "(crlf)" and "(bom)" behind a path: its lines end with CR LF, it starts with a byte order mark.
#include "base/text.hpp"
#include "catalogue/builtin.hpp"
#include "resolve/detection.hpp"
#include "resolve/versions.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace sheaf::resolve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_mark = "=== ";

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder with the files of one tree, removed at the end.
class Tree {
public:
  explicit Tree(const std::string& description) {
    auto pattern = (fs::temp_directory_path() / "sheaf-golden-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      std::abort();
    }
    m_root = pattern;
    std::string title;
    std::string contents;
    for (const auto line : lines_of(description)) {
      if (line.starts_with(k_mark)) {
        add(title, contents);
        title = line.substr(k_mark.size());
        contents.clear();
      } else if (!title.empty()) {
        contents.append(line).append(title.find(" (crlf)") != std::string::npos ? "\r\n" : "\n");
      }
    }
    add(title, contents);
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() { fs::remove_all(m_root); }

  std::string root() const { return m_root.string(); }

private:
  void add(std::string title, const std::string& contents) const {
    if (title.empty()) {
      return;
    }
    if (const auto arrow = title.find(" -> "); arrow != std::string::npos) {
      fs::create_symlink(title.substr(arrow + 4), m_root / title.substr(0, arrow));
      return;
    }
    const bool has_mark = title.find(" (bom)") != std::string::npos;
    title.resize(std::min(title.find(" ("), title.size()));
    const auto path = m_root / title;
    fs::create_directories(path.parent_path());
    if (title.ends_with('/')) {
      fs::create_directories(path);
    } else {
      std::ofstream(path, std::ios::binary) << (has_mark ? "\xEF\xBB\xBF" : "") << contents;
    }
  }

  fs::path m_root;
};

std::string shown(const VersionChoice& choice) {
  const auto& followed = choice.asked.at(choice.followed);
  auto text = fmt::format("version of {}: {} of {}\n", choice.layer, followed.version, place(followed));
  for (const auto& warning : choice.warnings) {
    text += fmt::format("warning: {}\n", warning);
  }
  return text;
}

/// All that is found in `root`, one line each.
std::string found_in(const std::string& root, const catalogue::Catalogue& catalogue) {
  const auto detection = detect::detect(root, detection_rules(catalogue));
  if (!detection) {
    return detection.error().render();
  }
  std::string text;
  std::set<std::string> called;
  for (const auto& finding : detection->findings) {
    text += fmt::format("{:<9} {:<32} {:<18} {}\n", finding.calls ? finding.layer : "(" + finding.layer + ")",
                        place(finding), finding.version.empty() ? "-" : finding.version, finding.what);
    if (finding.calls) {
      called.insert(finding.layer);
    }
  }
  for (const auto& unread : detection->unread) {
    text += fmt::format("unread: {}: {}\n", unread.file, unread.why);
  }
  Stack stack;
  for (const auto& layer : called) {
    stack.entries.push_back({catalogue.find(layer), {}, ""});
  }
  for (const auto& choice : choose_versions(stack, *detection, {})) {
    text += shown(choice);
  }
  return text.empty() ? "nothing\n" : text;
}

TEST(GoldenDetect, TreesGiveExactlyWhatIsExpected) {
  const fs::path folder = fs::path(SHEAF_TEST_DATA) / "golden/detect";
  const bool accept = std::getenv("SHEAF_ACCEPT") != nullptr;
  Diagnostics diagnostics;
  const catalogue::Catalogue catalogue(catalogue::builtin_layers(diagnostics));
  std::size_t cases = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) {
      continue;
    }
    SCOPED_TRACE(entry.path().filename().string());
    ++cases;
    const Tree tree(read(entry.path() / "tree"));
    const auto found = found_in(tree.root(), catalogue);
    if (accept) {
      std::ofstream(entry.path() / "expected", std::ios::binary) << found;
    }
    EXPECT_EQ(found, read(entry.path() / "expected"));
  }
  EXPECT_GE(cases, 20U);
}

} // namespace
} // namespace sheaf::resolve
