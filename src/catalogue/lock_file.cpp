// SPDX-License-Identifier: Apache-2.0
#include "catalogue/lock_file.hpp"

#include "base/text.hpp"
#include "catalogue/yaml_reader.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace sheaf::catalogue {
namespace {

constexpr std::string_view k_version = "1";
/// The end of the year 9999.
constexpr std::int64_t k_latest = 253402300799;
constexpr const char* k_head =
    "# What the environment of this project is made of. Written by 'sheaf lock' and 'sheaf update';\n"
    "# keep it with the project, do not edit it.\n";

/// A scalar that YAML reads back as this text whatever is in it.
std::string quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::optional<Digest> read_digest(MapReader& map, std::string_view key) {
  const auto text = map.required_text(key);
  if (!text) {
    return std::nullopt;
  }
  const auto digest = Digest::parse(*text);
  if (!digest) {
    map.context().error(map.find(key)->span, "bad-value", fmt::format("'{}' is no digest", *text));
    return std::nullopt;
  }
  return *digest;
}

void check_name(const std::string& name, Span span, const ReadContext& context) {
  if (!is_layer_name(name)) {
    context.error(span, "bad-value", fmt::format("'{}' is not a layer name", name));
  }
}

LockedLayer read_layer(const YamlEntry& entry, const ReadContext& context) {
  MapReader map(entry.value, fmt::format("the layer '{}'", entry.key), context);
  LockedLayer layer;
  layer.version = map.text("version").value_or("");
  if (!layer.version.empty() && arg_mistake({ArgType::version, {}, {}, {}}, layer.version)) {
    context.error(map.find("version")->span, "bad-value", "this is not a version");
  }
  if (const auto* refreshed = map.find("refreshed")) {
    layer.refreshed = read_number(*refreshed, {1, k_latest}, "'refreshed'", context).value_or(0);
  }
  for (auto& name : map.words("on-top-of")) {
    check_name(name.text, name.span, context);
    layer.on_top_of.push_back(std::move(name.text));
  }
  layer.recipe.digest = read_digest(map, "recipe").value_or(Digest());
  layer.content.digest = read_digest(map, "content").value_or(Digest());
  for (auto& [name, digest] : map.pairs("downloads")) {
    layer.downloads.emplace(std::move(name.text), std::move(digest));
  }
  map.finish();
  return layer;
}

/// "deb adduser 3.134 all": the first two words name the package, the third is its version.
struct PackageLine {
  std::string name;
  std::string version;
};

PackageLine split_package(const std::string& line) {
  const auto words = split(line, ' ');
  return {fmt::format("{} {}", words[0], words.size() > 1 ? words[1] : ""),
          words.size() > 2 ? std::string(words[2]) : std::string()};
}

void compare_layers(const LockFile& before, const LockFile& after, std::vector<std::string>& lines) {
  std::set<std::string> names;
  for (const auto* lock : {&before, &after}) {
    for (const auto& [name, layer] : lock->layers) {
      names.insert(name);
    }
  }
  for (const auto& name : names) {
    const auto old = before.layers.find(name);
    const auto now = after.layers.find(name);
    const auto version = [](const LockedLayer& layer) { return layer.version.empty() ? "" : " " + layer.version; };
    if (old == before.layers.end()) {
      lines.push_back(fmt::format("adding layer {}{}", name, version(now->second)));
    } else if (now == after.layers.end()) {
      lines.push_back(fmt::format("removing layer {}{}", name, version(old->second)));
    } else if (old->second.version != now->second.version) {
      lines.push_back(fmt::format("updating layer {}{} ->{}", name, version(old->second), version(now->second)));
    } else if (old->second.content != now->second.content) {
      lines.push_back(fmt::format("updating layer {}", name));
    }
  }
}

void compare_packages(const LockFile& before, const LockFile& after, std::vector<std::string>& lines) {
  std::map<std::string, std::pair<std::string, std::string>> versions;
  for (const auto& line : before.packages) {
    const auto package = split_package(line);
    versions[package.name].first += (versions[package.name].first.empty() ? "" : ", ") + package.version;
  }
  for (const auto& line : after.packages) {
    const auto package = split_package(line);
    versions[package.name].second += (versions[package.name].second.empty() ? "" : ", ") + package.version;
  }
  for (const auto& [name, version] : versions) {
    const auto& [old, now] = version;
    if (old.empty() && !now.empty()) {
      lines.push_back(fmt::format("adding {} {}", name, now));
    } else if (now.empty() && !old.empty()) {
      lines.push_back(fmt::format("removing {} {}", name, old));
    } else if (old != now) {
      lines.push_back(fmt::format("updating {} {} -> {}", name, old, now));
    }
  }
}

} // namespace

