// SPDX-License-Identifier: Apache-2.0
#include "detect/wanted_version.hpp"

#include <gtest/gtest.h>

namespace sheaf::detect {
namespace {

/// "line: text", "" if there is none, the error's message if the file cannot be read.
std::string found(std::string_view name, std::string_view contents, std::string_view where) {
  const auto written = find_version(name, contents, where);
  if (!written) {
    return "error: " + written.error().message();
  }
  return *written ? std::to_string((*written)->line) + ": " + (*written)->text : "";
}

TEST(FindVersion, FirstLine) {
  EXPECT_EQ(found(".nvmrc", "v20.11.0\n", "first-line"), "1: v20.11.0");
  EXPECT_EQ(found(".nvmrc", "\n# ours\n  18 # until June\n20\n", "first-line"), "3: 18");
  EXPECT_EQ(found(".python-version", "3.11.4\r\n", "first-line"), "1: 3.11.4");
  EXPECT_EQ(found(".nvmrc",
                  "\xEF\xBB\xBF"
                  "18",
                  "first-line"),
            "1: 18");
  EXPECT_EQ(found("rust-toolchain", "[toolchain]\nchannel = \"1.70\"\n", "first-line"), "");
  EXPECT_EQ(found(".nvmrc", "", "first-line"), "");
  EXPECT_EQ(found(".nvmrc", "\xFF\xFEx", "first-line"), "");
  EXPECT_EQ(found(".nvmrc", std::string(200, '1'), "first-line"), "");
}

TEST(FindVersion, Words) {
  constexpr std::string_view k_mod = "module x // go 1\n\ngo 1.21 // least\n\ntoolchain go1.22.3\n\trequire go 9\n";
  EXPECT_EQ(found("go.mod", k_mod, "go"), "3: 1.21");
  EXPECT_EQ(found("go.mod", k_mod, "toolchain"), "5: go1.22.3");
  constexpr std::string_view k_tools = "# nodejs 1\nnodejs 20.1.0 system\npython\t3.12.1#x\nnodejs-x 3\n";
  EXPECT_EQ(found(".tool-versions", k_tools, "nodejs"), "2: 20.1.0");
  EXPECT_EQ(found(".tool-versions", k_tools, "python"), "3: 3.12.1");
  EXPECT_EQ(found(".tool-versions", k_tools, "rust"), "");
  EXPECT_EQ(found(".tool-versions", "rust\nrust  \n", "rust"), "");
}

TEST(FindVersion, Json) {
  constexpr std::string_view k_package = R"({
  "name": "x", "list": [{"engines": {"node": "1"}}, [2]],
  "other": {"engines": {"node": "2"}, "node": "3"},
  "node": "4",
  "engines": {
    "npm": ">=9", "deep": {"node": "5"},
    "node":
      ">=18 <21"
  },
  "last": {"node": "6"}
})";
  EXPECT_EQ(found("package.json", k_package, "engines.node"), "8: >=18 <21");
  EXPECT_EQ(found("package.json", k_package, "node"), "4: 4");
  EXPECT_EQ(found("package.json", k_package, "engines.deep.node"), "6: 5");
  EXPECT_EQ(found("package.json", k_package, "engines"), "");
  EXPECT_EQ(found("package.json", k_package, "engines.node.x"), "");
  EXPECT_EQ(found("package.json", R"({"engines": {"node": "1"}, "engines": {"node": "2"}})", "engines.node"), "1: 2");
  EXPECT_EQ(found("package.json", R"({"engines": {"node": 18}})", "engines.node"), "");
  EXPECT_EQ(found("package.json", R"(["engines"])", "engines.node"), "");
  EXPECT_EQ(found("package.json", "{\n\"engines\": oops}", "engines.node"), "error: line 2 is not JSON");
  EXPECT_EQ(found("package.json", "", "engines.node"), "error: line 1 is not JSON");
}

TEST(FindVersion, Toml) {
  constexpr std::string_view k_project =
      "[project]\nname = 'x' # requires-python = '1'\n"
      "description = \"\"\"\nrequires-python = '2'\n\"\"\"\n"
      "\"requires-python\" = \">=3.8,<4\"\n[tool.poetry.dependencies]\npython = '^3.9'\n";
  EXPECT_EQ(found("pyproject.toml", k_project, "project.requires-python"), "6: >=3.8,<4");
  EXPECT_EQ(found("pyproject.toml", k_project, "tool.poetry.dependencies.python"), "8: ^3.9");
  EXPECT_EQ(found("pyproject.toml", k_project, "project.missing"), "");
  EXPECT_EQ(found("pyproject.toml", k_project, "project"), "");
  EXPECT_EQ(found("Cargo.toml", "package.rust-version = \"1.70\"\n", "package.rust-version"), "1: 1.70");
  EXPECT_EQ(found("Cargo.toml", "[package]\nrust-version.workspace = true\n", "package.rust-version"), "");
  EXPECT_EQ(found("uv.lock", "version = 1\nrequires-python = \">=3.12\"\n", "requires-python"), "2: >=3.12");
  EXPECT_EQ(found("rust-toolchain", "1.75.0\n", "toolchain.channel"), "");
  EXPECT_EQ(found("rust-toolchain", "[toolchain]\nchannel = \"1.70\"\n", "toolchain.channel"), "2: 1.70");
  EXPECT_EQ(found("Cargo.toml", std::string_view("\n[\0#\n", 5), "package.rust-version"),
            "error: line 2 is not TOML: it has a control character");
  EXPECT_TRUE(found("Cargo.toml", "[package\n", "package.rust-version").starts_with("error: line 1 is not TOML"));
  EXPECT_TRUE(
      found("Cargo.toml", "caf\xC3\xA9 = 1\n", "package.rust-version").starts_with("error: line 1 is not TOML"));
  EXPECT_EQ(found("Cargo.toml", "\xEF\xBB\xBF[package] # caf\xC3\xA9\nname = '\xC3\xA9'\nrust-version = '1.70'\n",
                  "package.rust-version"),
            "3: 1.70");
}

} // namespace
} // namespace sheaf::detect
