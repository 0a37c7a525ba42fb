// SPDX-License-Identifier: Apache-2.0
#include "sbom/package.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sheaf::sbom {
namespace {

using namespace std::string_view_literals;

/// Types whose names and namespaces mean the same in any case, and are written in lower case.
constexpr std::array k_lower_types = {"alpm"sv,   "apk"sv, "bitbucket"sv, "composer"sv, "deb"sv,
                                      "github"sv, "npm"sv, "oci"sv,       "pypi"sv};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string encode(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                       c == '-' || c == '_' || c == '~' || c == ':';
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string normal_name(std::string_view type, std::string_view name) {
  auto result = std::ranges::find(k_lower_types, type) != k_lower_types.end() ? lower(name) : std::string(name);
  if (type == "pypi") {
    std::ranges::replace(result, '_', '-');
  }
  return result;
}

std::string qualifiers_text(const std::map<std::string, std::string>& qualifiers) {
  std::map<std::string, std::string> sorted; // by the key as it is written
  for (const auto& [key, value] : qualifiers) {
    if (!value.empty()) {
      sorted.emplace(lower(key), value);
    }
  }
  std::string text;
  for (const auto& [key, value] : sorted) {
    text += fmt::format("{}{}={}", text.empty() ? "?" : "&", key, encode(value));
  }
  return text;
}

std::string subpath_text(std::string_view subpath) {
  std::string text;
  for (const auto piece : split(subpath, '/')) {
    if (!piece.empty() && piece != "." && piece != "..") {
      text += (text.empty() ? "#" : "/") + encode(piece);
    }
  }
  return text;
}

/// A distribution's package without what only one kind has.
PackageUrl system_url(const Package& package, const Distribution& distribution, std::string_view otherwise) {
  PackageUrl url{std::string(to_string(package.type)), {}, package.name, package.version, {}, {}};
  const auto& vendor = distribution.id.empty() ? std::string(otherwise) : distribution.id;
  if (!vendor.empty()) {
    url.name_space.push_back(lower(vendor));
  }
  url.qualifiers["arch"] = package.architecture;
  if (!distribution.id.empty() && !distribution.version.empty()) {
    url.qualifiers["distro"] = distribution.id + "-" + distribution.version;
  }
  return url;
}

PackageUrl rpm_url(const Package& package, const Distribution& distribution) {
  auto url = system_url(package, distribution, "");
  if (const auto colon = url.version.find(':'); colon != std::string::npos) {
    url.qualifiers["epoch"] = url.version.substr(0, colon);
    url.version.erase(0, colon + 1);
  }
  return url;
}

PackageUrl npm_url(const Package& package) {
  const auto slash = package.name.starts_with('@') ? package.name.find('/') : std::string::npos;
  if (slash == std::string::npos) {
    return {"npm", {}, package.name, package.version, {}, {}};
  }
  return {"npm", {package.name.substr(0, slash)}, package.name.substr(slash + 1), package.version, {}, {}};
}

} // namespace

std::string_view to_string(PackageType type) {
  switch (type) {
  case PackageType::deb:
    return "deb";
  case PackageType::apk:
    return "apk";
  case PackageType::rpm:
    return "rpm";
  case PackageType::npm:
    return "npm";
  case PackageType::pip:
    return "pip";
  }
  return "";
}

std::string to_string(const PackageUrl& url) {
  const auto type = lower(url.type);
  std::string text = "pkg:" + type;
  for (const auto& piece : url.name_space) {
    if (!piece.empty()) {
      text += "/" + encode(normal_name(type, piece));
    }
  }
  text += "/" + encode(normal_name(type, url.name));
  if (!url.version.empty()) {
    text += "@" + encode(url.version);
  }
  return text + qualifiers_text(url.qualifiers) + subpath_text(url.subpath);
}

std::string purl_of(const Package& package, const Distribution& distribution) {
  switch (package.type) {
  case PackageType::deb:
    return to_string(system_url(package, distribution, "debian"));
  case PackageType::apk:
    return to_string(system_url(package, distribution, "alpine"));
  case PackageType::rpm:
    return to_string(rpm_url(package, distribution));
  case PackageType::npm:
    return to_string(npm_url(package));
  case PackageType::pip:
    return to_string(PackageUrl{"pypi", {}, package.name, package.version, {}, {}});
  }
  return {};
}

} // namespace sheaf::sbom
