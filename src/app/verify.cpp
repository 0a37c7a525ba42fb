// SPDX-License-Identifier: Apache-2.0
#include "app/verify.hpp"

#include "app/build_stack.hpp"
#include "app/network.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "builder/layer_builder.hpp"
#include "builder/sequential.hpp"
#include "builder/support_files.hpp"
#include "join/dpkg_status.hpp"
#include "join/driver.hpp"
#include "join/stanza.hpp"
#include "layer/capture.hpp"
#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "sandbox/runtime.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iterator>
#include <map>
#include <set>

#include "generate/java_keystore.hpp"
#include "generate/man_index.hpp"

namespace sheaf::app {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// The records of both texts, matched by key, mean the same to the driver of the file. Of a keystore and of man's index
/// that is all but times and order.
bool same_facts(const std::string& path, const std::string& first, const std::string& second) {
  if (path == generate::k_keystore) {
    return generate::same_entries(first, second);
  }
  if (path.starts_with("var/cache/man/") && path.ends_with("/index.db")) {
    return generate::same_pages(first, second);
  }
  const auto* driver = join::driver_for(path);
  if (driver == nullptr) {
    return false;
  }
  const auto one = driver->parse(path, first);
  const auto two = driver->parse(path, second);
  if (!one || !two || one->size() != two->size()) {
    return false;
  }
  std::map<std::string_view, std::string_view> values;
  for (const auto& record : *two) {
    values.emplace(record.key, record.value);
  }
  return std::ranges::all_of(*one, [&](const auto& record) {
    const auto found = values.find(record.key);
    return found != values.end() && driver->same(path, record.value, found->second);
  });
}

/// As an independent reader of /var/lib/dpkg/status sees them; nothing if there is no such file.
Result<std::optional<std::set<std::string>>> packages_of(const layer::ParentView& root) {
  const std::string file(join::k_dpkg_status_file);
  SHEAF_TRY_ASSIGN(const auto text, root.read(file));
  if (!text) {
    return std::optional<std::set<std::string>>();
  }
  SHEAF_TRY_ASSIGN(const auto stanzas, join::parse_stanzas(file, *text, join::package_key));
  std::set<std::string> packages;
  for (const auto& stanza : stanzas) {
    const auto field = [&](std::string_view name) { return join::stanza_field(stanza.value, name).value_or("-"); };
    packages.insert(
        fmt::format("{} {} {} ({})", field("Package"), field("Version"), field("Architecture"), field("Status")));
  }
  return std::optional(std::move(packages));
}

Result<void> compare_packages(const layer::ParentView& joined_root, const layer::ParentView& sequential,
                              Equivalence& result) {
  SHEAF_TRY_ASSIGN(const auto first, packages_of(joined_root).context("reading the packages of the joined root"));
  SHEAF_TRY_ASSIGN(const auto second, packages_of(sequential).context("reading the packages of the sequential root"));
  const std::set<std::string> none;
  const auto& one = first ? *first : none;
  const auto& two = second ? *second : none;
  result.joined_packages = first ? std::optional(first->size()) : std::nullopt;
  result.sequential_packages = second ? std::optional(second->size()) : std::nullopt;
  const auto add = [&](const auto& from, const auto& without, const std::string& side) {
    for (const auto& package : from) {
      if (!without.contains(package)) {
        result.package_differences.push_back({package, side});
      }
    }
  };
  add(one, two, "joined");
  add(two, one, "sequential");
  return {};
}

/// All layers of the catalogue that can stand on `base`, the base first.
std::vector<std::string> all_layers(const Project& project, const std::string& base) {
  std::vector<std::string> names = {base};
  for (const auto& layer : project.catalogue.all()) {
    resolve::Selection selection{base, {{layer.name, "named"}}};
    if (layer.name != base && resolve::resolve(project.catalogue, selection)) {
      names.push_back(layer.name);
    }
  }
  return names;
}

/// Where Debian and Ubuntu put it; nothing else is looked for.
std::string clock_shifter() {
  for (const auto* path : {"/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
                           "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"}) {
    if (os::exists(path)) {
      return path;
    }
  }
  return "";
}

std::vector<std::string> describe(const builder::RebuildConditions& conditions, std::int64_t built_before) {
  const auto hours = static_cast<double>(std::time(nullptr) - built_before) / 3600.0;
  return {
      conditions.clock_shifter.empty()
          ? fmt::format("time: {:.1f} h later; the clock is not shifted, which needs the package libfaketime", hours)
          : fmt::format(
                "time: the clock is set ahead ({}) for programs that are linked dynamically; {:.1f} h later for "
                "others",
                builder::k_clock_shift, hours),
      fmt::format("host name: {}", conditions.hostname),
      fmt::format("processors: {}", conditions.processors),
      conditions.place.empty() ? std::string("directory order: that of the store's file system, as in the first build")
                               : fmt::format("directory order: that of another file system ({})", conditions.place),
      os::in_initial_user_namespace() ? std::string("user: root") : std::string("user: an ordinary one, with sub-ids"),
  };
}

/// A planned layer, as stored, and what it is built on.
struct Subject {
  plan::LayerPlan plan;
  store::StoredLayer stored;
  std::vector<store::StoredLayer> closure;
};

/// Builds the layer first if it is missing.
Result<Subject> subject_of(const std::string& name, const Project& project, Session& session) {
  SHEAF_TRY_ASSIGN(const auto wanted, want_layers(project, {name}, session));
  SHEAF_TRY_ASSIGN(auto stack, build_stack(project, wanted, session, OnConflict::rebuild));
  const auto found = std::ranges::find(stack.plans, name, &plan::LayerPlan::name);
  const auto index = static_cast<std::size_t>(found - stack.plans.begin());
  Subject subject{stack.plans.at(index), stack.layers.at(index), {}};
  for (auto& layer : stack.layers) {
    if (std::ranges::find(subject.plan.closure, layer.record.name) != subject.plan.closure.end()) {
      subject.closure.push_back(std::move(layer));
    }
  }
  return subject;
}

Result<RebuiltLayer> compare_with_stored(const Subject& subject, const builder::Rebuilt& rebuilt) {
  const auto& stored = subject.stored;
  RebuiltLayer result;
  result.name = subject.plan.name;
  result.content_key = stored.record.content_key.to_string();
  result.rebuilt_content_key = rebuilt.record.content_key.to_string();
  result.paths = stored.record.files;
  for (const auto& step : subject.plan.steps) {
    result.steps.push_back(step.display);
  }
  SHEAF_TRY_ASSIGN(const auto inventory, os::read_file(stored.inventory()));
  SHEAF_TRY_ASSIGN(const auto facts, os::read_file(stored.facts()));
  SHEAF_TRY_ASSIGN(result.differences, builder::compare_builds(inventory, facts, rebuilt));
  if (!(stored.record.config == rebuilt.record.config)) {
    result.differences.push_back({"", "", "the configuration", std::nullopt});
  }
  return result;
}

Result<RebuiltLayer> rebuild_one(const Subject& subject, sandbox::Runtime& runtime, Session& session) {
  const auto start = Clock::now();
  builder::RebuildConditions conditions;
  conditions.clock_shifter = clock_shifter();
  // A bootstrap needs a file system that allows devices and programs; memory is often mounted without.
  conditions.place = subject.plan.bootstrap ? "" : other_file_system(session.store.root(), subject.stored.record.bytes);
  const auto title = "layer " + subject.plan.name;
  session.events.emit({EventKind::begin, title, "again, to compare it with the stored one"});
  builder::LayerBuilder builder(session.store, runtime, session.events, downloads());
  const auto rebuilt = builder.rebuild(subject.plan, subject.closure, conditions, session.stop);
  if (!rebuilt) {
    session.events.emit({EventKind::fail, title, rebuilt.error().summary(), 0, 0, milliseconds_since(start)});
    return Error(rebuilt.error()).with_context(fmt::format("building layer '{}' again", subject.plan.name));
  }
  SHEAF_TRY_ASSIGN(auto result, compare_with_stored(subject, *rebuilt));
  result.conditions = describe(conditions, subject.stored.record.created);
  result.milliseconds = milliseconds_since(start);
  session.events.emit({EventKind::end, title, result.identical() ? "the same" : "differs", 0, 0, result.milliseconds});
  return result;
}

} // namespace

