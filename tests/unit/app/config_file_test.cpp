// SPDX-License-Identifier: Apache-2.0
#include "app/config_file.hpp"
#include "base/text.hpp"
#include "catalogue/builtin.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <cstdlib>

namespace sheaf::app {
namespace {

using testing::HasSubstr;

catalogue::Catalogue builtin() {
  Diagnostics diagnostics;
  return catalogue::Catalogue(catalogue::builtin_layers(diagnostics));
}

TEST(StarterConfig, SetsNothing) {
  detect::Detection detection;
  for (const auto* file : {"package.json", "web/package.json"}) {
    detection.findings.emplace_back().layer = "node";
    detection.findings.back().file = file;
  }
  const auto text = starter_config(builtin(), detection);
  Diagnostics diagnostics;
  const auto config = catalogue::parse_config(std::make_shared<SourceText>("sheaf.yml", text), diagnostics);
  ASSERT_TRUE(config) << diagnostics.render();
  EXPECT_TRUE(catalogue::show(*config).empty());
  EXPECT_THAT(text, HasSubstr("node       package.json\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("web/package.json")));
}

/// Whoever takes the comment signs away has settings without a mistake.
TEST(StarterConfig, OffersWhatIsUnderstood) {
  const auto starter = starter_config(builtin(), {});
  std::string text;
  for (const auto line : lines_of(starter)) {
    const bool is_prose = line.starts_with("# ") && !line.starts_with("#  ");
    text += is_prose ? std::string() : std::string(line.substr(line.starts_with('#') ? 1 : 0)) + "\n";
  }
  Diagnostics diagnostics;
  const auto config = catalogue::parse_config(std::make_shared<SourceText>("sheaf.yml", text), diagnostics);
  ASSERT_TRUE(config) << diagnostics.render();
  EXPECT_GE(catalogue::show(*config).size(), 5U) << text;
}

class EditConfig : public testing::Test {
protected:
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  /// With an editor that does what `command` does to the file "$1".
  Result<bool> edit(const std::string& command, ConfigLevel level = ConfigLevel::project) const {
    setenv("VISUAL", ("f() { " + command + "; }; f").c_str(), 1); // NOLINT(concurrency-mt-unsafe)
    NullSink events;
    return edit_config({path("sheaf.yml"), level, "# starter\n"}, events, {});
  }
  std::string text() const { return os::read_file(path("sheaf.yml")).value_or("<none>"); }

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-config-").value();
};

TEST_F(EditConfig, WhatIsGoodTakesThePlace) {
  EXPECT_TRUE(edit("echo 'base: base' >>\"$1\"").value());
  EXPECT_EQ(text(), "# starter\nbase: base\n");
  EXPECT_FALSE(edit("true").value());
  EXPECT_FALSE(os::exists(path("sheaf.yml.edit")));
}

TEST_F(EditConfig, WhatIsBadWaits) {
  ASSERT_TRUE(os::write_file(path("sheaf.yml"), "base: base\n"));
  const auto bad = edit("echo 'bse: x' >\"$1\"");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), ErrorCode::invalid);
  EXPECT_THAT(bad.error().render(), HasSubstr("did you mean 'base'"));
  EXPECT_EQ(text(), "base: base\n");
  EXPECT_TRUE(edit("sed -i s/bse/base/ \"$1\"").value());
  EXPECT_EQ(text(), "base: x\n");
}

TEST_F(EditConfig, AnEditorThatFailsChangesNothing) {
  ASSERT_TRUE(os::write_file(path("sheaf.yml"), "base: base\n"));
  EXPECT_EQ(edit("false").error().code(), ErrorCode::failed_step);
  EXPECT_FALSE(os::exists(path("sheaf.yml.edit")));
}

TEST_F(EditConfig, RegistriesAreTheUsersToName) {
  const std::string command = R"(printf 'registries:\n  localhost:5000: {insecure: true}\n' >"$1")";
  EXPECT_THAT(edit(command).error().render(), HasSubstr("'registries' cannot be set by a project"));
  EXPECT_EQ(text(), "<none>");
  EXPECT_TRUE(edit("true", ConfigLevel::user).value());
}

TEST_F(EditConfig, ALinkStaysALink) {
  ASSERT_TRUE(os::write_file(path("shared.yml"), "base: base\n"));
  ASSERT_EQ(symlink("shared.yml", path("sheaf.yml").c_str()), 0);
  EXPECT_TRUE(edit("echo 'base: other' >\"$1\"").value());
  EXPECT_EQ(os::read_file(path("shared.yml")).value(), "base: other\n");
}

} // namespace
} // namespace sheaf::app
