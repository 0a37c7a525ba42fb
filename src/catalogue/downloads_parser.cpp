// SPDX-License-Identifier: Apache-2.0
#include "catalogue/artefact.hpp"
#include "catalogue/yaml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sheaf::catalogue {
namespace {

/// In the words of Go and the OCI image-spec.
constexpr std::array<std::string_view, 2> k_architectures = {"amd64", "arm64"};

bool is_artefact_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// Names in braces that are neither {version} nor {arch}.
std::optional<std::string> unknown_place(std::string_view text) {
  for (auto at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const auto end = text.find('}', at);
    const auto place = text.substr(at, end == std::string_view::npos ? end : end + 1 - at);
    if (place != "{version}" && place != "{arch}") {
      return std::string(place);
    }
  }
  return std::nullopt;
}

void check_address(const std::string& url, Span span, const ReadContext& context) {
  if (!is_safe_address(url)) {
    context.error(span, "bad-value", fmt::format("'{}' is not an https address", url), "write 'https://…'");
  } else if (const auto place = unknown_place(url)) {
    context.error(span, "bad-value", fmt::format("nothing is known to put in for '{}'", *place),
                  "there are {version} and {arch}");
  }
}

std::string read_address(MapReader& map, std::string_view key) {
  auto url = map.text(key).value_or("");
  if (!url.empty()) {
    check_address(url, map.find(key)->span, map.context());
  }
  return url;
}

/// A map of some of the architectures.
std::map<std::string, std::string> read_architectures(MapReader& outer, std::string_view key) {
  std::map<std::string, std::string> result;
  if (const auto* node = outer.find(key)) {
    MapReader map(*node, fmt::format("'{}'", key), outer.context());
    for (const auto arch : k_architectures) {
      if (auto text = map.text(arch)) {
        result.emplace(arch, std::move(*text));
      }
    }
    map.finish();
  }
  return result;
}

std::string read_version(MapReader& map) {
  auto version = map.required_text("version").value_or("");
  if (!version.empty() && arg_mistake({ArgType::version, {}, {}, {}}, version)) {
    map.context().error(map.find("version")->span, "bad-value", fmt::format("'{}' is not a version", version));
  }
  return version;
}

/// `version` and `sha256` of a map.
Pin read_pin(MapReader& map, Span span) {
  Pin pin{read_version(map), read_architectures(map, "sha256"), span};
  const auto* digests = map.find("sha256");
  for (const auto& [arch, digest] : pin.sha256) {
    if (!is_hex_digest(digest)) {
      const auto entry = std::ranges::find(digests->entries, arch, &YamlEntry::key);
      map.context().error(entry->value.span, "bad-value", fmt::format("'{}' is not a SHA-256 digest", digest),
                          "write its 64 digits 0-9 and a-f, without 'sha256:'");
    }
  }
  return pin;
}

bool is_repository(std::string_view text) {
  const auto slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
         text.find_first_of("/ ?#", slash + 1) == std::string_view::npos;
}

std::optional<LatestSource> read_latest(MapReader& outer) {
  const auto* node = outer.find("latest");
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto& context = outer.context();
  MapReader map(*node, "'latest'", context);
  LatestSource latest;
  latest.github = map.text("github").value_or("");
  latest.url = read_address(map, "url");
  latest.json = map.text("json").value_or("");
  latest.prefix = map.text("prefix");
  map.finish();
  if (!latest.github.empty() && !is_repository(latest.github)) {
    context.error(map.find("github")->span, "bad-value", fmt::format("'{}' is not a repository", latest.github),
                  "write 'OWNER/REPOSITORY'");
  }
  const bool is_one = latest.github.empty() != latest.url.empty();
  if (node->kind == YamlNode::Kind::map && (!is_one || (latest.url.empty() && !latest.json.empty()))) {
    context.error(node->span, "bad-value", "'latest' needs either 'github', or 'url' and maybe 'json'");
  }
  return latest;
}

std::string read_checksums(MapReader& map, const std::optional<LatestSource>& latest) {
  auto text = map.text("checksums").value_or("");
  if (text == k_github_digests) {
    if (!latest || latest->github.empty()) {
      map.context().error(map.find("checksums")->span, "bad-value",
                          "checksums of GitHub's are those of the release that 'latest' names with 'github'");
    }
  } else if (!text.empty()) {
    check_address(text, map.find("checksums")->span, map.context());
  }
  return text;
}

std::vector<Pin> read_others(MapReader& outer) {
  std::vector<Pin> pins;
  if (const auto* node = outer.find("also")) {
    for (const auto& item : read_list(*node, "'also'", outer.context())) {
      MapReader map(item, "an entry of 'also'", outer.context());
      pins.push_back(read_pin(map, item.span));
      map.finish();
    }
  }
  return pins;
}

Artefact read_artefact(const YamlEntry& entry, const ReadContext& context) {
  if (!is_artefact_name(entry.key)) {
    context.error(entry.key_span, "bad-value", fmt::format("'{}' is not a name for a download", entry.key),
                  "names are made of a-z, 0-9, '_' and '-' and start with a letter");
  }
  MapReader map(entry.value, fmt::format("the download '{}'", entry.key), context);
  Artefact artefact;
  artefact.name = entry.key;
  artefact.span = entry.key_span;
  if (map.require("url") != nullptr) {
    artefact.url = read_address(map, "url");
  }
  artefact.architectures = read_architectures(map, "arch");
  if (map.find("arch") == nullptr) {
    artefact.architectures = {{"amd64", "amd64"}, {"arm64", "arm64"}};
  }
  artefact.latest = read_latest(map);
  artefact.checksums = read_checksums(map, artefact.latest);
  artefact.argument = map.text("argument").value_or("");
  artefact.current = read_pin(map, entry.key_span);
  artefact.others = read_others(map);
  map.finish();
  return artefact;
}

/// A digest for which there is no file, and versions that are there twice.
void check_pins(const Artefact& artefact, const ReadContext& context) {
  std::vector<std::string> seen;
  const auto check = [&](const Pin& pin) {
    if (std::ranges::find(seen, pin.version) != seen.end()) {
      context.error(pin.span, "bad-value", fmt::format("version '{}' is pinned twice", pin.version));
    }
    seen.push_back(pin.version);
    for (const auto& [arch, digest] : pin.sha256) {
      if (!artefact.architectures.contains(arch)) {
        context.error(pin.span, "bad-value",
                      fmt::format("'{}' has a digest for {}, but 'arch' has no {}", artefact.name, arch, arch));
      }
    }
  };
  check(artefact.current);
  std::ranges::for_each(artefact.others, check);
}

} // namespace

std::optional<Downloads> parse_downloads(std::shared_ptr<const SourceText> yml, Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  const auto root = parse_yaml(yml, diagnostics);
  if (!root) {
    return std::nullopt;
  }
  const ReadContext context{yml, diagnostics};
  Downloads downloads;
  if (root->kind != YamlNode::Kind::null) {
    for (const auto& entry : read_map(*root, "the list of downloads", context)) {
      downloads.artefacts.push_back(read_artefact(entry, context));
      check_pins(downloads.artefacts.back(), context);
    }
  }
  downloads.source = std::move(yml);
  return diagnostics.error_count() == errors_before ? std::optional(std::move(downloads)) : std::nullopt;
}

} // namespace sheaf::catalogue