std::size_t Equivalence::unexplained() const {
  return package_differences.size() +
         static_cast<std::size_t>(std::ranges::count_if(
             comparison.differences, [](const auto& difference) { return !layer::is_explained(difference.kind); }));
}

Result<Equivalence> verify_equivalence(const Choices& choices, Session session) {
  SHEAF_TRY_ASSIGN(const auto project, load_project(choices));
  SHEAF_TRY_ASSIGN(const auto wanted, want(project, session));
  if (!wanted.warnings.empty()) {
    session.events.emit({EventKind::warning, "", wanted.warnings});
  }
  SHEAF_TRY_ASSIGN(const auto stack, build_stack(project, wanted, session, OnConflict::rebuild));
  const auto runtime = sandbox::native_runtime();
  Equivalence result;
  for (const auto& layer : stack.layers) {
    result.layers.push_back(layer.record.name);
  }
  const auto start = Clock::now();
  SHEAF_TRY_ASSIGN(const auto chain, builder::Chain::build(stack.plans, stack.layers.front(), session.store, *runtime,
                                                           session.events, downloads(), session.stop));
  result.sequential_ms = milliseconds_since(start);
  const auto built = Clock::now();
  SHEAF_TRY_ASSIGN(const auto joined_root, layer::ParentView::open(stack.composition.lowers));
  SHEAF_TRY_ASSIGN(const auto sequential, layer::ParentView::open(chain.lowers()));
  SHEAF_TRY_ASSIGN(result.comparison, layer::compare(joined_root.root(), sequential.root(),
                                                     {"joined root", "sequential root", same_facts}));
  SHEAF_TRY(compare_packages(joined_root, sequential, result));
  result.compare_ms = milliseconds_since(built);
  return result;
}

