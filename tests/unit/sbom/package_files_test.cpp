// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sbom/package_files.hpp"

namespace sheaf::sbom {
namespace {

TEST(PackageJson, SaysNameVersionAndLicence) {
  const auto package =
      parse_package_json(R"({"name": "@a/b", "version": "1.2.3", "license": "MIT", "main": 1})").value();
  EXPECT_EQ(package.type, PackageType::npm);
  EXPECT_EQ(package.name, "@a/b");
  EXPECT_EQ(package.version, "1.2.3");
  EXPECT_EQ(package.licence, "MIT");
}

std::string npm_licence(const std::string& json) {
  return parse_package_json(R"({"name": "a", "version": "1", )" + json + "}").value().licence;
}

TEST(PackageJson, ReadsTheOldFormsOfLicences) {
  EXPECT_EQ(npm_licence(R"("license": {"type": "ISC", "url": "x"})"), "ISC");
  EXPECT_EQ(npm_licence(R"("licenses": [{"type": "MIT"}, "Apache-2.0"])"), "(MIT OR Apache-2.0)");
  EXPECT_EQ(npm_licence(R"("licenses": [{"type": "MIT"}])"), "MIT");
  EXPECT_EQ(npm_licence(R"("licenses": "MIT")"), "");
  EXPECT_EQ(npm_licence(R"("license": 3)"), "");
  EXPECT_EQ(npm_licence("\"license\": \"" + std::string(300, 'x') + "\""), "");
}

TEST(PackageJson, RefusesWhatIsNoPackage) {
  for (const auto* text :
       {"", "[]", "{", "null", R"({"name": "a"})", R"({"version": "1"})", R"({"name": "", "version": "1"})",
        R"({"name": 1, "version": "1"})", R"({"name": "a\nb", "version": "1"})"}) {
    const auto package = parse_package_json(text);
    ASSERT_FALSE(package) << text;
    EXPECT_EQ(package.error().code(), ErrorCode::corrupt) << text;
  }
}

TEST(PythonMetadata, SaysNameVersionAndLicence) {
  const auto package =
      parse_python_metadata("Metadata-Version: 2.1\r\nName: Foo_Bar\r\nVersion: 1.0.post1\r\nlicense: BSD\r\n"
                            "\r\nVersion: 9 is of the description\n")
          .value();
  EXPECT_EQ(package.type, PackageType::pip);
  EXPECT_EQ(package.name, "Foo_Bar");
  EXPECT_EQ(package.version, "1.0.post1");
  EXPECT_EQ(package.licence, "BSD");
}

std::string pip_licence(const std::string& fields) {
  return parse_python_metadata("Name: a\nVersion: 1\n" + fields).value().licence;
}

TEST(PythonMetadata, TakesTheMostExactLicence) {
  const std::string classifier = "Classifier: License :: OSI Approved :: MIT License\n";
  EXPECT_EQ(pip_licence(classifier + "License: Expat\nLicense-Expression: MIT\n"), "MIT");
  EXPECT_EQ(pip_licence(classifier + "License: Expat\n"), "Expat");
  EXPECT_EQ(pip_licence(classifier + "License: UNKNOWN\n"), "MIT License");
  EXPECT_EQ(pip_licence(classifier + "License: Permission is hereby granted\n        to any person\n"), "MIT License");
  EXPECT_EQ(pip_licence("Classifier: Topic :: Software\n"), "");
}

TEST(PythonMetadata, RefusesWhatIsNoPackage) {
  for (const auto* text :
       {"", "Name: a\n", "Version: 1\n", "\nName: a\nVersion: 1\n", "Name:\nVersion: 1\n", "no fields\n"}) {
    EXPECT_FALSE(parse_python_metadata(text)) << text;
  }
}

} // namespace
} // namespace sheaf::sbom
