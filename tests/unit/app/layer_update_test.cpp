// SPDX-License-Identifier: Apache-2.0
#include "app/layer_update.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>

namespace sheaf::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string k_yml = "summary: a tool # of ours\nkind: tool\n";
const std::string k_containerfile = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY etc /etc/\n";
const std::string k_downloads = "tool:\n  url: https://h/{version}/tool\n  version: 1.0\n";

catalogue::LayerDefinition layer_of(catalogue::Origin origin, const std::string& folder) {
  Diagnostics diagnostics;
  auto layer = catalogue::layer_from_files("tool", origin, folder,
                                           {{"layer.yml", k_yml},
                                            {"Containerfile", k_containerfile},
                                            {"downloads.yml", k_downloads},
                                            {"etc/tool.conf", "x = 1\n"}},
                                           diagnostics);
  EXPECT_TRUE(layer) << diagnostics.render();
  return std::move(*layer);
}

LayerUpdate to_two(std::string path, bool is_copy) {
  const std::map<std::string, std::string> digests = {{"amd64", std::string(64, 'a')}, {"arm64", std::string(64, 'b')}};
  return {"tool", std::move(path), is_copy, {{"tool", {"1.0", {}, {}}, {"2.0", digests, {}}}}};
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  const auto entries = os::list_directory(folder).value();
  std::ranges::transform(entries, std::back_inserter(names), &os::DirectoryEntry::name);
  return names;
}

/// A home of its own, in which the user has no layers yet.
class LayerUpdateTest : public testing::Test {
protected:
  LayerUpdateTest() : m_home(os::TempDir::create("/tmp", "sheaf-update-").value()) {
    setenv("XDG_CONFIG_HOME", m_home.path().c_str(), 1);
  }
  ~LayerUpdateTest() override { unsetenv("XDG_CONFIG_HOME"); }

  std::string at(const std::string& path) const { return m_home.path() + "/" + path; }

private:
  os::TempDir m_home;
};

TEST_F(LayerUpdateTest, ABuiltInLayerIsCopiedWhole) {
  const auto folder = at("sheaf/layers/tool");
  const auto layer = layer_of(catalogue::Origin::builtin, "<built in>/tool");
  const auto written = write_update(layer, to_two(folder + "/downloads.yml", true));
  ASSERT_TRUE(written) << written.error().render();
  EXPECT_THAT(names_in(folder), ElementsAre("Containerfile", "downloads.yml", "etc", "layer.yml"));
  EXPECT_EQ(os::read_file(folder + "/layer.yml").value(), k_yml);
  EXPECT_EQ(os::read_file(folder + "/Containerfile").value(), k_containerfile);
  EXPECT_EQ(os::read_file(folder + "/etc/tool.conf").value(), "x = 1\n");
  EXPECT_THAT(os::read_file(folder + "/downloads.yml").value(), HasSubstr("version: 2.0\n  sha256:\n    amd64: aaaa"));
  EXPECT_THAT(names_in(at("sheaf")), ElementsAre("layers")) << "what it was made in is gone";
}

TEST_F(LayerUpdateTest, ALayerThatIsThereIsNotReplacedByACopy) {
  ASSERT_TRUE(os::make_directories(at("sheaf/layers/tool")));
  ASSERT_TRUE(os::write_file(at("sheaf/layers/tool/mine"), "mine\n"));
  const auto layer = layer_of(catalogue::Origin::builtin, "<built in>/tool");
  EXPECT_FALSE(write_update(layer, to_two(at("sheaf/layers/tool/downloads.yml"), true)));
  EXPECT_THAT(names_in(at("sheaf/layers/tool")), ElementsAre("mine"));
}

TEST_F(LayerUpdateTest, AnyOtherLayerIsChangedInPlace) {
  ASSERT_TRUE(os::make_directories(at("mine")));
  const auto layer = layer_of(catalogue::Origin::user, at("mine"));
  ASSERT_TRUE(write_update(layer, to_two(at("mine/downloads.yml"), false)));
  EXPECT_THAT(names_in(at("mine")), ElementsAre("downloads.yml"));
}

TEST_F(LayerUpdateTest, ALayerWithoutDownloadsHasNoUpdate) {
  Project project;
  catalogue::LayerDefinition layer;
  layer.name = "tool";
  Upstream upstream(DownloadFiles::no, {});
  NullSink events;
  const auto update = find_update(project, layer, upstream, events);
  ASSERT_FALSE(update);
  EXPECT_EQ(update.error().code(), ErrorCode::invalid);
}

} // namespace
} // namespace sheaf::app
