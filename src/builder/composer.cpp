// SPDX-License-Identifier: Apache-2.0
#include "builder/composer.hpp"

#include "base/text.hpp"
#include "join/driver.hpp"
#include "join/extract.hpp"
#include "join/facts.hpp"
#include "join/join.hpp"
#include "layer/inventory.hpp"
#include "layer/overlap.hpp"
#include "os/file.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace sheaf::builder {
namespace {

using store::StoredLayer;

constexpr std::size_t k_most_conflicts = 10;

/// Everything that decides the join layer: the base and the layers, by content and in canonical order.
Digest join_key(const std::vector<StoredLayer>& layers) {
  Sha256 hash;
  hash.field("sheaf-join 1");
  for (const auto& layer : layers) {
    hash.field(layer.record.name).field(layer.record.content_key.hex());
    for (const auto& need : layer.record.needs) {
      hash.field(need);
    }
  }
  return hash.finish();
}

/// Bottom first. Two layers of one content share a tree, which overlayfs takes once only.
std::vector<std::string> trees_of(const std::vector<StoredLayer>& layers) {
  std::vector<std::string> trees;
  for (const auto& layer : layers) {
    if (std::ranges::find(trees, layer.tree()) == trees.end()) {
      trees.push_back(layer.tree());
    }
  }
  return trees;
}

/// What the join reads of one layer; owns the texts that the parsed forms point into.
struct LayerInput {
  std::string inventory;
  join::Facts facts;
};

Result<std::vector<LayerInput>> read_inputs(const std::vector<StoredLayer>& layers) {
  std::vector<LayerInput> inputs(layers.size());
  for (std::size_t i = 1; i < layers.size(); ++i) {
    const auto doing = fmt::format("reading layer '{}'", layers[i].record.name);
    SHEAF_TRY_ASSIGN(inputs[i].inventory, os::read_file(layers[i].inventory()).context(doing));
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(layers[i].facts()).context(doing));
    SHEAF_TRY_ASSIGN(inputs[i].facts, join::parse_facts(text).context(doing));
  }
  return inputs;
}

Error conflict_error(std::vector<std::string> lines) {
  const auto count = lines.size();
  if (count > k_most_conflicts) {
    lines.resize(k_most_conflicts);
    lines.push_back(fmt::format("  … and {} more", count - k_most_conflicts));
  }
  return Error(ErrorCode::conflict,
               fmt::format("the layers cannot be joined: {} {}", count, count == 1 ? "conflict" : "conflicts"))
      .with_details(joined(lines, "\n"))
      .with_hint(
          "select one of the two layers, or let one need the other in its layer.yml, so that it is built on top of it");
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

/// Writes the join layer's tree: files and directories with the attributes they have in the composed root.
class JoinTree {
public:
  JoinTree(std::string path, const layer::ParentView& below, std::int64_t epoch)
      : m_path(std::move(path)), m_below(below), m_epoch(epoch) {}

  Result<void> add_directory(const layer::Entry& wanted) {
    SHEAF_TRY(make_parents(wanted.path + "/"));
    return set_attributes(wanted.path, wanted.mode, wanted.uid, wanted.gid);
  }

  Result<void> add_file(const std::string& path, const std::string& content, unsigned default_mode) {
    SHEAF_TRY(make_parents(path));
    SHEAF_TRY(os::write_file(m_path + "/" + path, content));
    struct stat info {};
    const auto existing = os::open_in_root(m_below.root(), path, O_PATH | O_NOFOLLOW);
    if (!existing || fstat(existing->get(), &info) != 0) {
      info.st_mode = default_mode;
    }
    return set_attributes(path, info.st_mode & 07777U, info.st_uid, info.st_gid);
  }

private:
  /// Directories of the topmost layer decide the merged directory's mode and owner, so they repeat what is below.
  Result<void> make_parents(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto folder = path.substr(0, slash);
      if (os::is_directory(m_path + "/" + folder)) {
        continue;
      }
      SHEAF_TRY(os::make_directories(m_path + "/" + folder));
      const auto entry = directory_in(m_below.root(), folder).value_or(layer::Entry{});
      SHEAF_TRY(set_attributes(folder, entry.mode != 0 ? entry.mode : 0755, entry.uid, entry.gid));
    }
    return {};
  }

  Result<void> set_attributes(const std::string& path, unsigned mode, unsigned uid, unsigned gid) const {
    const auto full = m_path + "/" + path;
    const std::array<timespec, 2> times = {{{m_epoch, 0}, {m_epoch, 0}}};
    if (chown(full.c_str(), uid, gid) != 0 || chmod(full.c_str(), mode) != 0 ||
        utimensat(AT_FDCWD, full.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, fmt::format("setting the attributes of '{}'", full));
    }
    return {};
  }

  std::string m_path;
  const layer::ParentView& m_below;
  std::int64_t m_epoch;
};

Result<layer::Overlaps> overlaps_of(const std::vector<StoredLayer>& layers, const std::vector<LayerInput>& inputs,
                                    const os::Fd& base) {
  std::vector<layer::LayerPaths> paths;
  for (std::size_t i = 1; i < layers.size(); ++i) {
    const auto& needs = layers[i].record.needs;
    SHEAF_TRY_ASSIGN(auto lines, layer::split_inventory(inputs[i].inventory));
    paths.push_back({layers[i].record.name, {needs.begin(), needs.end()}, std::move(lines)});
  }
  return layer::find_overlaps(paths, [&base](const std::string& path) { return directory_in(base, path); });
}

