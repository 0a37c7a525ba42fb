// SPDX-License-Identifier: Apache-2.0
// The JSON Schemas in share/schemas say what the parsers know: the same keys, the same required ones, the same words.
// What the parsers know is asked of them: they list it when they meet a key or a word that they do not know.
#include "base/text.hpp"
#include "catalogue/layer_definition.hpp"
#include "catalogue/project_config.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>

namespace sheaf::catalogue {
namespace {

using Json = nlohmann::json;
using Words = std::set<std::string>;

constexpr std::string_view k_unknown = "zzzzzzzzzzzzzzzzzzzz";

/// One map of a file.
struct Map {
  std::string file;
  /// Where the schema describes it.
  std::string pointer;
  /// A document with '%' in place of the map's entries.
  std::string document;
};

const std::vector<Map> k_maps = {
    {"layer", "", "%"},
    {"layer", "/properties/args/additionalProperties/anyOf/1", "args: {a: {%}}"},
    {"layer", "/properties/tests/items", "tests: [{%}]"},
    {"layer", "/properties/detect/items/anyOf/1", "detect: [{%}]"},
    {"layer", "/properties/families/anyOf/1", "families: {%}"},
    {"layer", "/properties/bootstrap", "bootstrap: {%}"},
    {"layer", "/properties/capture/items", "capture: [{%}]"},
    {"downloads", "/additionalProperties", "a: {%}"},
    {"downloads", "/additionalProperties/properties/arch", "a: {url: 'https://h/f', version: 1, arch: {%}}"},
    {"downloads", "/additionalProperties/properties/sha256", "a: {url: 'https://h/f', version: 1, sha256: {%}}"},
    {"downloads", "/additionalProperties/properties/latest", "a: {url: 'https://h/f', version: 1, latest: {%}}"},
    {"downloads", "/additionalProperties/properties/also/items", "a: {url: 'https://h/f', version: 1, also: [{%}]}"},
    {"downloads", "/additionalProperties/properties/also/items/properties/sha256",
     "a: {url: 'https://h/f', version: 1, also: [{version: 2, sha256: {%}}]}"},
    {"sheaf", "", "%"},
    {"sheaf", "/properties/snippet/anyOf/1", "snippet: {%}"},
    {"sheaf", "/properties/tests/items", "tests: [{%}]"},
    {"sheaf", "/properties/stacks/items", "stacks: [{%}]"},
    {"config", "", "%"},
    {"config", "/properties/snippet/anyOf/1", "snippet: {%}"},
    {"config", "/properties/tests/items", "tests: [{%}]"},
    {"config", "/properties/stacks/items", "stacks: [{%}]"},
    {"config", "/properties/registries/additionalProperties/anyOf/1", "registries: {h: {%}}"},
};

Json schema_of(const std::string& file) {
  std::ifstream stream(fmt::format("{}/../share/schemas/{}.schema.json", SHEAF_TEST_DATA, file));
  return Json::parse(stream);
}

/// All that the parser has to say about `document`.
std::vector<Diagnostic> messages(const std::string& file, const std::string& document) {
  auto source = std::make_shared<const SourceText>(file, document + "\n");
  Diagnostics diagnostics;
  if (file == "layer") {
    (void)parse_layer("sample", std::move(source), diagnostics);
  } else if (file == "downloads") {
    (void)parse_downloads(std::move(source), diagnostics);
  } else {
    (void)parse_config(std::move(source), diagnostics);
  }
  return diagnostics.all();
}

std::string filled(const Map& map, const std::string& entries) {
  auto document = map.document;
  return document.replace(document.find('%'), 1, entries);
}

/// The words behind `mark` in the hint of the message about `k_unknown`.
Words listed(const std::vector<Diagnostic>& all, std::string_view mark) {
  Words words;
  for (const auto& message : all) {
    const auto at = message.hint.find(mark);
    if (message.message.find(k_unknown) != std::string::npos && at != std::string::npos) {
      for (const auto word : split(std::string_view(message.hint).substr(at + mark.size()), ',')) {
        words.emplace(trim(word));
      }
    }
  }
  return words;
}

Words required(const std::vector<Diagnostic>& all) {
  Words words;
  for (const auto& message : all) {
    const auto at = message.message.find(" needs '");
    if (message.rule == "missing-key" && at != std::string::npos) {
      words.insert(message.message.substr(at + 8, message.message.size() - at - 9));
    }
  }
  return words;
}

/// The places of all maps in `schema` that allow no other keys.
void find_maps(const Json& schema, const std::string& pointer, Words& found) {
  if (schema.is_object() && schema.value("additionalProperties", Json()) == Json(false)) {
    found.insert(pointer);
  }
  for (const auto& [key, value] : schema.items()) {
    if (value.is_structured()) {
      find_maps(value, fmt::format("{}/{}", pointer, key), found);
    }
  }
}

Words keys_of(const Json& object) {
  Words keys;
  for (const auto& [key, value] : object.items()) {
    keys.insert(key);
  }
  return keys;
}

TEST(Schemas, KnowTheKeysOfTheParsers) {
  for (const auto& map : k_maps) {
    SCOPED_TRACE(map.file + " " + map.pointer);
    const auto schema = schema_of(map.file).at(Json::json_pointer(map.pointer));
    const auto all = messages(map.file, filled(map, fmt::format("{}: 1", k_unknown)));
    const bool is_families = map.pointer.find("families") != std::string::npos;
    auto known = listed(all, is_families ? "allowed: " : "known keys: ");
    if (map.file == "sheaf" && map.pointer.empty()) {
      EXPECT_EQ(known.erase("registries"), 1U) << "which a project may not set";
    }
    EXPECT_EQ(keys_of(schema.at("properties")), known);
    EXPECT_EQ(
        schema.value("required", Words()), is_families ? Words() : [&] {
          auto needed = required(all);
          if (!map.pointer.empty() && map.file == "layer") { // what the document around it lacks
            needed.erase("summary");
            needed.erase("kind");
          }
          return needed;
        }());
  }
}

TEST(Schemas, DescribeNoMapThatIsNotChecked) {
  for (const std::string file : {"layer", "downloads", "sheaf", "config"}) {
    Words found;
    find_maps(schema_of(file), "", found);
    Words checked;
    for (const auto& map : k_maps) {
      if (map.file == file) {
        checked.insert(map.pointer);
      }
    }
    EXPECT_EQ(found, checked) << file;
  }
}

TEST(Schemas, KnowTheWordsOfTheParsers) {
  std::size_t checked = 0;
  for (const auto& map : k_maps) {
    const auto properties = schema_of(map.file).at(Json::json_pointer(map.pointer)).at("properties");
    for (const auto& [key, property] : properties.items()) {
      if (property.contains("enum")) {
        SCOPED_TRACE(map.file + " " + map.pointer + " " + key);
        const auto all = messages(map.file, filled(map, fmt::format("{}: {}", key, k_unknown)));
        EXPECT_EQ(property.at("enum").get<Words>(), listed(all, "allowed: "));
        ++checked;
      }
    }
  }
  EXPECT_GE(checked, 6U);
}

} // namespace
} // namespace sheaf::catalogue
