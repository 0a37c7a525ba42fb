// SPDX-License-Identifier: Apache-2.0
#include "catalogue/published.hpp"

#include "base/text.hpp"
#include "catalogue/artefact.hpp"
#include "catalogue/layer_definition.hpp"

#include <algorithm>
#include <utility>

namespace sheaf::catalogue {
namespace {

constexpr std::string_view k_digits = "0123456789";
constexpr std::string_view k_space = " \t\r";

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// `text` in lower case if it is a digest, else nothing.
std::optional<std::string> digest_of(std::string_view text) {
  std::string digest(text);
  std::ranges::transform(digest, digest.begin(),
                         [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  return is_hex_digest(digest) ? std::optional(std::move(digest)) : std::nullopt;
}

struct ListedFile {
  std::string digest;
  /// Empty if the line is a digest alone.
  std::string_view name;
};

/// "SHA256 (NAME) = DIGEST"
std::optional<ListedFile> bsd_line(std::string_view line) {
  constexpr std::string_view k_front = "SHA256 (";
  constexpr std::string_view k_middle = ") = ";
  const auto middle = line.rfind(k_middle);
  if (!line.starts_with(k_front) || middle == std::string_view::npos) {
    return std::nullopt;
  }
  auto digest = digest_of(trim(line.substr(middle + k_middle.size())));
  const auto name = line.substr(k_front.size(), middle - k_front.size());
  return digest && !name.empty() ? std::optional(ListedFile{std::move(*digest), name}) : std::nullopt;
}

std::optional<ListedFile> listed(std::string_view line) {
  line = trim(line);
  if (auto file = bsd_line(line)) {
    return file;
  }
  const auto end = std::min(line.find_first_of(k_space), line.size());
  auto digest = digest_of(line.substr(0, end));
  auto name = trim(line.substr(end));
  if (name.starts_with('*')) {
    name.remove_prefix(1);
  }
  return digest ? std::optional(ListedFile{std::move(*digest), name}) : std::nullopt;
}

/// Cuts the next run of digits off the front of `text`, without zeros in front; empty at the end.
std::string_view next_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_of(k_digits), text.size()));
  const auto end = std::min(text.find_first_not_of(k_digits), text.size());
  auto number = text.substr(0, end);
  text.remove_prefix(end);
  while (number.size() > 1 && number.front() == '0') {
    number.remove_prefix(1);
  }
  return number;
}

} // namespace

std::optional<std::string> published_digest(std::string_view list, std::string_view file) {
  if (auto alone = digest_of(trim(list))) {
    return alone;
  }
  std::optional<std::string> found;
  for (const auto line : split(list, '\n')) {
    auto entry = listed(line);
    if (!entry || entry->name.empty() || base_name(entry->name) != file) {
      continue;
    }
    if (found && *found != entry->digest) {
      return std::nullopt;
    }
    found = std::move(entry->digest);
  }
  return found;
}

std::optional<std::string> published_version(std::string_view text, const std::optional<std::string>& prefix) {
  text = trim(text);
  auto word = text.substr(0, text.find_first_of(" \t\r\n"));
  if (prefix && !word.starts_with(*prefix)) {
    return std::nullopt;
  }
  word.remove_prefix(prefix ? prefix->size() : std::min(word.find_first_of(k_digits), word.size()));
  const bool is_version = word.find_first_of(k_digits) == 0 && !arg_mistake({ArgType::version, {}, {}, {}}, word);
  return is_version ? std::optional<std::string>(word) : std::nullopt;
}

int compare_versions(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    const auto left = next_number(a);
    const auto right = next_number(b);
    if (left.size() != right.size()) {
      return left.size() < right.size() ? -1 : 1;
    }
    if (const auto order = left.compare(right); order != 0) {
      return order;
    }
  }
  return 0;
}

} // namespace sheaf::catalogue
