// SPDX-License-Identifier: Apache-2.0
#include "oci/image_config.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace sheaf::oci {
namespace {

using Json = nlohmann::json;

// --- writing

Json names_as_object(const std::set<std::string>& names) {
  auto object = Json::object();
  for (const auto& name : names) {
    object[name] = Json::object();
  }
  return object;
}

/// Adds what is not empty: the fields of a configuration are all optional.
template <class Value>
void put(Json& object, const char* key, const Value& value) {
  if (!value.empty()) {
    object[key] = value;
  }
}

void put_number(Json& object, const char* key, std::int64_t value) {
  if (value != 0) {
    object[key] = value;
  }
}

Json to_json(const Healthcheck& check) {
  auto json = Json::object();
  put(json, "Test", check.test);
  put_number(json, "Interval", check.interval);
  put_number(json, "Timeout", check.timeout);
  put_number(json, "StartPeriod", check.start_period);
  put_number(json, "StartInterval", check.start_interval);
  put_number(json, "Retries", check.retries);
  return json;
}

Json to_json(const ImageConfig& config) {
  auto json = Json::object();
  std::vector<std::string> environment;
  for (const auto& [name, value] : config.environment) {
    environment.push_back(fmt::format("{}={}", name, value));
  }
  put(json, "User", config.user);
  put(json, "ExposedPorts", names_as_object(config.exposed_ports));
  put(json, "Env", environment);
  put(json, "Entrypoint", config.entrypoint.value_or(std::vector<std::string>()));
  put(json, "Cmd", config.command.value_or(std::vector<std::string>()));
  put(json, "Volumes", names_as_object(config.volumes));
  put(json, "WorkingDir", config.directory);
  put(json, "Labels", config.labels);
  put(json, "StopSignal", config.stop_signal);
  if (config.healthcheck) {
    json["Healthcheck"] = to_json(*config.healthcheck);
  }
  put(json, "Shell", config.shell);
  put(json, "OnBuild", config.on_build);
  return json;
}

Json to_json(const History& line) {
  Json json = {{"created_by", line.created_by}};
  put(json, "comment", line.comment);
  if (line.empty_layer) {
    json["empty_layer"] = true;
  }
  return json;
}

// --- reading; `path` names the value for messages: "config.Env[2]"

Error mistyped(const std::string& path, std::string_view expected) {
  return {ErrorCode::corrupt, fmt::format("'{}' is not {}", path, expected)};
}

Result<void> decode(const Json& json, const std::string& path, std::string& value) {
  if (!json.is_string()) {
    return mistyped(path, "a string");
  }
  value = json.get<std::string>();
  return {};
}

Result<void> decode(const Json& json, const std::string& path, bool& value) {
  if (!json.is_boolean()) {
    return mistyped(path, "true or false");
  }
  value = json.get<bool>();
  return {};
}

Result<void> decode(const Json& json, const std::string& path, std::int64_t& value) {
  const bool fits = json.is_number_integer() &&
                    (!json.is_number_unsigned() ||
                     json.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
  if (!fits) {
    return mistyped(path, "a whole number");
  }
  value = json.get<std::int64_t>();
  return {};
}

Result<void> decode(const Json& json, const std::string& path, std::vector<std::string>& values) {
  if (!json.is_array()) {
    return mistyped(path, "a list of strings");
  }
  for (std::size_t i = 0; i < json.size(); ++i) {
    SHEAF_TRY(decode(json[i], fmt::format("{}[{}]", path, i), values.emplace_back()));
  }
  return {};
}

/// An empty list says no more than none.
Result<void> decode(const Json& json, const std::string& path, std::optional<std::vector<std::string>>& values) {
  std::vector<std::string> list;
  SHEAF_TRY(decode(json, path, list));
  if (!list.empty()) {
    values = std::move(list);
  }
  return {};
}

/// {"name": {}, …}
Result<void> decode(const Json& json, const std::string& path, std::set<std::string>& names) {
  if (!json.is_object()) {
    return mistyped(path, "an object");
  }
  for (const auto& [name, value] : json.items()) {
    if (!value.is_object() && !value.is_null()) {
      return mistyped(fmt::format("{}.{}", path, name), "an object");
    }
    names.insert(name);
  }
  return {};
}

Result<void> decode(const Json& json, const std::string& path, std::map<std::string, std::string>& values) {
  if (!json.is_object()) {
    return mistyped(path, "an object");
  }
  for (const auto& [name, value] : json.items()) {
    SHEAF_TRY(decode(value, fmt::format("{}.{}", path, name), values[name]));
  }
  return {};
}

Result<void> decode(const Json& json, const std::string& path, std::optional<Healthcheck>& value);
Result<void> decode(const Json& json, const std::string& path, ImageConfig& config);
Result<void> decode(const Json& json, const std::string& path, std::vector<History>& history);

/// Reads `key` of `object` if it is there. `null` counts as absent: Docker writes it for what is empty.
template <class Value>
Result<void> field(const Json& object, const std::string& path, const char* key, Value& value) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    return {};
  }
  return decode(*found, path.empty() ? key : fmt::format("{}.{}", path, key), value);
}