/// Target of the symbolic link at `path`; nothing if `root` has nothing there, empty if it has something else.
std::optional<std::string> link_target(const os::Fd& root, const std::string& path) {
  const auto slash = path.rfind('/');
  const auto folder = os::open_in_root(root, path.substr(0, slash), O_PATH | O_DIRECTORY);
  struct stat info {};
  if (!folder || fstatat(folder->get(), path.c_str() + slash + 1, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  return os::read_link_at(*folder, path.substr(slash + 1)).value_or(std::string());
}

/// The text of a shared file with the state that is in its link, if it has one.
std::string with_state_link(std::string_view path, std::string text, std::initializer_list<const os::Fd*> roots) {
  const auto& driver = *join::driver_for(path);
  const auto link = driver.state_link(path);
  for (const auto* root : roots) {
    if (const auto target = link.empty() ? std::nullopt : link_target(*root, link)) {
      return target->empty() ? text : driver.with_state_link(std::move(text), *target);
    }
  }
  return text;
}

Result<std::optional<std::string>> read_shared(const layer::ParentView& view, std::string_view path) {
  SHEAF_TRY_ASSIGN(auto text, view.read(std::string(path)));
  if (text) {
    *text = with_state_link(path, std::move(*text), {&view.root()});
  }
  return text;
}

} // namespace

bool is_shared_state(std::string_view path) { return join::driver_for(path) != nullptr; }

Result<std::string> facts_text(const std::map<std::string, std::optional<std::string>>& shared_state,
                               const layer::ParentView& parent, const std::string& tree) {
  SHEAF_TRY_ASSIGN(const auto upper, os::open(tree, O_PATH | O_DIRECTORY));
  join::Facts facts;
  for (const auto& [path, text] : shared_state) {
    const auto doing = fmt::format("reading what the layer changed in '/{}'", path);
    SHEAF_TRY_ASSIGN(const auto before, read_shared(parent, path).context(doing));
    auto after = text;
    if (after) {
      *after = with_state_link(path, std::move(*after), {&upper, &parent.root()});
    }
    SHEAF_TRY_ASSIGN(auto changes, join::extract(*join::driver_for(path), path, before, after).context(doing));
    std::move(changes.begin(), changes.end(), std::back_inserter(facts.changes));
  }
  return join::serialise(facts);
}

Result<Composition> Composer::compose(const std::vector<StoredLayer>& layers) {
  Composition composition;
  composition.lowers = trees_of(layers);
  if (layers.size() < 2) {
    return composition;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto key = join_key(layers);
  if (auto found = m_store.find_join(key)) {
    composition.join = std::move(*found);
    composition.reused = true;
  } else {
    SHEAF_TRY_ASSIGN(composition.join, make_join(layers, key));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    m_events.emit({EventKind::end, "join", fmt::format("{} layers joined", layers.size()), 0, 0, took.count()});
  }
  composition.lowers.push_back(composition.join + "/tree");
  return composition;
}

Result<std::string> Composer::make_join(const std::vector<StoredLayer>& layers, const Digest& key) {
  SHEAF_TRY_ASSIGN(const auto inputs, read_inputs(layers));
  SHEAF_TRY_ASSIGN(const auto base, layer::ParentView::open({layers.front().tree()}));
  SHEAF_TRY_ASSIGN(const auto overlaps, overlaps_of(layers, inputs, base.root()));
  std::vector<join::Layer> facts;
  for (std::size_t i = 1; i < layers.size(); ++i) {
    facts.push_back({layers[i].record.name, &inputs[i].facts});
  }
  SHEAF_TRY_ASSIGN(const auto joined,
                   join::join([&base](std::string_view path) { return read_shared(base, path); }, facts));
  std::vector<std::string> conflicts;
  for (const auto& conflict : overlaps.conflicts) {
    conflicts.push_back(
        fmt::format("  '{}': layers '{}' and '{}' differ ({})\n    remedy: build '{}' on top of '{}': add "
                    "'{}' to 'needs' in its layer.yml\n    remedy: select only one of the two",
                    conflict.path, conflict.first, conflict.second, conflict.what, conflict.second, conflict.first,
                    conflict.first));
  }
  for (const auto& conflict : joined.conflicts) {
    conflicts.push_back("  " + conflict.message);
    for (const auto& remedy : conflict.remedies) {
      conflicts.back() += "\n    remedy: " + remedy;
    }
  }
  if (!conflicts.empty()) {
    return conflict_error(std::move(conflicts));
  }
  SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
  SHEAF_TRY_ASSIGN(const auto below, layer::ParentView::open(trees_of(layers)));
  SHEAF_TRY(os::make_directories(staging.file("join/tree")));
  JoinTree tree(staging.file("join/tree"), below, layers.front().record.epoch);
  for (const auto& fix : overlaps.fixes) {
    SHEAF_TRY(tree.add_directory(fix.wanted));
  }
  for (const auto& [path, content] : joined.files) {
    SHEAF_TRY(tree.add_file(path, content, join::driver_for(path)->attributes(path).mode));
  }
  nlohmann::json names = nlohmann::json::array();
  for (const auto& layer : layers) {
    names.push_back({{"name", layer.record.name}, {"content_key", layer.record.content_key.to_string()}});
  }
  SHEAF_TRY(
      os::write_file(staging.file("join/join.json"), nlohmann::json{{"version", 1}, {"layers", names}}.dump(2) + "\n"));
  SHEAF_TRY(os::sync_file_system(staging.path()));
  return m_store.commit_join(staging.file("join"), key);
}

} // namespace sheaf::builder
