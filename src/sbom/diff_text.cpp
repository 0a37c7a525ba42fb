// SPDX-License-Identifier: Apache-2.0
// How a difference of images is written, for people and for programs.
#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "sbom/image_diff.hpp"

namespace sheaf::sbom {
namespace {

using Json = nlohmann::json;
using layer::Entry;
using layer::EntryType;

std::string shown_name(const PackageChange& change) {
  return change.architecture.empty() ? change.name : change.name + ":" + change.architecture;
}

std::string package_lines(const std::vector<PackageChange>& changes) {
  std::size_t width = 0;
  for (const auto& change : changes) {
    width = std::max(width, shown_name(change).size());
  }
  std::string text;
  for (const auto& change : changes) {
    const char sign = !change.before ? '+' : !change.after ? '-' : '~';
    const auto version = !change.before  ? *change.after
                         : !change.after ? *change.before
                                         : *change.before + " -> " + *change.after;
    text += fmt::format("  {} {}  {:{}}  {}\n", sign, to_string(change.type), shown_name(change), width, version);
  }
  return text;
}

std::string owner_of(const Entry& entry) { return fmt::format("{}:{}", entry.uid, entry.gid); }

std::string_view type_name(EntryType type) {
  switch (type) {
  case EntryType::file:
    return "file";
  case EntryType::directory:
    return "directory";
  case EntryType::symlink:
    return "link";
  case EntryType::character_device:
  case EntryType::block_device:
    return "device";
  case EntryType::fifo:
    return "fifo";
  case EntryType::whiteout:
    return "deletion";
  }
  return "";
}

std::string aspect_text(Aspect aspect, const Entry& before, const Entry& after) {
  switch (aspect) {
  case Aspect::type:
    return fmt::format("{} -> {}", type_name(before.type), type_name(after.type));
  case Aspect::mode:
    return fmt::format("mode {:04o} -> {:04o}", before.mode, after.mode);
  case Aspect::owner:
    return fmt::format("owner {} -> {}", owner_of(before), owner_of(after));
  case Aspect::content:
    return before.size == after.size
               ? fmt::format("content, {}", human_bytes(after.size))
               : fmt::format("content, {} -> {}", human_bytes(before.size), human_bytes(after.size));
  case Aspect::target:
    return fmt::format("{} -> {}", layer::escape_path(before.target), layer::escape_path(after.target));
  case Aspect::attributes:
    return "attributes";
  }
  return {};
}

std::string changed_line(const FileChange& change) {
  std::vector<std::string> parts;
  for (const auto aspect : change.aspects) {
    parts.push_back(aspect_text(aspect, *change.before, *change.after));
  }
  return fmt::format("  ~ /{}  {}\n", layer::escape_path(change.path()), joined(parts, "; "));
}

bool is_one_sided_folder(const FileChange& change) {
  return change.before.has_value() != change.after.has_value() &&
         (change.before ? *change.before : *change.after).type == EntryType::directory;
}

/// Lines of the files; what is in a folder that one side lacks is counted on the folder's line.
std::string file_lines(const std::vector<FileChange>& changes) {
  std::string text;
  for (std::size_t i = 0; i < changes.size();) {
    const auto& change = changes[i++];
    if (change.before && change.after) {
      text += changed_line(change);
      continue;
    }
    const auto& entry = change.before ? *change.before : *change.after;
    const char sign = change.before ? '-' : '+';
    const auto path = layer::escape_path(entry.path);
    if (!is_one_sided_folder(change)) {
      text += entry.type == EntryType::file ? fmt::format("  {} /{}  {}\n", sign, path, human_bytes(entry.size))
                                            : fmt::format("  {} /{}  {}\n", sign, path, type_name(entry.type));
      continue;
    }
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    for (; i < changes.size() && changes[i].path().starts_with(entry.path + "/"); ++i, ++count) {
      bytes += (change.before ? changes[i].before : changes[i].after)->size;
    }
    text += count == 0 ? fmt::format("  {} /{}/  empty\n", sign, path)
                       : fmt::format("  {} /{}/  {} {}, {}\n", sign, path, count, count == 1 ? "entry" : "entries",
                                     human_bytes(bytes));
  }
  return text;
}

Json entry_json(const std::optional<Entry>& entry) {
  if (!entry) {
    return nullptr;
  }
  Json json = {{"type", type_name(entry->type)},
               {"mode", fmt::format("{:04o}", entry->mode)},
               {"uid", entry->uid},
               {"gid", entry->gid},
               {"size", entry->size}};
  json["target"] = entry->target.empty() ? Json() : Json(entry->target);
  return json;
}

Json optional_json(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

Json change_json(const FileChange& change) {
  auto aspects = Json::array();
  for (const auto aspect : change.aspects) {
    aspects.push_back(to_string(aspect));
  }
  return {{"path", "/" + change.path()},
          {"before", entry_json(change.before)},
          {"after", entry_json(change.after)},
          {"differs", std::move(aspects)}};
}

} // namespace

std::string diff_text(const ImageDiff& diff) {
  std::string text;
  if (!diff.packages.empty()) {
    text += "packages\n" + package_lines(diff.packages);
  }
  if (!diff.files.empty()) {
    text += fmt::format("{}files: {} gone, {} new\n", text.empty() ? "" : "\n", human_bytes(diff.bytes_before),
                        human_bytes(diff.bytes_after));
    text += file_lines(diff.files);
  }
  return text;
}

std::string diff_json(const ImageDiff& diff) {
  auto packages = Json::array();
  for (const auto& change : diff.packages) {
    packages.push_back({{"type", to_string(change.type)},
                        {"name", change.name},
                        {"architecture", change.architecture.empty() ? Json() : Json(change.architecture)},
                        {"before", optional_json(change.before)},
                        {"after", optional_json(change.after)}});
  }
  auto files = Json::array();
  for (const auto& change : diff.files) {
    files.push_back(change_json(change));
  }
  const Json json = {{"packages", std::move(packages)},
                     {"files", std::move(files)},
                     {"bytes", {{"before", diff.bytes_before}, {"after", diff.bytes_after}}}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace sheaf::sbom
