// SPDX-License-Identifier: Apache-2.0
#include "sbom/package_files.hpp"

#include "base/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sheaf::sbom {
namespace {

using Json = nlohmann::json;

/// Longer ones are the licence itself, not its name.
constexpr std::size_t k_longest_licence = 200;

std::string string_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Today a string; once also {"type": "MIT"}, and "licenses": a list of such.
std::string npm_licence(const Json& object) {
  const auto one = [](const Json& licence) {
    return licence.is_string()   ? licence.get<std::string>()
           : licence.is_object() ? string_of(licence, "type")
                                 : std::string();
  };
  if (const auto licence = object.find("license"); licence != object.end()) {
    return one(*licence);
  }
  std::vector<std::string> all;
  if (const auto licences = object.find("licenses"); licences != object.end() && licences->is_array()) {
    for (const auto& licence : *licences) {
      if (auto text = one(licence); !text.empty()) {
        all.push_back(std::move(text));
      }
    }
  }
  return all.size() < 2 ? joined(all, "") : "(" + joined(all, " OR ") + ")"; // npm: the user may choose
}

bool is_one_line_of_print(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

Result<Package> checked(Package package) {
  if (package.name.empty() || package.version.empty() || !is_one_line_of_print(package.name) ||
      !is_one_line_of_print(package.version)) {
    return Error(ErrorCode::corrupt, "it has no name or no version");
  }
  if (package.licence.size() > k_longest_licence || !is_one_line_of_print(package.licence)) {
    package.licence.clear();
  }
  return package;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// What METADATA says of the licence, the most exact first.
struct PythonLicence {
  std::string expression;
  std::string text;
  std::string classifier;

  std::string best() && {
    if (!expression.empty()) {
      return std::move(expression);
    }
    const bool is_name = !text.empty() && text != "UNKNOWN" && text.size() <= k_longest_licence;
    return is_name ? std::move(text) : std::move(classifier);
  }
};

void read_field(std::string_view key, std::string_view value, Package& package, PythonLicence& licence) {
  if (equals_ignoring_case(key, "Name")) {
    package.name = value;
  } else if (equals_ignoring_case(key, "Version")) {
    package.version = value;
  } else if (equals_ignoring_case(key, "License-Expression")) {
    licence.expression = value;
  } else if (equals_ignoring_case(key, "License")) {
    licence.text = value;
  } else if (equals_ignoring_case(key, "Classifier") && value.starts_with("License ::")) {
    licence.classifier = trim(value.substr(value.rfind(':') + 1));
  }
}

} // namespace

Result<Package> parse_package_json(std::string_view text) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return Error(ErrorCode::corrupt, "it is no JSON object");
  }
  Package package;
  package.type = PackageType::npm;
  package.name = string_of(json, "name");
  package.version = string_of(json, "version");
  package.licence = npm_licence(json);
  return checked(std::move(package));
}

Result<Package> parse_python_metadata(std::string_view text) {
  Package package;
  package.type = PackageType::pip;
  PythonLicence licence;
  bool licence_goes_on = false;
  for (const auto line : lines_of(text)) {
    if (trim(line).empty()) {
      break; // the description follows
    }
    if (line.front() == ' ' || line.front() == '\t') {
      if (licence_goes_on) {
        licence.text.clear(); // the whole text of a licence, not its name
      }
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      continue;
    }
    const auto key = trim(line.substr(0, colon));
    read_field(key, trim(line.substr(colon + 1)), package, licence);
    licence_goes_on = equals_ignoring_case(key, "License");
  }
  package.licence = std::move(licence).best();
  return checked(std::move(package));
}

} // namespace sheaf::sbom
