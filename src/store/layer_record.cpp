// SPDX-License-Identifier: Apache-2.0
#include "store/layer_record.hpp"

#include "store/record_json.hpp"

#include <nlohmann/json.hpp>

namespace sheaf::store {
namespace {

using Json = nlohmann::json;

Json to_json(const ConfigDelta& config) {
  return {{"environment", config.environment},
          {"user", config.user},
          {"directory", config.directory},
          {"command", config.command},
          {"entrypoint", config.entrypoint},
          {"shell", config.shell},
          {"labels", config.labels}};
}

ConfigDelta config_from(const Json& json) {
  return {json.at("environment"), json.at("user"),  json.at("directory"), json.at("command"),
          json.at("entrypoint"),  json.at("shell"), json.at("labels")};
}

std::string dump(const Json& json, int indent) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

Json to_json(const Recipe& recipe) {
  Json instructions = Json::array();
  for (const auto& instruction : recipe.instructions) {
    instructions.push_back({{"text", instruction.text}, {"digest", instruction.digest}});
  }
  return {{"instructions", instructions},
          {"files", recipe.files},
          {"arguments", recipe.arguments},
          {"needs", recipe.needs},
          {"owner", recipe.owner}};
}

Recipe recipe_from(const Json& json) {
  using Words = std::map<std::string, std::string>;
  Recipe recipe{{},
                json.at("files").get<Words>(),
                json.at("arguments").get<Words>(),
                json.at("needs").get<Words>(),
                json.value("owner", std::string())};
  for (const auto& instruction : json.at("instructions")) {
    recipe.instructions.push_back({instruction.at("text"), instruction.at("digest")});
  }
  return recipe;
}

LayerRecord record_from(const Json& json) {
  LayerRecord record;
  record.name = json.at("name");
  record.kind = json.at("kind");
  record.needs = json.at("needs").get<std::vector<std::string>>();
  // Records of the first version lack these two.
  record.replaces = json.value("replaces", std::vector<std::string>());
  record.base = json.value("base", std::string());
  record.config = config_from(json.at("config"));
  record.epoch = json.at("epoch");
  record.bytes = json.at("bytes");
  record.files = json.at("files");
  record.created = json.at("created");
  record.build_ms = json.at("build_ms");
  record.inputs = json.at("inputs").get<std::map<std::string, std::string>>();
  if (const auto dropped = json.find("dropped"); dropped != json.end()) {
    record.dropped.emplace();
    for (const auto& one : *dropped) {
      record.dropped->push_back({one.at("path"), one.at("class"), one.at("entries")});
    }
  }
  if (const auto recipe = json.find("recipe"); recipe != json.end()) {
    record.recipe = recipe_from(*recipe);
  }
  return record;
}

} // namespace

std::string serialise(const ConfigDelta& config) { return dump(to_json(config), -1); }

std::string serialise(const LayerRecord& record) {
  Json json = {{"version", 1},
               {"name", record.name},
               {"kind", record.kind},
               {"recipe_key", record.recipe_key.to_string()},
               {"content_key", record.content_key.to_string()},
               {"needs", record.needs},
               {"replaces", record.replaces},
               {"base", record.base},
               {"config", to_json(record.config)},
               {"epoch", record.epoch},
               {"bytes", record.bytes},
               {"files", record.files},
               {"created", record.created},
               {"build_ms", record.build_ms},
               {"inputs", record.inputs}};
  if (record.dropped) {
    auto& list = json["dropped"] = Json::array();
    for (const auto& one : *record.dropped) {
      list.push_back({{"path", one.path}, {"class", one.kind}, {"entries", one.entries}});
    }
  }
  if (record.recipe) {
    json["recipe"] = to_json(*record.recipe);
  }
  return dump(json, 2) + "\n";
}

Result<LayerRecord> parse_layer_record(std::string_view text) {
  try {
    const auto json = parse_record_json(text);
    auto record = record_from(json);
    SHEAF_TRY_ASSIGN(record.recipe_key.digest, Digest::parse(json.at("recipe_key").get<std::string>()));
    SHEAF_TRY_ASSIGN(record.content_key.digest, Digest::parse(json.at("content_key").get<std::string>()));
    return record;
  } catch (const Json::exception& error) {
    return Error(ErrorCode::corrupt, std::string("reading a layer record: ") + error.what());
  }
}

ContentKey content_key_of(const ConfigDelta& config, std::string_view inventory, std::string_view facts) {
  return ContentKey{Sha256().field("sheaf-content 1").field(inventory).field(facts).field(serialise(config)).finish()};
}

} // namespace sheaf::store
