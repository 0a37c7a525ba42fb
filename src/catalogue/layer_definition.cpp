// SPDX-License-Identifier: Apache-2.0
#include "catalogue/layer_definition.hpp"

#include "base/text.hpp"
#include "catalogue/project_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sheaf::catalogue {
namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z'); }

bool is_name_character(char c) { return (is_alnum(c) && c == to_lower(c)) || c == '_' || c == '-'; }

bool is_version(std::string_view text) {
  const auto fits = [](char c) { return is_alnum(c) || std::string_view("._+~-:").find(c) != std::string_view::npos; };
  return !text.empty() && is_alnum(text.front()) && std::all_of(text.begin(), text.end(), fits);
}

bool has_type(ArgType type, std::string_view value) {
  switch (type) {
  case ArgType::string:
    return true;
  case ArgType::integer:
    return to_number<std::int64_t>(value).has_value();
  case ArgType::boolean:
    return value == "true" || value == "false";
  case ArgType::version:
    return is_version(value);
  }
  return false;
}

} // namespace

std::string_view to_string(Kind kind) {
  constexpr std::array<std::string_view, 5> k_names = {"base", "toolchain", "tool", "agent", "project"};
  return k_names.at(static_cast<std::size_t>(kind));
}

std::string_view to_string(Origin origin) {
  constexpr std::array<std::string_view, 3> k_names = {"builtin", "user", "project"};
  return k_names.at(static_cast<std::size_t>(origin));
}

std::string_view to_string(Family family) {
  constexpr std::array<std::string_view, 3> k_names = {"deb", "rpm", "apk"};
  return k_names.at(static_cast<std::size_t>(family));
}

std::string_view to_string(ArgType type) {
  constexpr std::array<std::string_view, 4> k_names = {"string", "int", "bool", "version"};
  return k_names.at(static_cast<std::size_t>(type));
}

std::optional<Family> family_from(std::string_view text) {
  for (const auto family : {Family::deb, Family::rpm, Family::apk}) {
    if (to_string(family) == text) {
      return family;
    }
  }
  return std::nullopt;
}

std::optional<std::string> arg_mistake(const ArgDefinition& definition, std::string_view value) {
  if (!has_type(definition.type, value)) {
    return fmt::format("'{}' is not of type {}", value, to_string(definition.type));
  }
  const auto& allowed = definition.allowed;
  if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    return fmt::format("'{}' is not allowed (allowed: {})", value, joined(allowed, ", "));
  }
  return std::nullopt;
}

std::string build_arg_name(std::string_view arg) {
  std::string name(arg);
  for (auto& c : name) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    c = is_alnum(c) ? c : '_';
  }
  return name;
}

bool is_layer_name(std::string_view name) {
  const bool is_reserved = name == "all" || name == "none" || name == k_project_layer;
  return !name.empty() && name.front() != '-' && !is_reserved &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

std::optional<std::string> layer_name_of_containerfile(std::string_view file) {
  constexpr std::string_view k_prefix = "Containerfile";
  if (file == k_prefix) {
    return "base";
  }
  if (!file.starts_with(k_prefix) || file.size() < k_prefix.size() + 2 || file[k_prefix.size()] != '.') {
    return std::nullopt;
  }
  std::string name(file.substr(k_prefix.size() + 1));
  for (auto& c : name) {
    c = is_name_character(to_lower(c)) ? to_lower(c) : '-';
  }
  return name;
}

} // namespace sheaf::catalogue
