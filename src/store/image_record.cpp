// SPDX-License-Identifier: Apache-2.0
#include "store/image_record.hpp"

#include "store/record_json.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace sheaf::store {

using Json = nlohmann::json;

Digest image_id(const ImageRecord& record) {
  Sha256 hash;
  hash.field("sheaf-image 1").field(oci::serialise(record.image));
  for (const auto& tree : record.trees) {
    hash.field(tree.content.hex());
  }
  return hash.finish();
}

std::string serialise(const ImageRecord& record) {
  Json json = {{"version", 1}, {"created", record.created}, {"trees", Json::array()}};
  // As text, so that what the configuration's own reader accepts is decided in one place.
  json["image"] = oci::serialise(record.image);
  for (const auto& tree : record.trees) {
    json["trees"].push_back({{"folder", tree.folder}, {"content", tree.content.to_string()}});
  }
  if (!record.annotations.empty()) {
    json["annotations"] = record.annotations;
  }
  if (record.manifest) {
    json["manifest"] = record.manifest->to_string();
  }
  if (record.config) {
    json["config"] = record.config->to_string();
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ImageRecord> parse_image_record(std::string_view text) {
  try {
    const auto json = parse_record_json(text);
    ImageRecord record;
    record.created = json.at("created");
    SHEAF_TRY_ASSIGN(record.image, oci::parse_image(json.at("image").get<std::string>()));
    for (const auto& tree : json.at("trees")) {
      auto& added = record.trees.emplace_back();
      added.folder = tree.at("folder");
      SHEAF_TRY_ASSIGN(added.content, Digest::parse(tree.at("content").get<std::string>()));
    }
    if (json.contains("annotations")) {
      record.annotations = json.at("annotations").get<std::map<std::string, std::string>>();
    }
    for (const auto& [key, digest] : {std::pair("manifest", &record.manifest), std::pair("config", &record.config)}) {
      if (json.contains(key)) {
        SHEAF_TRY_ASSIGN(*digest, Digest::parse(json.at(key).get<std::string>()));
      }
    }
    return record;
  } catch (const Json::exception& error) {
    return Error(ErrorCode::corrupt, std::string("reading an image's record: ") + error.what());
  }
}

} // namespace sheaf::store
