// SPDX-License-Identifier: Apache-2.0
// Walks good/ and bad/: each case is a Containerfile, maybe a request.json (what the command line says, and what the
// images say of themselves), and what is expected: the plan as JSON with the warnings, or the errors. SHEAF_ACCEPT=1
// rewrites the expectations.
#include "containerfile/file.hpp"
#include "plan/image_plan.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sheaf::plan {
namespace {

using Json = nlohmann::json;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

struct Case {
  std::string name;
  std::filesystem::path folder;
};

std::vector<Case> cases_in(const std::string& kind) {
  std::vector<Case> cases;
  for (const auto& entry : std::filesystem::directory_iterator(SHEAF_TEST_DATA "/golden/plan/" + kind)) {
    cases.push_back({kind + "_" + entry.path().filename().string(), entry.path()});
  }
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return cases;
}

class PlanGolden : public testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    m_request.platform = Platform{"linux", "arm64", ""}; // the same wherever the test runs
    m_request.build_args["BUILDPLATFORM"] = "linux/riscv64";
    const auto path = GetParam().folder / "request.json";
    if (std::filesystem::exists(path)) {
      take(Json::parse(read_file(path)));
    }
  }

  std::string planned() {
    const auto file = containerfile::parse(
        std::make_shared<SourceText>("Containerfile", read_file(GetParam().folder / "Containerfile")), m_diagnostics);
    if (!file) {
      return "the file is not even read:\n" + m_diagnostics.render() + "\n";
    }
    Diagnostics of_images;
    for (const auto& image : images_of(*file, m_request, {}, of_images)) {
      m_text += "needs image " + image + "\n";
    }
    const auto plan = plan_image(*file, m_request, m_images, m_diagnostics);
    m_is_planned = plan.has_value();
    return as_on_that_machine(m_text + (plan ? to_json(*plan) : std::string()) + m_diagnostics.render() +
                              (m_diagnostics.all().empty() ? "" : "\n"));
  }
  bool is_planned() const { return m_is_planned; }

private:
  /// Images for a machine's own platform are named without it.
  std::string as_on_that_machine(std::string text) const {
    const auto suffix = " for " + m_request.platform->to_string();
    for (auto at = text.find(suffix); at != std::string::npos; at = text.find(suffix)) {
      text.erase(at, suffix.size());
    }
    return text;
  }

  void take(const Json& json) {
    const auto build_args = json.value("build_args", Json::object());
    const auto labels = json.value("labels", Json::object());
    const auto images = json.value("images", Json::object());
    for (const auto& [name, value] : build_args.items()) {
      m_request.build_args[name] = value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
    }
    m_request.target = json.value("target", "");
    for (const auto& [name, value] : labels.items()) {
      m_request.labels.emplace_back(name, value);
    }
    m_request.folder_contexts = json.value("folder_contexts", std::set<std::string, std::less<>>());
    m_request.image_contexts = json.value("image_contexts", std::map<std::string, std::string, std::less<>>());
    m_request.allow_insecure = json.value("allow_insecure", false);
    m_request.no_cache_filter = json.value("no_cache_filter", std::set<std::string, std::less<>>());
    for (const auto& [name, config] : images.items()) {
      const auto named = PlatformImage::parse(name);
      const PlatformImage image{named.name, named.platform ? named.platform : m_request.platform};
      m_images[image.to_string()] =
          oci::parse_image(
              Json{{"os", "linux"}, {"architecture", image.platform->architecture}, {"config", config}}.dump())
              .value();
    }
  }

  ImageRequest m_request;
  std::map<std::string, oci::Image> m_images;
  Diagnostics m_diagnostics;
  std::string m_text;
  bool m_is_planned = false;
};

void expect_golden(const Case& which, const std::string& actual) {
  const auto path = which.folder / "expected";
  if (std::getenv("SHEAF_ACCEPT") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  EXPECT_EQ(actual, read_file(path)) << "SHEAF_ACCEPT=1 rewrites " << path;
}

class GoodPlan : public PlanGolden {};
class BadPlan : public PlanGolden {};

TEST_P(GoodPlan, IsPrinted) {
  const auto text = planned();
  ASSERT_TRUE(is_planned()) << text;
  expect_golden(GetParam(), text);
}

TEST_P(BadPlan, IsExplained) {
  const auto text = planned();
  ASSERT_FALSE(is_planned());
  expect_golden(GetParam(), text);
}

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Plan, GoodPlan, testing::ValuesIn(cases_in("good")), name_of);
INSTANTIATE_TEST_SUITE_P(Plan, BadPlan, testing::ValuesIn(cases_in("bad")), name_of);

} // namespace
} // namespace sheaf::plan
