// SPDX-License-Identifier: Apache-2.0
#include "sandbox/copy_spec.hpp"

#include <nlohmann/json.hpp>

namespace sheaf::sandbox {
namespace {

using Json = nlohmann::json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
std::optional<T> optional_at(const Json& json, const char* key) {
  const auto& value = json.at(key);
  return value.is_null() ? std::nullopt : std::optional(value.get<T>());
}

Json to_json(const CopyFiles::File& file) {
  return {{"path", file.path}, {"name", file.name}, {"is_directory", file.is_directory}, {"mode", or_null(file.mode)}};
}

CopyFiles::File file_from(const Json& json) {
  return {json.at("path"), json.at("name"), json.at("is_directory"), optional_at<unsigned>(json, "mode")};
}

} // namespace

Json to_json(const CopyFiles& copy) {
  Json files = Json::array();
  for (const auto& file : copy.files) {
    files.push_back(to_json(file));
  }
  return {{"tree", copy.tree},
          {"ignore", copy.ignore},
          {"sources", copy.sources},
          {"files", std::move(files)},
          {"excludes", copy.excludes},
          {"parents", copy.parents},
          {"destination", copy.destination},
          {"owner", copy.owner},
          {"keep_owners", copy.keep_owners},
          {"mode", copy.mode},
          {"unpack_sources", copy.unpack_sources},
          {"unpack_files", copy.unpack_files},
          {"epoch", or_null(copy.epoch)}};
}

CopyFiles copy_from(const Json& json) {
  CopyFiles copy;
  copy.tree = json.at("tree").get<std::vector<std::string>>();
  copy.ignore = json.at("ignore");
  copy.sources = json.at("sources").get<std::vector<std::string>>();
  for (const auto& file : json.at("files")) {
    copy.files.push_back(file_from(file));
  }
  copy.excludes = json.at("excludes").get<std::vector<std::string>>();
  copy.parents = json.at("parents");
  copy.destination = json.at("destination");
  copy.owner = json.at("owner");
  copy.keep_owners = json.at("keep_owners");
  copy.mode = json.at("mode");
  copy.unpack_sources = json.at("unpack_sources");
  copy.unpack_files = json.at("unpack_files");
  copy.epoch = optional_at<long long>(json, "epoch");
  return copy;
}

} // namespace sheaf::sandbox
