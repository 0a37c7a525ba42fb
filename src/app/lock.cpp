// SPDX-License-Identifier: Apache-2.0
#include "app/lock.hpp"

#include "app/layer_states.hpp"
#include "app/newest.hpp"
#include "app/refresh.hpp"
#include "base/text.hpp"
#include "builder/package_caches.hpp"
#include "os/file.hpp"
#include "store/key_lock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "sbom/packages.hpp"
#include "sbom/tree_stack.hpp"

namespace sheaf::app {
namespace {

using catalogue::LockedLayer;
using catalogue::LockFile;

/// Adds "package architecture version" with "sha256:…" of every stanza of a Packages file.
void add_digests(std::string_view packages, std::map<std::string, std::string>& digests) {
  std::map<std::string_view, std::string_view> fields;
  for (const auto line : lines_of(packages)) {
    const auto colon = line.find(": ");
    if (line.empty()) {
      fields.clear();
    } else if (line.front() != ' ' && colon != std::string_view::npos) {
      const auto name = line.substr(0, colon);
      fields[name] = line.substr(colon + 2);
      if (name == "SHA256") {
        digests[fmt::format("{} {} {}", fields["Package"], fields["Architecture"], fields["Version"])] =
            fmt::format("sha256:{}", fields["SHA256"]);
      }
    }
  }
}

/// As the package lists of the base say it; without them nothing is known.
Result<std::map<std::string, std::string>> digests_in(const std::string& lists) {
  std::map<std::string, std::string> digests;
  if (!os::is_directory(lists)) {
    return digests;
  }
  SHEAF_TRY_ASSIGN(const auto files, os::list_directory(lists));
  for (const auto& file : files) {
    if (file.name.ends_with("_Packages")) {
      SHEAF_TRY_ASSIGN(const auto text, os::read_file(lists + "/" + file.name));
      add_digests(text, digests);
    }
  }
  return digests;
}

Result<std::vector<std::string>> packages_of(const BuiltStack& stack, const store::Store& store) {
  SHEAF_TRY_ASSIGN(const auto root, sbom::TreeStack::open(stack.composition.lowers));
  SHEAF_TRY_ASSIGN(const auto found, sbom::find_packages(root));
  const auto& base = stack.layers.front().record.content_key;
  SHEAF_TRY_ASSIGN(const auto digests, digests_in(store.root() + "/" + builder::lists_of(base)));
  std::vector<std::string> lines;
  for (const auto& package : found.packages) {
    auto line = fmt::format("{} {} {}", to_string(package.type), package.name, package.version);
    if (!package.architecture.empty()) {
      line += " " + package.architecture;
    }
    const auto digest = digests.find(fmt::format("{} {} {}", package.name, package.architecture, package.version));
    lines.push_back(digest != digests.end() ? line + " " + digest->second : std::move(line));
  }
  std::ranges::sort(lines);
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return lines;
}

std::map<std::string, std::string> downloads_of(const plan::LayerPlan& plan) {
  std::map<std::string, std::string> downloads;
  for (const auto& step : plan.steps) {
    const auto* copy = std::get_if<plan::CopyStep>(&step.action);
    for (std::size_t i = 0; copy != nullptr && i < copy->sources.size(); ++i) {
      if (const auto* http = std::get_if<plan::HttpSource>(&copy->sources[i])) {
        downloads[http->url] = http->checksum;
      } else if (const auto* git = std::get_if<plan::GitSource>(&copy->sources[i])) {
        downloads[git->url] = git->checksum.empty() ? git->ref : git->checksum;
      }
    }
  }
  return downloads;
}

/// Of a stack in which the layers have the contents that the lock names.
std::map<std::string, RecipeKey> keys_with(const std::vector<plan::LayerPlan>& plans, const LockFile& lock) {
  std::map<std::string, ContentKey> contents;
  for (const auto& [name, layer] : lock.layers) {
    contents.emplace(name, layer.content);
  }
  std::map<std::string, RecipeKey> keys;
  for (const auto& plan : plans) {
    const auto is_known = [&contents](const auto& name) { return contents.contains(name); };
    if (std::ranges::all_of(plan.closure, is_known)) {
      keys.emplace(plan.name, plan::recipe_key(plan, contents));
    }
  }
  return keys;
}

} // namespace

Result<LockFile> lock_of(const Wanted& wanted, const BuiltStack& stack, const Session& session) {
  LockFile lock;
  const auto& image = wanted.foundation.image;
  if (image && wanted.foundation.named_by == plan::Foundation::NamedBy::settings) {
    const bool has_digest = image->name.find('@') != std::string::npos;
    lock.image = has_digest ? image->name : fmt::format("{}@{}", image->name, image->digest);
  }
  for (std::size_t i = 0; i < stack.layers.size(); ++i) {
    const auto& plan = stack.plans[i];
    LockedLayer layer;
    if (const auto pin = wanted.pins.find(plan.name); pin != wanted.pins.end()) {
      layer.version = pin->second.version;
      layer.refreshed = pin->second.refreshed;
    }
    for (const auto* edges : {&wanted.edges, &stack.edges}) {
      for (const auto& edge : *edges) {
        if (edge.later == plan.name) {
          layer.on_top_of.push_back(edge.earlier);
        }
      }
    }
    layer.content = stack.layers[i].record.content_key;
    layer.downloads = downloads_of(plan);
    lock.layers.emplace(plan.name, std::move(layer));
  }
  const auto keys = keys_with(stack.plans, lock);
  for (auto& [name, layer] : lock.layers) {
    layer.recipe = keys.at(name); // one found by content may have been built by another recipe
  }
  SHEAF_TRY_ASSIGN(lock.packages, packages_of(stack, session.store).context("listing the packages of the environment"));
  return lock;
}

Result<os::FileLock> lock_project(const Choices& choices, store::Store& store, const std::stop_token& stop) {
  SHEAF_TRY_ASSIGN(const auto root, project_root(choices.directory));
  return store::wait_for_key(store, "project-" + Digest::of(root).hex(), stop);
}

Result<void> write_lock_file(const std::string& project_root, const LockFile& lock) {
  return os::write_file(lock_path(project_root), catalogue::serialise(lock), os::Durable::yes);
}

Result<void> check_locked(const Project& project, const Wanted& wanted) {
  const auto& lock = *project.lock;
  const auto keys = keys_with(wanted.plans, lock);
  std::vector<std::string> lines;
  const auto& image = wanted.foundation.image;
  if (!lock.image.empty() && (!image || image->name != lock.image)) {
    lines.push_back(fmt::format("  the base is made of '{}' in it, and of {} now", lock.image,
                                image ? fmt::format("'{}'", image->name) : std::string("no image")));
  }
  for (const auto& plan : wanted.plans) {
    const auto locked = lock.layers.find(plan.name);
    const auto key = keys.find(plan.name);
    if (locked == lock.layers.end()) {
      lines.push_back(fmt::format("  '{}' is not in it ({})", plan.name, plan.reason));
    } else if (key != keys.end() && key->second != locked->second.recipe) {
      lines.push_back(fmt::format("  '{}' has another recipe: 'sheaf why {}'", plan.name, plan.name));
    }
  }
  for (const auto& [name, layer] : lock.layers) {
    if (!project.config.stacks && std::ranges::find(wanted.plans, name, &plan::LayerPlan::name) == wanted.plans.end()) {
      lines.push_back(fmt::format("  '{}' is in it, but not in the stack", name));
    }
  }
  if (lines.empty()) {
    return {};
  }
  return Error(ErrorCode::invalid, "sheaf.lock is not of this project as it is now")
      .with_details(joined(lines, "\n"))
      .with_hint("'sheaf lock' writes it anew, with the versions it has; without '--locked' it is only a preference");
}

namespace {

/// "latest" is no version that can be had again: what can be asked for its newest one is. Where that fails, the user is
/// told, and what is there is locked.
Result<void> settle_versions(Wanted& wanted, const Project& project, const Session& session) {
  auto pins = wanted.pins;
  for (const auto& entry : wanted.stack.entries) {
    const auto& layer = *entry.layer;
    const auto args = project.config.args.find(layer.name);
    const bool is_chosen = args != project.config.args.end() && args->second.contains("version");
    if (layer.newest.empty() || is_chosen || !pins[layer.name].version.empty()) {
      continue;
    }
    if (auto version = newest_version(project, layer, session)) {
      pins[layer.name].version = std::move(*version);
    } else {
      session.events.emit(
          {EventKind::warning, "",
           fmt::format("the version of '{}' is not locked: {}", layer.name, version.error().summary())});
    }
  }
  return pins == wanted.pins ? Result<void>() : repin(wanted, project, std::move(pins));
}

Result<LockFile> lock_stack(const Project& project, const Session& session) {
  SHEAF_TRY_ASSIGN(auto wanted, want(project, session));
  SHEAF_TRY(settle_versions(wanted, project, session));
  SHEAF_TRY_ASSIGN(const auto stack, build_stack(project, wanted, session, OnConflict::rebuild));
  return lock_of(wanted, stack, session);
}

/// The project's own stack, and the highest level of its vertical one, which has all others in it.
Result<LockFile> lock_all(const Project& project, const Session& session) {
  SHEAF_TRY_ASSIGN(auto lock, lock_stack(project, session));
  if (project.stack || !project.config.stacks || project.config.stacks->empty()) {
    return lock;
  }
  auto levels = project;
  levels.stack = project.config.stacks->back().name;
  SHEAF_TRY_ASSIGN(auto highest, lock_stack(levels, session));
  lock.layers.merge(highest.layers);
  lock.packages.insert(lock.packages.end(), highest.packages.begin(), highest.packages.end());
  std::sort(lock.packages.begin(), lock.packages.end());
  lock.packages.erase(std::unique(lock.packages.begin(), lock.packages.end()), lock.packages.end());
  return lock;
}

Result<LockChange> lock_now(const Choices& choices, const Session& session) {
  auto any = choices;
  any.replaces_lock = true;
  SHEAF_TRY_ASSIGN(const auto project, load_project(any));
  if (!project.lock_mistakes.empty()) {
    session.events.emit({EventKind::warning, "", "sheaf.lock is written anew: " + project.lock_mistakes});
  }
  SHEAF_TRY_ASSIGN(const auto now, lock_all(project, session));
  LockChange change;
  change.was_there = project.lock.has_value();
  change.differences = catalogue::differences(project.lock.value_or(LockFile()), now);
  if (project.lock != now) {
    SHEAF_TRY(write_lock_file(project.root, now));
  }
  return change;
}

} // namespace

Result<LockChange> lock(const Choices& choices, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto alone, lock_project(choices, session.store, session.stop));
  return lock_now(choices, session);
}

Result<LockChange> update(const Choices& choices, const std::vector<std::string>& layers, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto alone, lock_project(choices, session.store, session.stop));
  SHEAF_TRY_ASSIGN(auto before, load_project(choices));
  if (!before.lock) { // the pins that the refresh settles need a place
    SHEAF_TRY(lock_now(choices, session));
  }
  RefreshRequest request;
  request.layers = layers;
  request.everything = layers.empty();
  SHEAF_TRY(refresh_alone(choices, request, session));
  SHEAF_TRY_ASSIGN(const auto after, load_project(choices));
  LockChange change;
  change.was_there = before.lock.has_value();
  change.differences = catalogue::differences(before.lock.value_or(LockFile()), after.lock.value_or(LockFile()));
  return change;
}

} // namespace sheaf::app
