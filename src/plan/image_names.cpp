// SPDX-License-Identifier: Apache-2.0
#include "plan/image_names.hpp"

#include "base/digest.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::plan {
namespace {

constexpr std::size_t k_longest = 128;
constexpr std::size_t k_sha1 = 40;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string cleaned(std::string_view text) {
  std::string tag;
  bool in_run = false;
  for (const char c : text) {
    if (is_plain(c)) {
      tag += lower(c);
    } else if (!in_run) {
      tag += '-';
    }
    in_run = !is_plain(c);
  }
  const auto first = tag.find_first_not_of("-.");
  const auto last = tag.find_last_not_of("-.");
  return first == std::string::npos ? std::string("base") : tag.substr(first, last - first + 1);
}

/// The tag of a base in at most `room` characters.
std::string tag_within(std::string_view base, std::size_t room) {
  auto tag = cleaned(base);
  return tag.size() <= room ? tag : fmt::format("{}-{}", tag.substr(0, room - k_sha1 - 1), sha1_hex(base));
}

/// Repositories allow one or two separators in a row, and none at the ends (distribution/reference).
std::string repository_of(std::string_view project) {
  std::string name;
  for (const char c : cleaned(project)) {
    const bool separates = c == '.' || c == '_' || c == '-';
    if (!separates || (!name.empty() && name.back() != '.' && name.back() != '_' && name.back() != '-')) {
      name += c;
    }
  }
  while (!name.empty() && !(name.back() >= 'a' && name.back() <= 'z') && !(name.back() >= '0' && name.back() <= '9')) {
    name.pop_back();
  }
  return name.empty() ? "project" : name;
}

} // namespace

std::string base_tag(std::string_view base) { return tag_within(base, k_longest); }

std::string base_image_name(std::string_view base) { return "sheaf-l0:" + base_tag(base); }

std::string agents_image_name(std::string_view base, std::vector<std::string> agents) {
  std::ranges::sort(agents);
  agents.erase(std::unique(agents.begin(), agents.end()), agents.end());
  std::string suffix;
  for (const auto& agent : agents) {
    suffix += "-" + agent;
  }
  if (base_tag(base).size() + suffix.size() > k_longest) {
    suffix = "-" + sha1_hex(joined(agents, ","));
  }
  return fmt::format("sheaf-l1-cli:{}{}", tag_within(base, k_longest - suffix.size()), suffix);
}

std::string project_image_name(std::string_view project, const std::vector<std::string>& agents) {
  return repository_of(project) + (agents.empty() ? ":l2-dev" : ":l2-cli");
}

std::string level_image_name(std::string_view project, std::string_view level) {
  return fmt::format("{}:{}", repository_of(project), level);
}

} // namespace sheaf::plan
