// SPDX-License-Identifier: Apache-2.0
#include "builder/join_findings.hpp"

#include "base/text.hpp"
#include "builder/shared_state.hpp"
#include "join/text_merge.hpp"
#include "layer/capture.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <span>

namespace sheaf::builder {
namespace {

using store::StoredLayer;

constexpr std::size_t k_most_conflicts = 10;

/// What the join reads of one layer; owns the texts that the parsed forms point into.
struct LayerInput {
  std::string inventory;
  join::Facts facts;
};

Result<std::vector<LayerInput>> read_inputs(const std::vector<StoredLayer>& layers) {
  std::vector<LayerInput> inputs(layers.size());
  for (std::size_t i = 1; i < layers.size(); ++i) {
    const auto doing = fmt::format("reading layer '{}', '{}'", layers[i].record.name, layers[i].facts());
    SHEAF_TRY_ASSIGN(inputs[i].inventory, os::read_file(layers[i].inventory()).context(doing));
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(layers[i].facts()).context(doing));
    SHEAF_TRY_ASSIGN(inputs[i].facts, join::parse_facts(text).context(doing));
  }
  return inputs;
}

/// One package generation per stack: facts say what changed against one certain base.
Result<void> check_generation(const std::vector<StoredLayer>& layers) {
  const auto base = layers.front().record.content_key.hex();
  for (const auto& layer : std::span(layers).subspan(1)) {
    if (!layer.record.base.empty() && layer.record.base != base) {
      return Error(ErrorCode::invalid, fmt::format("layer '{}' was built on another generation of the base '{}'",
                                                   layer.record.name, layers.front().record.name))
          .with_hint("build it again: layers of different package snapshots are never mixed");
    }
  }
  return {};
}

std::optional<layer::Entry> directory_in(const os::Fd& root, const std::string& path) {
  const auto directory = os::open_in_root(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  struct stat info {};
  if (!directory || fstat(directory->get(), &info) != 0) {
    return std::nullopt;
  }
  layer::Entry entry;
  entry.path = path;
  entry.type = layer::EntryType::directory;
  entry.mode = info.st_mode & 07777U;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  return entry;
}

/// Is the file one of several names in the layer? What is merged would be the text of one name only.
bool has_other_names(const layer::Entry& file, const std::vector<layer::InventoryLine>& lines) {
  const auto escaped = layer::escape_path(file.path);
  return file.is_hard_link || std::ranges::any_of(lines, [&](const layer::InventoryLine& line) {
           if (line.attributes.find(escaped) == std::string_view::npos) {
             return false;
           }
           const auto other = layer::decode(line);
           return other && other->is_hard_link && other->target == file.path;
         });
}

/// The conflicts of one path, which stand together.
using PathConflicts = std::span<const layer::PathConflict>;

class Examination {
public:
  Examination(const std::vector<StoredLayer>& layers, const std::vector<LayerInput>& inputs,
              const layer::ParentView& base, layer::Detail detail)
      : m_layers(layers), m_inputs(inputs), m_base(base), m_detail(detail) {}

  Result<JoinFindings> run() && {
    SHEAF_TRY(merge_facts());
    SHEAF_TRY_ASSIGN(auto overlaps, find_overlaps());
    m_findings.fixes = std::move(overlaps.fixes);
    m_findings.overlaps = std::move(overlaps.all);
    check_places();
    for (auto first = overlaps.conflicts.begin(); first != overlaps.conflicts.end();) {
      const auto last = std::find_if(first, overlaps.conflicts.end(),
                                     [&](const auto& conflict) { return conflict.path != first->path; });
      SHEAF_TRY(settle({first, last}));
      first = last;
    }
    return std::move(m_findings);
  }

private:
  Result<void> merge_facts() {
    std::vector<join::Layer> facts;
    for (std::size_t i = 1; i < m_layers.size(); ++i) {
      facts.push_back({m_layers[i].record.name, &m_inputs[i].facts, m_layers[i].record.replaces});
    }
    SHEAF_TRY_ASSIGN(
        auto joined,
        join::join([this](std::string_view path) { return read_state(m_base, std::string(path)); }, facts));
    for (auto& conflict : joined.conflicts) {
      m_findings.conflicts.push_back({conflict.layer_a, conflict.layer_b,
                                      fmt::format("'{}' in '/{}'", conflict.key, conflict.file), conflict.message,
                                      std::move(conflict.remedies)});
    }
    m_findings.files = std::move(joined.files);
    m_findings.links = std::move(joined.links);
    if (m_detail == layer::Detail::every_overlap) {
      count_records(facts);
    }
    return {};
  }

  void count_records(const std::vector<join::Layer>& layers) {
    std::map<std::string, RecordOverlap> files;
    for (const auto& layer : layers) {
      for (const auto& change : layer.facts->changes) {
        auto& overlap = files[change.file];
        ++overlap.changes[std::string(layer.name)];
      }
    }
    for (auto& [file, overlap] : files) {
      overlap.file = "/" + file;
      overlap.driver = std::string(join::driver_for(file)->name());
      m_findings.records.push_back(std::move(overlap));
    }
  }

  Result<layer::Overlaps> find_overlaps() {
    for (std::size_t i = 1; i < m_layers.size(); ++i) {
      const auto& record = m_layers[i].record;
      SHEAF_TRY_ASSIGN(auto lines, layer::split_inventory(m_inputs[i].inventory));
      m_paths.push_back({record.name,
                         {record.needs.begin(), record.needs.end()},
                         {record.replaces.begin(), record.replaces.end()},
                         std::move(lines)});
    }
    return layer::find_overlaps(m_paths,
                                {[this](const std::string& path) { return directory_in(m_base.root(), path); },
                                 [this](const std::string& path) { return m_findings.links.contains(path); }},
                                m_detail);
  }

  const layer::InventoryLine* line_of(std::size_t layer, const std::string& path) const {
    const auto& lines = m_paths[layer].lines;
    const auto escaped = layer::escape_path(path);
    const auto line = std::ranges::lower_bound(lines, std::string_view(escaped), {}, &layer::InventoryLine::path);
    return line == lines.end() || line->path != escaped ? nullptr : &*line;
  }

  /// A link or folder that one layer has where others change records: it is no database, and nothing to merge with.
  void check_places() {
    for (const auto& [path, content] : m_findings.files) {
      for (std::size_t i = 0; i < m_paths.size(); ++i) {
        for (std::size_t j = 0; j < m_paths.size() && line_of(i, path) != nullptr; ++j) {
          const auto& changes = m_inputs[j + 1].facts.changes;
          if (i != j && std::ranges::find(changes, path, &join::RecordChange::file) != changes.end()) {
            const auto [first, second] = std::minmax(i, j);
            m_findings.conflicts.push_back(describe({"/" + path, m_paths[first].name, m_paths[second].name, "type"}));
          }
        }
      }
    }
  }

  Result<void> settle(PathConflicts conflicts) {
    const auto path = conflicts.front().path.substr(1);
    SHEAF_TRY_ASSIGN(auto merged, merge_texts(path, conflicts).context(fmt::format("merging '/{}'", path)));
    if (merged) {
      m_findings.files.emplace(path, std::move(*merged));
      const auto found = std::ranges::find(m_findings.overlaps, "/" + path, &layer::Overlap::path);
      if (found != m_findings.overlaps.end()) {
        found->kind = layer::OverlapClass::merged;
      }
      return {};
    }
    for (const auto& conflict : conflicts) {
      m_findings.conflicts.push_back(describe(conflict));
    }
    return {};
  }

  /// Settings that several layers edited: merged line by line if their edits do not touch each other. Nothing if they
  /// do, or if it is no such file.
  Result<std::optional<std::string>> merge_texts(const std::string& path, PathConflicts conflicts) {
    const auto contents = [](const auto& conflict) { return conflict.what == "contents"; };
    if (!path.starts_with("etc/") || !std::ranges::all_of(conflicts, contents)) {
      return std::optional<std::string>();
    }
    SHEAF_TRY_ASSIGN(const auto sides, sides_of(path));
    if (sides.size() < 2) {
      return std::optional<std::string>();
    }
    SHEAF_TRY_ASSIGN(const auto before, m_base.read(path));
    return join::merge_texts(before ? std::optional<std::string_view>(*before) : std::nullopt,
                             std::vector<std::string_view>(sides.begin(), sides.end()));
  }

  /// The texts of all layers that have `path`; none unless all are plain files alike in mode and owner, and none of
  /// the layers is built on another of them (then the base is not what both started from) or replaces one.
  Result<std::vector<std::string>> sides_of(const std::string& path) {
    std::vector<std::string> texts;
    std::vector<const layer::LayerPaths*> holders;
    std::optional<layer::Entry> like;
    for (std::size_t i = 0; i < m_paths.size(); ++i) {
      const auto* line = line_of(i, path);
      if (line == nullptr) {
        continue;
      }
      SHEAF_TRY_ASSIGN(const auto entry, layer::decode(*line));
      const bool alike = !like || (like->mode == entry.mode && like->uid == entry.uid && like->gid == entry.gid &&
                                   like->attributes == entry.attributes);
      const bool chained = std::ranges::any_of(holders, [&](const auto* other) {
        return m_paths[i].needs.contains(other->name) || m_paths[i].replaces.contains(other->name);
      });
      if (entry.type != layer::EntryType::file || !alike || chained || has_other_names(entry, m_paths[i].lines)) {
        return std::vector<std::string>();
      }
      like = entry;
      holders.push_back(&m_paths[i]);
      SHEAF_TRY_ASSIGN(const auto tree, layer::ParentView::open({m_layers[i + 1].tree()}));
      SHEAF_TRY_ASSIGN(auto text, tree.read(path));
      texts.push_back(std::move(text).value_or(std::string()));
    }
    return texts;
  }

  const StoredLayer& layer_named(const std::string& name) const {
    return *std::ranges::find_if(m_layers, [&](const auto& layer) { return layer.record.name == name; });
  }

  std::string origin(const std::string& name, const std::string& path) const {
    // Looking through package lists is for what a person will read, not for hundreds of paths.
    const auto package =
        m_findings.conflicts.size() < k_most_conflicts ? package_of(layer_named(name), path) : std::string();
    return package.empty() ? fmt::format("'{}'", name) : fmt::format("'{}' (package {})", name, package);
  }

  LayerConflict describe(const layer::PathConflict& conflict) const {
    // Escaped: a name must not write to the terminal what looks like words of ours.
    const auto path = layer::escape_path(conflict.path);
    LayerConflict found{conflict.first, conflict.second, fmt::format("'{}'", path), {}, {}};
    found.message = fmt::format("'{}': layers {} and {} differ ({})", path, origin(conflict.first, conflict.path),
                                origin(conflict.second, conflict.path), conflict.what);
    found.remedies = {fmt::format("build layer '{1}' on top of '{0}': add '{0}' to the 'needs' of '{1}'",
                                  conflict.first, conflict.second),
                      fmt::format("let '{1}' replace what '{0}' brings: add '{0}' to the 'replaces' of '{1}'",
                                  conflict.first, conflict.second)};
    return found;
  }

  const std::vector<StoredLayer>& m_layers;
  const std::vector<LayerInput>& m_inputs;
  const layer::ParentView& m_base;
  layer::Detail m_detail;
  std::vector<layer::LayerPaths> m_paths; ///< of all layers but the base
  JoinFindings m_findings;
};

} // namespace

Result<JoinFindings> examine_join(const std::vector<StoredLayer>& layers, layer::Detail detail) {
  SHEAF_TRY(check_generation(layers));
  SHEAF_TRY_ASSIGN(auto inputs, read_inputs(layers));
  SHEAF_TRY_ASSIGN(const auto base, layer::ParentView::open({layers.front().tree()}));
  SHEAF_TRY_ASSIGN(auto findings, Examination(layers, inputs, base, detail).run());
  std::ranges::transform(inputs, std::back_inserter(findings.inventories),
                         [](LayerInput& input) { return std::move(input.inventory); });
  return findings;
}

Error conflict_error(const std::vector<LayerConflict>& conflicts) {
  std::vector<std::string> lines;
  for (const auto& conflict : std::span(conflicts).first(std::min(conflicts.size(), k_most_conflicts))) {
    lines.push_back("  " + conflict.message);
    for (const auto& remedy : conflict.remedies) {
      lines.back() += "\n    remedy: " + remedy;
    }
  }
  const auto count = conflicts.size();
  if (count > k_most_conflicts) {
    lines.push_back(fmt::format("  … and {} more", count - k_most_conflicts));
  }
  return Error(ErrorCode::conflict,
               fmt::format("the layers cannot be joined: {} {}", count, count == 1 ? "conflict" : "conflicts"))
      .with_details(joined(lines, "\n"))
      .with_hint("without '--strict', the later layer is built again on top of the earlier one");
}

std::string package_of(const StoredLayer& layer, const std::string& path) {
  constexpr std::string_view k_folder = "var/lib/dpkg/info";
  constexpr std::string_view k_suffix = ".list";
  const auto tree = layer::ParentView::open({layer.tree()});
  const auto folder = tree ? os::open_in_root(tree->root(), std::string(k_folder), O_RDONLY | O_DIRECTORY)
                           : Result<os::Fd>(tree.error());
  const auto entries = folder ? os::list_directory(*folder) : Result<std::vector<os::DirectoryEntry>>(folder.error());
  if (!entries) {
    return {}; // not a Debian layer, or it installs no package
  }
  const auto line = "\n" + path + "\n";
  for (const auto& entry : *entries) {
    if (!entry.name.ends_with(k_suffix)) {
      continue;
    }
    const auto list = tree->read(fmt::format("{}/{}", k_folder, entry.name));
    if (list && *list && ("\n" + **list + "\n").find(line) != std::string::npos) {
      return entry.name.substr(0, entry.name.size() - k_suffix.size());
    }
  }
  return {};
}

} // namespace sheaf::builder
