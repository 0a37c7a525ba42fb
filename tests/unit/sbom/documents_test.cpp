// SPDX-License-Identifier: Apache-2.0
// The documents, by their structure: what each specification asks for, read back with a JSON library.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <regex>
#include <set>

#include "sbom/cyclonedx.hpp"
#include "sbom/provenance.hpp"
#include "sbom/spdx.hpp"

namespace sheaf::sbom {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::MatchesRegex;

const Subject k_subject{"registry.example:5000/team/app:1", Digest::of("image"), "amd64", 1'700'000'000};

Package package(PackageType type, const std::string& name, const std::string& licence = "") {
  Package made;
  made.type = type;
  made.name = name;
  made.version = "1";
  made.licence = licence;
  made.places = {"a/file"};
  made.purl = purl_of(made, {"debian", "12"});
  return made;
}

Packages sample() {
  Packages packages;
  packages.packages = {package(PackageType::deb, "libstdc++6"), package(PackageType::npm, "@s/x", "MIT"),
                       package(PackageType::npm, "y", "(MIT OR Apache-2.0)"),
                       package(PackageType::pip, "bad\xff", "Modified BSD")};
  packages.packages[0].source_name = "gcc-12";
  packages.packages[0].source_version = "12.2";
  return packages;
}

TEST(Document, TimesAreThoseOfTheSpecifications) {
  EXPECT_EQ(utc_time(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_time(1'700'000'000), "2023-11-14T22:13:20Z");
}

TEST(Document, UuidsAreOfVersionEight) {
  constexpr const char* k_form = "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
  for (const auto* text : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(std::regex_match(uuid_of(Digest::of(text)), std::regex(k_form)));
  }
  EXPECT_EQ(uuid_of(Digest::of("a")), uuid_of(Digest::of("a")));
  EXPECT_NE(uuid_of(Digest::of("a")), uuid_of(Digest::of("b")));
}

TEST(Document, ImagesHaveUrls) {
  const auto digest = Digest::of("image").to_string();
  EXPECT_EQ(image_purl(k_subject),
            "pkg:oci/app@" + digest + "?arch=amd64&repository_url=registry.example:5000%2Fteam%2Fapp&tag=1");
  EXPECT_EQ(image_purl({"debian:12", Digest::of("image"), "", 0}), "pkg:oci/debian@" + digest + "?tag=12");
  EXPECT_EQ(image_purl({digest, Digest::of("image"), "arm64", 0}), "pkg:oci/image@" + digest + "?arch=arm64");
}

TEST(Document, TellsLicencesFromWords) {
  EXPECT_EQ(licence_form("MIT"), LicenceForm::identifier);
  for (const auto* text : {"MIT OR Apache-2.0", "(MIT)", "GPL-2.0-or-later WITH Classpath-exception-2.0", "Apache-2.0+",
                           "(MIT AND (ISC OR BSD-3-Clause)) OR Zlib"}) {
    EXPECT_EQ(licence_form(text), LicenceForm::expression) << text;
  }
  for (const auto* text :
       {"", "mit", "BSD", "MIT OR", "OR MIT", "MIT ISC", "(MIT", "MIT)", "()", "MIT WITH MIT",
        "(MIT) WITH LLVM-exception", "MIT WITH LLVM-exception WITH LLVM-exception", "MIT (ISC)", "+"}) {
    EXPECT_EQ(licence_form(text), LicenceForm::words) << text;
  }
}

TEST(Spdx, HasWhatEveryDocumentMustHave) {
  const auto json = Json::parse(spdx_text(k_subject, sample(), "sheaf-1"));
  EXPECT_EQ(json["spdxVersion"], "SPDX-2.3");
  EXPECT_EQ(json["dataLicense"], "CC0-1.0");
  EXPECT_EQ(json["SPDXID"], "SPDXRef-DOCUMENT");
  EXPECT_EQ(json["creationInfo"]["created"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(json["creationInfo"]["creators"], Json::array({"Tool: sheaf-1"}));
  std::set<std::string> ids;
  for (const auto& one : json["packages"]) {
    EXPECT_TRUE(std::regex_match(one["SPDXID"].get<std::string>(), std::regex("SPDXRef-[A-Za-z0-9.-]+")));
    EXPECT_EQ(one["downloadLocation"], "NOASSERTION");
    EXPECT_EQ(one["filesAnalyzed"], false);
    ids.insert(one["SPDXID"]);
  }
  EXPECT_EQ(ids.size(), 5U);
  EXPECT_EQ(json["relationships"].size(), 5U);
  for (const auto& relation : json["relationships"]) {
    EXPECT_TRUE(ids.contains(relation["relatedSpdxElement"]));
  }
}

TEST(Spdx, SaysWhatPackagesSay) {
  const auto json = Json::parse(spdx_text(k_subject, sample(), "sheaf-1"));
  const auto& deb = json["packages"][1];
  EXPECT_EQ(deb["name"], "libstdc++6");
  EXPECT_EQ(deb["sourceInfo"], "stated by /a/file; built from gcc-12 12.2");
  EXPECT_EQ(deb["licenseDeclared"], "NOASSERTION");
  EXPECT_EQ(deb["externalRefs"][0]["referenceLocator"], "pkg:deb/debian/libstdc%2B%2B6@1?distro=debian-12");
  EXPECT_EQ(json["packages"][2]["licenseDeclared"], "MIT");
  EXPECT_EQ(json["packages"][3]["licenseDeclared"], "(MIT OR Apache-2.0)");
  const auto& other = json["hasExtractedLicensingInfos"][0];
  EXPECT_EQ(json["packages"][4]["licenseDeclared"], other["licenseId"]);
  EXPECT_EQ(other["extractedText"], "Modified BSD");
}

TEST(CycloneDx, HasWhatEveryDocumentMustHave) {
  const auto json = Json::parse(cyclonedx_text(k_subject, sample(), "1"));
  EXPECT_EQ(json["bomFormat"], "CycloneDX");
  EXPECT_EQ(json["specVersion"], "1.5");
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(json["metadata"]["component"]["type"], "container");
  EXPECT_EQ(json["metadata"]["component"]["hashes"][0]["content"], Digest::of("image").hex());
  std::set<std::string> references;
  for (const auto& component : json["components"]) {
    EXPECT_EQ(component["type"], "library");
    EXPECT_EQ(component["bom-ref"], component["purl"]);
    EXPECT_EQ(component["evidence"]["occurrences"][0]["location"], "/a/file");
    references.insert(component["bom-ref"]);
  }
  EXPECT_EQ(references.size(), 4U);
}

TEST(CycloneDx, SaysWhatPackagesSay) {
  const auto components = Json::parse(cyclonedx_text(k_subject, sample(), "1"))["components"];
  EXPECT_FALSE(components[0].contains("licenses"));
  EXPECT_EQ(components[0]["properties"][0], (Json{{"name", "sheaf:source:name"}, {"value", "gcc-12"}}));
  EXPECT_EQ(components[1]["group"], "@s");
  EXPECT_EQ(components[1]["name"], "x");
  EXPECT_EQ(components[1]["licenses"][0]["license"]["id"], "MIT");
  EXPECT_EQ(components[2]["licenses"][0]["expression"], "(MIT OR Apache-2.0)");
  EXPECT_EQ(components[3]["licenses"][0]["license"]["name"], "Modified BSD");
}

TEST(Documents, EqualFactsGiveEqualBytesAndOthersOtherNames) {
  auto other = k_subject;
  other.digest = Digest::of("another image");
  EXPECT_EQ(spdx_text(k_subject, sample(), "t"), spdx_text(k_subject, sample(), "t"));
  EXPECT_EQ(cyclonedx_text(k_subject, sample(), "t"), cyclonedx_text(k_subject, sample(), "t"));
  EXPECT_NE(Json::parse(spdx_text(k_subject, sample(), "t"))["documentNamespace"],
            Json::parse(spdx_text(other, sample(), "t"))["documentNamespace"]);
  EXPECT_NE(Json::parse(cyclonedx_text(k_subject, sample(), "t"))["serialNumber"],
            Json::parse(cyclonedx_text(other, sample(), "t"))["serialNumber"]);
}

BuildFacts facts() {
  BuildFacts made;
  made.parameters = {{"command", "build"}, {"target", "app"}};
  made.layers = {{"node", ContentKey{Digest::of("content")}, RecipeKey{Digest::of("recipe")}},
                 {"join", ContentKey{Digest::of("join")}, std::nullopt}};
  made.base = Origin{"base image", "pkg:oci/debian@12", {{"sha256", Digest::of("base").hex()}}};
  made.sources = {
      {"context", "git+https://example.org/app", {{"gitCommit", "0123456789012345678901234567890123456789"}}}};
  made.tool_version = "0.1";
  return made;
}

TEST(Provenance, IsAStatementOfSlsa) {
  const auto json = Json::parse(provenance_text(k_subject, facts()));
  EXPECT_EQ(json["_type"], "https://in-toto.io/Statement/v1");
  EXPECT_EQ(json["predicateType"], "https://slsa.dev/provenance/v1");
  EXPECT_EQ(json["subject"][0]["name"], k_subject.name);
  EXPECT_EQ(json["subject"][0]["digest"]["sha256"], k_subject.digest.hex());
  const auto& definition = json["predicate"]["buildDefinition"];
  EXPECT_EQ(definition["buildType"], "urn:sheaf:build:1");
  EXPECT_EQ(definition["externalParameters"]["target"], "app");
  const auto& read = definition["resolvedDependencies"];
  ASSERT_EQ(read.size(), 4U);
  EXPECT_EQ(read[0]["digest"]["sha256"], Digest::of("base").hex());
  EXPECT_EQ(read[1]["name"], "layer node");
  EXPECT_EQ(read[1]["digest"]["sheafContent"], Digest::of("content").hex());
  EXPECT_EQ(read[1]["annotations"]["recipeKey"], Digest::of("recipe").to_string());
  EXPECT_FALSE(read[2].contains("annotations"));
  EXPECT_EQ(read[3]["digest"]["gitCommit"], "0123456789012345678901234567890123456789");
  EXPECT_EQ(json["predicate"]["runDetails"]["builder"]["version"]["sheaf"], "0.1");
}

TEST(Provenance, TimesAndInvocationAreThereIfGiven) {
  const auto without = Json::parse(provenance_text(k_subject, facts()))["predicate"]["runDetails"]["metadata"];
  EXPECT_EQ(without.size(), 1U);
  EXPECT_THAT(without["invocationId"].get<std::string>(), testing::StartsWith("urn:uuid:"));
  auto more = facts();
  more.invocation = "run-7";
  more.started = 0;
  more.finished = 60;
  const auto with = Json::parse(provenance_text(k_subject, more))["predicate"]["runDetails"]["metadata"];
  EXPECT_EQ(
      with,
      (Json{{"invocationId", "run-7"}, {"startedOn", "1970-01-01T00:00:00Z"}, {"finishedOn", "1970-01-01T00:01:00Z"}}));
}

TEST(Provenance, EqualFactsGiveEqualBytes) {
  EXPECT_EQ(provenance_text(k_subject, facts()), provenance_text(k_subject, facts()));
  auto other = facts();
  other.parameters["target"] = "test";
  const auto id = [](const BuildFacts& of) {
    return Json::parse(provenance_text(k_subject, of))["predicate"]["runDetails"]["metadata"]["invocationId"];
  };
  EXPECT_NE(id(facts()), id(other));
}

} // namespace
} // namespace sheaf::sbom
