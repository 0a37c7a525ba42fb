// SPDX-License-Identifier: Apache-2.0
// Runs the parsers over tests/golden/catalogue/bad/<case>/{layer.yml,downloads.yml,sheaf.yml} and compares all messages
// with `expected`. SHEAF_ACCEPT=1 rewrites the expectations.
#include "catalogue/layer_definition.hpp"
#include "catalogue/project_config.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace sheaf::catalogue {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// All messages about the definition or the settings in `folder`.
std::string messages_for(const fs::path& folder) {
  const auto has = [&](const std::string& name) { return fs::exists(folder / name); };
  const std::string name = has("layer.yml") ? "layer.yml" : has("downloads.yml") ? "downloads.yml" : "sheaf.yml";
  auto source = std::make_shared<const SourceText>(name, read(folder / name));
  Diagnostics diagnostics;
  const bool is_accepted = has("layer.yml")       ? parse_layer("sample", std::move(source), diagnostics).has_value()
                           : has("downloads.yml") ? parse_downloads(std::move(source), diagnostics).has_value()
                                                  : parse_config(std::move(source), diagnostics).has_value();
  EXPECT_NE(is_accepted, diagnostics.has_errors());
  EXPECT_TRUE(diagnostics.has_errors()) << "a case in bad/ must have a mistake";
  return diagnostics.render() + "\n";
}

TEST(Golden, BadDefinitionsGiveTheExpectedMessages) {
  const fs::path root = fs::path(SHEAF_TEST_DATA) / "golden/catalogue/bad";
  const bool accept = std::getenv("SHEAF_ACCEPT") != nullptr;
  std::set<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root)) {
    folders.insert(entry.path());
  }
  EXPECT_FALSE(folders.empty());
  for (const auto& folder : folders) {
    SCOPED_TRACE(folder.filename().string());
    const auto messages = messages_for(folder);
    if (accept) {
      std::ofstream(folder / "expected", std::ios::binary) << messages;
    }
    EXPECT_EQ(messages, read(folder / "expected"));
  }
}

} // namespace
} // namespace sheaf::catalogue
