// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sbom/package.hpp"

namespace sheaf::sbom {
namespace {

struct Example {
  PackageUrl url;
  std::string text;
};

// Values are those of the examples in the package-url specification and its list of types.
const std::vector<Example> k_examples = {
    {{"bitbucket", {"birkenfeld"}, "pygments-main", "244fd47e07d1014f0aed9c", {}, {}},
     "pkg:bitbucket/birkenfeld/pygments-main@244fd47e07d1014f0aed9c"},
    {{"deb", {"debian"}, "curl", "7.50.3-1", {{"distro", "jessie"}, {"arch", "i386"}}, {}},
     "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie"},
    {{"docker", {}, "cassandra", "sha256:244fd47e07d1004f0aed9c", {}, {}},
     "pkg:docker/cassandra@sha256:244fd47e07d1004f0aed9c"},
    {{"gem", {}, "ruby-advisory-db-check", "0.12.4", {}, {}}, "pkg:gem/ruby-advisory-db-check@0.12.4"},
    {{"github", {"Package-url"}, "purl-Spec", "244fd47e07d1004f0aed9c", {}, {}},
     "pkg:github/package-url/purl-spec@244fd47e07d1004f0aed9c"},
    {{"golang", {"google.golang.org"}, "genproto", "", {}, "/googleapis/api/./annotations/"},
     "pkg:golang/google.golang.org/genproto#googleapis/api/annotations"},
    {{"maven", {"org.apache.xmlgraphics"}, "batik-anim", "1.9.1", {{"packaging", "sources"}, {"classifier", ""}}, {}},
     "pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1?packaging=sources"},
    {{"npm", {"@angular"}, "animation", "12.3.1", {}, {}}, "pkg:npm/%40angular/animation@12.3.1"},
    {{"nuget", {}, "EnterpriseLibrary.Common", "6.0.1304", {}, {}}, "pkg:nuget/EnterpriseLibrary.Common@6.0.1304"},
    {{"PyPI", {}, "Django_package", "1.11.1.dev1", {}, {}}, "pkg:pypi/django-package@1.11.1.dev1"},
    {{"rpm", {"fedora"}, "curl", "7.50.3-1.fc25", {{"arch", "i386"}, {"distro", "fedora-25"}}, {}},
     "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25"}};

TEST(PackageUrl, PrintsTheExamplesOfTheSpecification) {
  for (const auto& example : k_examples) {
    EXPECT_EQ(to_string(example.url), example.text);
  }
}

TEST(PackageUrl, EncodesWhatHasAMeaning) {
  EXPECT_EQ(to_string(PackageUrl{"generic", {"a/b"}, "c d", "1+2~3", {{"K", "x&y=z/ü"}}, "e?/../f"}),
            "pkg:generic/a%2Fb/c%20d@1%2B2~3?k=x%26y%3Dz%2F%C3%BC#e%3F/f");
}

Package named(PackageType type, std::string name, std::string version, std::string architecture = "") {
  Package package;
  package.type = type;
  package.name = std::move(name);
  package.version = std::move(version);
  package.architecture = std::move(architecture);
  return package;
}

TEST(PackageUrl, NamesThePackagesOfEveryManager) {
  const Distribution debian{"debian", "12"};
  EXPECT_EQ(purl_of(named(PackageType::deb, "libstdc++6", "1:12.2.0-14", "amd64"), debian),
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14?arch=amd64&distro=debian-12");
  EXPECT_EQ(purl_of(named(PackageType::deb, "x", "1", "all"), {}), "pkg:deb/debian/x@1?arch=all");
  EXPECT_EQ(purl_of(named(PackageType::apk, "musl", "1.2-r4", "x86_64"), {"alpine", "3.18.4"}),
            "pkg:apk/alpine/musl@1.2-r4?arch=x86_64&distro=alpine-3.18.4");
  EXPECT_EQ(purl_of(named(PackageType::rpm, "bash", "3:5.2-1.fc38", "x86_64"), {"fedora", "38"}),
            "pkg:rpm/fedora/bash@5.2-1.fc38?arch=x86_64&distro=fedora-38&epoch=3");
  EXPECT_EQ(purl_of(named(PackageType::npm, "@types/node", "20.1.0"), debian), "pkg:npm/%40types/node@20.1.0");
  EXPECT_EQ(purl_of(named(PackageType::npm, "left-pad", "1.3.0"), debian), "pkg:npm/left-pad@1.3.0");
  EXPECT_EQ(purl_of(named(PackageType::pip, "Typing_Extensions", "4.8.0"), debian), "pkg:pypi/typing-extensions@4.8.0");
}

} // namespace
} // namespace sheaf::sbom
