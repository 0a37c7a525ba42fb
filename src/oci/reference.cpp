// SPDX-License-Identifier: Apache-2.0
#include "oci/reference.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::oci {
namespace {

constexpr std::string_view k_default_registry = "docker.io";
constexpr std::string_view k_default_folder = "library/";
/// Registry and repository together.
constexpr std::size_t k_longest_name = 255;
constexpr std::size_t k_longest_tag = 128;
constexpr std::size_t k_digest_digits = 64;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; });
  return lower;
}

Error invalid(std::string_view text, std::string_view why) {
  return {ErrorCode::invalid, fmt::format("'{}' is not an image name: {}", text, why)};
}

/// Words of lower case letters and digits, joined by ".", "_", "__" or any number of "-".
bool is_path_component(std::string_view text) {
  const auto is_word = [](char c) { return is_lower(c) || is_digit(c); };
  if (text.empty() || !is_word(text.front()) || !is_word(text.back())) {
    return false;
  }
  for (std::size_t i = 0; i < text.size();) {
    const auto end =
        std::min(text.size(),
                 static_cast<std::size_t>(
                     std::find_if(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), is_word) - text.begin()));
    const auto separator = text.substr(i, end - i);
    const bool dashes = std::ranges::all_of(separator, [](char c) { return c == '-'; });
    if (!dashes && separator != "." && separator != "_" && separator != "__") {
      return false;
    }
    i = end + 1;
  }
  return true;
}

bool is_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    return std::ranges::all_of(text.substr(1, text.size() - 2),
                               [](char c) { return is_hex(c) || (c >= 'A' && c <= 'F') || c == ':'; });
  }
  const auto is_part = [](std::string_view part) {
    return !part.empty() && part.front() != '-' && part.back() != '-' &&
           std::ranges::all_of(part, [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '-'; });
  };
  return std::ranges::all_of(split(text, '.'), is_part);
}

bool is_registry(std::string_view text) {
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
    return is_host(text);
  }
  const auto port = text.substr(colon + 1);
  return is_host(text.substr(0, colon)) && !port.empty() && std::ranges::all_of(port, is_digit);
}

bool is_tag(std::string_view text) {
  const auto is_word = [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; };
  return !text.empty() && text.size() <= k_longest_tag && is_word(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

/// Is the first component of a name a host? Else it belongs to the repository.
bool looks_like_registry(std::string_view component) {
  return component.find_first_of(".:") != std::string_view::npos || component == "localhost" ||
         std::ranges::any_of(component, is_upper);
}

/// Takes "@sha256:…" and ":tag" off the end of `rest`.
Result<void> take_suffixes(std::string_view text, std::string_view& rest, Reference& reference) {
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    const auto digest = rest.substr(at + 1);
    const auto parsed = digest.starts_with("sha256:") ? Digest::parse(digest) : Result<Digest>(invalid(text, ""));
    if (!parsed) {
      return invalid(text, fmt::format("'{}' is not a digest", digest))
          .with_hint("a digest is sha256: and 64 hex digits");
    }
    reference.digest = *parsed;
    rest = rest.substr(0, at);
  }
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos) {
    reference.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(reference.tag)) {
      return invalid(text, fmt::format("'{}' is not a tag", reference.tag))
          .with_hint("a tag has up to 128 letters, digits, '_', '.' and '-', and begins with none of '.' and '-'");
    }
  }
  return {};
}

Result<void> check_repository(std::string_view text, const Reference& reference) {
  const auto& repository = reference.repository;
  if (repository.empty()) {
    return invalid(text, "the repository is missing");
  }
  if (std::ranges::any_of(repository, is_upper)) {
    return invalid(text, "repositories are written in lower case")
        .with_hint(fmt::format("write '{}'", to_lower(text.substr(0, text.find_first_of(":@", text.rfind('/') + 1)))));
  }
  for (const auto component : split(repository, '/')) {
    if (!is_path_component(component)) {
      return invalid(text, fmt::format("'{}' in it is not a name", component))
          .with_hint("names are lower case letters and digits, joined by '.', '_', '__' or '-'");
    }
  }
  if (reference.registry.size() + 1 + repository.size() > k_longest_name) {
    return invalid(text, fmt::format("it is longer than {} characters", k_longest_name));
  }
  return {};
}

} // namespace

Result<Reference> Reference::parse(std::string_view text) {
  Reference reference;
  auto rest = text;
  if (rest.size() == k_digest_digits && std::ranges::all_of(rest, is_hex)) {
    return invalid(text, "64 hex digits are an image's id");
  }
  SHEAF_TRY(take_suffixes(text, rest, reference));
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos && looks_like_registry(rest.substr(0, slash))) {
    reference.registry = rest.substr(0, slash);
    reference.repository = rest.substr(slash + 1);
    if (!is_registry(reference.registry)) {
      return invalid(text, fmt::format("'{}' is not a host", reference.registry));
    }
  } else {
    reference.registry = k_default_registry;
    reference.repository = rest;
  }
  if (reference.registry == "index.docker.io") {
    reference.registry = k_default_registry;
  }
  const bool is_official =
      reference.registry == k_default_registry && reference.repository.find('/') == std::string::npos;
  if (is_official && !reference.repository.empty()) {
    reference.repository.insert(0, k_default_folder);
  }
  SHEAF_TRY(check_repository(text, reference));
  if (reference.tag.empty() && !reference.digest) {
    reference.tag = "latest";
  }
  return reference;
}

std::string Reference::to_string() const {
  return fmt::format("{}/{}{}{}{}{}", registry, repository, tag.empty() ? "" : ":", tag, digest ? "@" : "",
                     digest ? digest->to_string() : "");
}

std::string Reference::familiar() const {
  auto text = to_string();
  if (registry != k_default_registry) {
    return text;
  }
  text.erase(0, k_default_registry.size() + 1);
  // "library/a/b" is no official image: without "library/" it would name another one.
  const bool is_official =
      text.starts_with(k_default_folder) && repository.find('/', k_default_folder.size()) == std::string::npos;
  if (is_official) {
    text.erase(0, k_default_folder.size());
  }
  // Nor may what is left begin like the name of another registry: "docker.io/a.b/c".
  const auto slash = text.find('/');
  return slash != std::string::npos && looks_like_registry(std::string_view(text).substr(0, slash)) ? to_string()
                                                                                                    : text;
}

} // namespace sheaf::oci
