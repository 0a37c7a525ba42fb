// SPDX-License-Identifier: Apache-2.0
#include "sbom/provenance.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sheaf::sbom {
namespace {

using Json = nlohmann::json;

Json layer_json(const LayerOrigin& layer) {
  // A content key is no digest of a file, so it does not pose as one: in-toto lets algorithms have names of their own.
  Json json = {{"name", "layer " + layer.name},
               {"uri", "urn:sheaf:layer:" + layer.content.hex()},
               {"digest", {{"sheafContent", layer.content.hex()}}}};
  if (layer.recipe) {
    json["annotations"] = {{"recipeKey", layer.recipe->to_string()}};
  }
  return json;
}

Json origin_json(const Origin& origin) {
  Json json = {{"name", origin.name}, {"uri", origin.uri}};
  if (!origin.digests.empty()) {
    json["digest"] = origin.digests;
  }
  return json;
}

Json dependencies_json(const BuildFacts& facts) {
  auto json = Json::array();
  if (facts.base) {
    json.push_back(origin_json(*facts.base));
  }
  for (const auto& layer : facts.layers) {
    json.push_back(layer_json(layer));
  }
  for (const auto& source : facts.sources) {
    json.push_back(origin_json(source));
  }
  return json;
}

} // namespace

std::string provenance_text(const Subject& subject, const BuildFacts& facts) {
  const Json definition = {{"buildType", k_build_type},
                           {"externalParameters", facts.parameters},
                           {"internalParameters", Json::object()},
                           {"resolvedDependencies", dependencies_json(facts)}};
  const auto replace = Json::error_handler_t::replace;
  const auto made_of = subject.digest.to_string() + definition.dump(-1, ' ', false, replace);
  Json metadata = {{"invocationId", facts.invocation.value_or("urn:uuid:" + uuid_of(Digest::of(made_of)))}};
  if (facts.started) {
    metadata["startedOn"] = utc_time(*facts.started);
  }
  if (facts.finished) {
    metadata["finishedOn"] = utc_time(*facts.finished);
  }
  const Json builder = {{"id", "urn:sheaf:builder:local"}, {"version", {{"sheaf", facts.tool_version}}}};
  const Json json = {
      {"_type", "https://in-toto.io/Statement/v1"},
      {"subject", Json::array({{{"name", subject.name}, {"digest", {{"sha256", subject.digest.hex()}}}}})},
      {"predicateType", "https://slsa.dev/provenance/v1"},
      {"predicate",
       {{"buildDefinition", definition}, {"runDetails", {{"builder", builder}, {"metadata", std::move(metadata)}}}}}};
  return json.dump(2, ' ', false, replace) + "\n";
}

} // namespace sheaf::sbom
