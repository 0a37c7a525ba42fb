// SPDX-License-Identifier: Apache-2.0
#include "sandbox/copy_spec.hpp"

#include <nlohmann/json.hpp>

namespace sheaf::sandbox {
namespace {

using Json = nlohmann::json;

Json to_json(const CopyFiles::File& file) {
  return {{"path", file.path},
          {"name", file.name},
          {"is_directory", file.is_directory},
          {"mode", file.mode ? Json(*file.mode) : Json(nullptr)}};
}

CopyFiles::File file_from(const Json& json) {
  CopyFiles::File file{json.at("path"), json.at("name"), json.at("is_directory"), std::nullopt};
  if (const auto& mode = json.at("mode"); !mode.is_null()) {
    file.mode = mode.get<unsigned>();
  }
  return file;
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
  copy.mode = json.at("mode");
  copy.unpack_sources = json.at("unpack_sources");
  copy.unpack_files = json.at("unpack_files");
  if (const auto& epoch = json.at("epoch"); !epoch.is_null()) {
    copy.epoch = epoch.get<long long>();
  }
  return copy;
}

} // namespace

std::string serialise(const CopyFiles& copy) {
  Json json = {{"tree", copy.tree},
               {"ignore", copy.ignore},
               {"sources", copy.sources},
               {"files", Json::array()},
               {"excludes", copy.excludes},
               {"parents", copy.parents},
               {"destination", copy.destination},
               {"owner", copy.owner},
               {"mode", copy.mode},
               {"unpack_sources", copy.unpack_sources},
               {"unpack_files", copy.unpack_files},
               {"epoch", copy.epoch ? Json(*copy.epoch) : Json(nullptr)}};
  for (const auto& file : copy.files) {
    json["files"].push_back(to_json(file));
  }
  std::string bytes;
  Json::to_cbor(json, bytes);
  return bytes;
}

Result<CopyFiles> parse_copy(std::string_view bytes) {
  try {
    return copy_from(Json::from_cbor(bytes));
  } catch (const Json::exception& error) {
    return Error(ErrorCode::internal, std::string("reading what a sandbox is to copy: ") + error.what());
  }
}

} // namespace sheaf::sandbox
