// SPDX-License-Identifier: Apache-2.0
#include "sbom/spdx.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cctype>
#include <map>

namespace sheaf::sbom {
namespace {

using Json = nlohmann::json;

constexpr std::string_view k_unknown = "NOASSERTION";
constexpr std::string_view k_image_id = "SPDXRef-Image";

/// Letters, digits, "." and "-", as the specification has it; unique by the digest.
std::string id_of(const Package& package) {
  std::string name;
  for (const char c : package.name) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '-';
  }
  return fmt::format("SPDXRef-{}-{}-{}", to_string(package.type), name, Digest::of(package.purl).hex().substr(0, 16));
}

Json url_reference(const std::string& purl) {
  return Json::array(
      {{{"referenceCategory", "PACKAGE-MANAGER"}, {"referenceType", "purl"}, {"referenceLocator", purl}}});
}

/// What SPDX wants of every package, with nothing asserted.
Json blank_package(std::string_view id, const std::string& name, const std::string& version) {
  return {{"SPDXID", id},
          {"name", name},
          {"versionInfo", version},
          {"downloadLocation", k_unknown},
          {"filesAnalyzed", false},
          {"licenseConcluded", k_unknown},
          {"licenseDeclared", k_unknown},
          {"copyrightText", k_unknown}};
}

std::string source_text(const Package& package) {
  auto text = "stated by /" + joined(package.places, ", /");
  if (!package.source_name.empty()) {
    text += fmt::format("; built from {}{}{}", package.source_name, package.source_version.empty() ? "" : " ",
                        package.source_version);
  }
  return text;
}

/// Licences that are not of SPDX's list: their words by the reference that stands for them.
using OtherLicences = std::map<std::string, std::string>;

std::string declared(const std::string& licence, OtherLicences& others) {
  if (licence.empty()) {
    return std::string(k_unknown);
  }
  if (licence_form(licence) != LicenceForm::words) {
    return licence;
  }
  auto reference = "LicenseRef-" + Digest::of(licence).short_hex();
  others.emplace(reference, licence);
  return reference;
}

Json package_json(const Package& package, OtherLicences& others) {
  auto json = blank_package(id_of(package), package.name, package.version);
  json["licenseDeclared"] = declared(package.licence, others);
  json["sourceInfo"] = source_text(package);
  json["externalRefs"] = url_reference(package.purl);
  return json;
}

Json image_json(const Subject& subject) {
  auto json = blank_package(k_image_id, subject.name, subject.digest.to_string());
  json["primaryPackagePurpose"] = "CONTAINER";
  json["checksums"] = Json::array({{{"algorithm", "SHA256"}, {"checksumValue", subject.digest.hex()}}});
  json["externalRefs"] = url_reference(image_purl(subject));
  return json;
}

Json relation(std::string_view from, std::string_view kind, std::string_view to) {
  return {{"spdxElementId", from}, {"relationshipType", kind}, {"relatedSpdxElement", to}};
}

Json other_licences_json(const OtherLicences& others) {
  auto json = Json::array();
  for (const auto& [reference, words] : others) {
    json.push_back({{"licenseId", reference}, {"name", words}, {"extractedText", words}});
  }
  return json;
}

} // namespace

std::string spdx_text(const Subject& subject, const Packages& packages, std::string_view tool) {
  OtherLicences others;
  auto list = Json::array({image_json(subject)});
  auto relations = Json::array({relation("SPDXRef-DOCUMENT", "DESCRIBES", k_image_id)});
  for (const auto& package : packages.packages) {
    list.push_back(package_json(package, others));
    relations.push_back(relation(k_image_id, "CONTAINS", list.back().at("SPDXID").get_ref<const std::string&>()));
  }
  Json json = {{"spdxVersion", "SPDX-2.3"},
               {"dataLicense", "CC0-1.0"},
               {"SPDXID", "SPDXRef-DOCUMENT"},
               {"name", subject.name},
               {"creationInfo",
                {{"created", utc_time(subject.created)}, {"creators", Json::array({fmt::format("Tool: {}", tool)})}}},
               {"packages", std::move(list)},
               {"relationships", std::move(relations)}};
  if (!others.empty()) {
    json["hasExtractedLicensingInfos"] = other_licences_json(others);
  }
  // Names come from untrusted files: what is no UTF-8 is replaced.
  const auto replace = Json::error_handler_t::replace;
  json["documentNamespace"] = "urn:uuid:" + uuid_of(Digest::of(json.dump(-1, ' ', false, replace)));
  return json.dump(2, ' ', false, replace) + "\n";
}

} // namespace sheaf::sbom