Result<void> decode(const Json& json, const std::string& path, std::optional<Healthcheck>& value) {
  if (!json.is_object()) {
    return mistyped(path, "an object");
  }
  auto& check = value.emplace();
  SHEAF_TRY(field(json, path, "Test", check.test));
  SHEAF_TRY(field(json, path, "Interval", check.interval));
  SHEAF_TRY(field(json, path, "Timeout", check.timeout));
  SHEAF_TRY(field(json, path, "StartPeriod", check.start_period));
  SHEAF_TRY(field(json, path, "StartInterval", check.start_interval));
  std::int64_t retries = 0;
  SHEAF_TRY(field(json, path, "Retries", retries));
  if (retries < std::numeric_limits<int>::min() || retries > std::numeric_limits<int>::max()) {
    return mistyped(path + ".Retries", "a number of retries");
  }
  check.retries = static_cast<int>(retries);
  return {};
}

Result<void> decode_environment(const Json& config, ImageConfig& value) {
  std::vector<std::string> lines;
  SHEAF_TRY(field(config, "config", "Env", lines));
  for (const auto& line : lines) {
    const auto sign = line.find('=');
    set_variable(value, line.substr(0, sign), sign == std::string::npos ? std::string() : line.substr(sign + 1));
  }
  return {};
}

Result<void> decode(const Json& json, const std::string& path, ImageConfig& config) {
  if (!json.is_object()) {
    return mistyped(path, "an object");
  }
  SHEAF_TRY(field(json, path, "User", config.user));
  SHEAF_TRY(field(json, path, "ExposedPorts", config.exposed_ports));
  SHEAF_TRY(decode_environment(json, config));
  SHEAF_TRY(field(json, path, "Entrypoint", config.entrypoint));
  SHEAF_TRY(field(json, path, "Cmd", config.command));
  SHEAF_TRY(field(json, path, "Volumes", config.volumes));
  SHEAF_TRY(field(json, path, "WorkingDir", config.directory));
  SHEAF_TRY(field(json, path, "Labels", config.labels));
  SHEAF_TRY(field(json, path, "StopSignal", config.stop_signal));
  SHEAF_TRY(field(json, path, "Healthcheck", config.healthcheck));
  SHEAF_TRY(field(json, path, "Shell", config.shell));
  SHEAF_TRY(field(json, path, "OnBuild", config.on_build));
  return {};
}

Result<void> decode(const Json& json, const std::string& path, std::vector<History>& history) {
  if (!json.is_array()) {
    return mistyped(path, "a list");
  }
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto place = fmt::format("{}[{}]", path, i);
    if (!json[i].is_object()) {
      return mistyped(place, "an object");
    }
    auto& line = history.emplace_back();
    SHEAF_TRY(field(json[i], place, "created_by", line.created_by));
    SHEAF_TRY(field(json[i], place, "comment", line.comment));
    SHEAF_TRY(field(json[i], place, "empty_layer", line.empty_layer));
  }
  return {};
}

} // namespace

std::optional<std::string> variable(const ImageConfig& config, std::string_view name) {
  const auto found =
      std::ranges::find(config.environment, name, [](const auto& pair) { return std::string_view(pair.first); });
  return found != config.environment.end() ? std::optional(found->second) : std::nullopt;
}

void set_variable(ImageConfig& config, const std::string& name, const std::string& value) {
  const auto found = std::ranges::find(config.environment, name, [](const auto& pair) { return pair.first; });
  if (found != config.environment.end()) {
    found->second = value;
  } else {
    config.environment.emplace_back(name, value);
  }
}

std::string serialise(const Image& image) {
  Json json = {{"os", image.os}, {"architecture", image.architecture}, {"config", to_json(image.config)}};
  put(json, "variant", image.variant);
  put(json, "author", image.author);
  auto& history = json["history"] = Json::array();
  for (const auto& line : image.history) {
    history.push_back(to_json(line));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Image> parse_image(std::string_view json) {
  const auto document = Json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return Error(ErrorCode::corrupt, document.is_discarded() ? "an image's configuration is not JSON"
                                                             : "an image's configuration is not a JSON object");
  }
  for (const auto* key : {"os", "architecture"}) {
    if (!document.contains(key)) {
      return Error(ErrorCode::corrupt, fmt::format("an image's configuration has no '{}'", key));
    }
  }
  Image image;
  SHEAF_TRY(field(document, "", "os", image.os).context("reading an image's configuration"));
  SHEAF_TRY(field(document, "", "architecture", image.architecture).context("reading an image's configuration"));
  SHEAF_TRY(field(document, "", "variant", image.variant).context("reading an image's configuration"));
  SHEAF_TRY(field(document, "", "author", image.author).context("reading an image's configuration"));
  SHEAF_TRY(field(document, "", "config", image.config).context("reading an image's configuration"));
  SHEAF_TRY(field(document, "", "history", image.history).context("reading an image's configuration"));
  return image;
}

} // namespace sheaf::oci