Result<std::vector<RebuiltLayer>> verify_rebuild(const Choices& choices, const std::vector<std::string>& names,
                                                 Session session) {
  SHEAF_TRY_ASSIGN(const auto project, load_project(choices));
  const auto base = base_layer(project);
  const auto runtime = sandbox::native_runtime();
  for (const auto& name : names) {
    if (project.catalogue.find(name) == nullptr) {
      return Error(ErrorCode::not_found, fmt::format("there is no layer '{}'", name))
          .with_hint(did_you_mean(name, project.catalogue.names()));
    }
  }
  std::vector<RebuiltLayer> results;
  for (const auto& name : names.empty() ? all_layers(project, base) : names) {
    SHEAF_TRY_ASSIGN(const auto subject, subject_of(name, project, session));
    SHEAF_TRY_ASSIGN(auto result, rebuild_one(subject, *runtime, session));
    results.push_back(std::move(result));
  }
  return results;
}

std::string other_file_system(const std::string& store_root, std::uint64_t bytes) {
  constexpr const char* k_memory = "/dev/shm";
  constexpr std::uint64_t k_spare = std::uint64_t{256} * 1024 * 1024;
  struct statvfs room {};
  struct stat store {};
  struct stat memory {};
  if (stat(store_root.c_str(), &store) != 0 || stat(k_memory, &memory) != 0 || store.st_dev == memory.st_dev ||
      statvfs(k_memory, &room) != 0) {
    return "";
  }
  // Packages are unpacked beside what they replace, and a step may need as much again for a while.
  return std::uint64_t{room.f_bavail} * room.f_frsize >= 3 * bytes + k_spare ? k_memory : "";
}

} // namespace sheaf::app