std::string serialise(const LockFile& lock) {
  auto text = fmt::format("{}version: {}\n", k_head, k_version);
  if (!lock.image.empty()) {
    text += fmt::format("image: {}\n", quoted(lock.image));
  }
  text += "layers:\n";
  for (const auto& [name, layer] : lock.layers) {
    text += fmt::format("  {}:\n", name);
    text += layer.version.empty() ? "" : fmt::format("    version: {}\n", quoted(layer.version));
    text += layer.refreshed == 0 ? "" : fmt::format("    refreshed: {}\n", layer.refreshed);
    text += layer.on_top_of.empty() ? "" : fmt::format("    on-top-of: [{}]\n", joined(layer.on_top_of, ", "));
    text += fmt::format("    recipe: {}\n    content: {}\n", layer.recipe.to_string(), layer.content.to_string());
    text += layer.downloads.empty() ? "" : "    downloads:\n";
    for (const auto& [download, digest] : layer.downloads) {
      text += fmt::format("      {}: {}\n", quoted(download), quoted(digest));
    }
  }
  text += lock.packages.empty() ? "" : "packages:\n";
  for (const auto& package : lock.packages) {
    text += fmt::format("  - {}\n", quoted(package));
  }
  return text;
}

std::optional<LockFile> parse_lock(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  const auto root = parse_yaml(source, diagnostics);
  if (!root) {
    return std::nullopt;
  }
  const ReadContext context{source, diagnostics};
  LockFile lock;
  MapReader map(*root, "a lock file", context);
  const auto version = map.required_text("version");
  if (version && *version != k_version) {
    context.error(map.find("version")->span, "bad-value",
                  fmt::format("this sheaf reads lock files of version {} only", k_version),
                  "use the sheaf that wrote it, or write it anew with 'sheaf lock'");
    return std::nullopt;
  }
  lock.image = map.text("image").value_or("");
  if (const auto* layers = map.require("layers")) {
    for (const auto& entry : read_map(*layers, "'layers'", context)) {
      check_name(entry.key, entry.key_span, context);
      lock.layers.emplace(entry.key, read_layer(entry, context));
    }
  }
  for (const auto& [name, layer] : lock.layers) {
    for (const auto& other : layer.on_top_of) {
      if (!lock.layers.contains(other)) {
        context.error(map.find("layers")->span, "unknown-layer",
                      fmt::format("'{}' is on top of '{}', which is not in the file", name, other));
      }
    }
  }
  lock.packages = map.texts("packages");
  map.finish();
  return diagnostics.error_count() == errors_before ? std::optional(std::move(lock)) : std::nullopt;
}

std::vector<std::string> differences(const LockFile& before, const LockFile& after) {
  std::vector<std::string> lines;
  if (before.image != after.image) {
    lines.push_back(fmt::format("updating the base's image {} -> {}", before.image.empty() ? "none" : before.image,
                                after.image.empty() ? "none" : after.image));
  }
  compare_layers(before, after, lines);
  compare_packages(before, after, lines);
  return lines;
}

} // namespace sheaf::catalogue
