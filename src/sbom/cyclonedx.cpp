// SPDX-License-Identifier: Apache-2.0
#include "sbom/cyclonedx.hpp"

#include <nlohmann/json.hpp>

namespace sheaf::sbom {
namespace {

using Json = nlohmann::json;

Json licences_json(const std::string& licence) {
  switch (licence_form(licence)) {
  case LicenceForm::identifier:
    return Json::array({{{"license", {{"id", licence}}}}});
  case LicenceForm::expression:
    return Json::array({{{"expression", licence}}});
  case LicenceForm::words:
    return Json::array({{{"license", {{"name", licence}}}}});
  }
  return Json::array();
}

void add_property(Json& component, const char* name, const std::string& value) {
  if (!value.empty()) {
    component["properties"].push_back({{"name", name}, {"value", value}});
  }
}

Json component_json(const Package& package) {
  Json json = {{"type", "library"}, {"bom-ref", package.purl}, {"version", package.version}, {"purl", package.purl}};
  const auto slash = package.name.starts_with('@') ? package.name.find('/') : std::string::npos;
  if (slash != std::string::npos) {
    json["group"] = package.name.substr(0, slash);
  }
  json["name"] = slash == std::string::npos ? package.name : package.name.substr(slash + 1);
  if (!package.licence.empty()) {
    json["licenses"] = licences_json(package.licence);
  }
  add_property(json, "sheaf:architecture", package.architecture);
  add_property(json, "sheaf:source:name", package.source_name);
  add_property(json, "sheaf:source:version", package.source_version);
  for (const auto& place : package.places) {
    json["evidence"]["occurrences"].push_back({{"location", "/" + place}});
  }
  return json;
}

Json image_json(const Subject& subject) {
  const auto purl = image_purl(subject);
  return {{"type", "container"},  {"bom-ref", purl},
          {"name", subject.name}, {"version", subject.digest.to_string()},
          {"purl", purl},         {"hashes", Json::array({{{"alg", "SHA-256"}, {"content", subject.digest.hex()}}})}};
}

} // namespace

std::string cyclonedx_text(const Subject& subject, const Packages& packages, std::string_view tool_version) {
  auto components = Json::array();
  for (const auto& package : packages.packages) {
    components.push_back(component_json(package));
  }
  const Json tool = {{"type", "application"}, {"name", "sheaf"}, {"version", tool_version}};
  Json json = {{"$schema", "http://cyclonedx.org/schema/bom-1.5.schema.json"},
               {"bomFormat", "CycloneDX"},
               {"specVersion", "1.5"},
               {"version", 1},
               {"metadata",
                {{"timestamp", utc_time(subject.created)},
                 {"tools", {{"components", Json::array({tool})}}},
                 {"component", image_json(subject)}}},
               {"components", std::move(components)}};
  // Names come from untrusted files: what is no UTF-8 is replaced.
  const auto replace = Json::error_handler_t::replace;
  json["serialNumber"] = "urn:uuid:" + uuid_of(Digest::of(json.dump(-1, ' ', false, replace)));
  return json.dump(2, ' ', false, replace) + "\n";
}

} // namespace sheaf::sbom
