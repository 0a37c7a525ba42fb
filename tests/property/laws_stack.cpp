// SPDX-License-Identifier: Apache-2.0
#include "property/laws_stack.hpp"

#include "base/assert.hpp"
#include "builder/deletions.hpp"
#include "join/driver.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <set>

namespace sheaf::laws {
namespace {

using builder::LayerConflict;
using layer::EntryType;

/// Inodes of layers begin at multiples of this, those of a build alone and of the join above all of them.
constexpr int k_inodes = 1000;
constexpr int k_inodes_alone = 100 * k_inodes;
constexpr int k_inodes_join = 99 * k_inodes;

void must(const Result<void>& result) { SHEAF_ASSERT(result.has_value()); }

void write_file(const std::string& path, const std::string& text) {
  must(os::make_directories(path.substr(0, path.rfind('/'))));
  must(os::write_file(path, text));
}

/// The merged databases, texts, links and directories on top of the layers, as builder::JoinTree writes them.
void put_join(Root& root, const builder::JoinFindings& findings) {
  for (const auto& fix : findings.fixes) {
    auto& node = root.at(fix.wanted.path);
    node.mode = fix.wanted.mode;
    node.uid = fix.wanted.uid;
    node.gid = fix.wanted.gid;
    node.attributes = fix.wanted.attributes;
  }
  Workbench bench(root, k_inodes_join);
  for (const auto& [path, text] : findings.files) {
    bench.write(path, text);
  }
  for (const auto& [path, link] : findings.links) {
    const bool wanted = !link.target.empty() && (link.only_if_exists.empty() || root.contains(link.only_if_exists));
    const auto* below = bench.find(path);
    if (below != nullptr && below->type != EntryType::symlink) {
      continue;
    }
    if (!wanted) {
      bench.remove(path);
    } else if (bench.text(path) != link.target) {
      bench.link_symbolically(path, link.target);
    }
  }
}

} // namespace

std::string to_string(const StackCase& stack) {
  auto text = fmt::format("base {}\n", stack.base);
  for (const auto& layer : stack.layers) {
    text += fmt::format("layer {} needs [{}]\n", layer.name, fmt::join(layer.needs, ", "));
    for (const auto& operation : layer.operations) {
      text += fmt::format("  {} ({})\n", to_string(operation), operation.mark);
    }
  }
  return text;
}

StackCase random_stack(unsigned seed) {
  std::mt19937 random(seed);
  StackCase stack{static_cast<unsigned>(random() % 6), {}};
  const auto count = 2 + random() % 3;
  for (unsigned i = 0; i < count; ++i) {
    LayerCase layer{std::string(1, static_cast<char>('a' + i)), {}, {}};
    if (i > 0 && random() % 5 == 0) {
      layer.needs.push_back(stack.layers[random() % i].name);
    }
    const auto steps = 1 + random() % 5;
    for (unsigned step = 0; step < steps; ++step) {
      layer.operations.push_back(random_operation(random, fmt::format("{}{}", layer.name, step)));
    }
    stack.layers.push_back(std::move(layer));
  }
  return stack;
}

StackRun::StackRun(const StackCase& stack, std::string folder)
    : m_stack(stack), m_folder(std::move(folder)), m_base(base_root(stack.base)) {
  m_stored_base.record.name = "base";
  m_stored_base.path = fmt::format("{}/base{}", m_folder, stack.base);
  if (!os::exists(m_stored_base.path)) {
    for (const auto& [path, node] : m_base) {
      const auto full = m_stored_base.tree() + "/" + path;
      if (node.type == EntryType::file) {
        write_file(full, node.text);
      } else if (node.type == EntryType::symlink) {
        SHEAF_ASSERT(symlink(node.text.c_str(), full.c_str()) == 0);
      } else {
        must(os::make_directories(full));
      }
    }
  }
}

StackRun::~StackRun() { must(os::remove_all(m_folder + "/layers")); }

Outcome StackRun::run() {
  const auto most = m_stack.layers.size() * m_stack.layers.size();
  for (std::size_t round = 0; round <= most; ++round) {
    std::vector<LayerConflict> conflicts;
    if (const auto outcome = attempt(conflicts); outcome != Outcome::joined) {
      return outcome;
    }
    if (conflicts.empty()) {
      return Outcome::joined;
    }
    if (const auto outcome = add_edges(conflicts); outcome != Outcome::joined) {
      return outcome;
    }
  }
  return break_with("still conflicts after n^2 rounds");
}

void StackRun::build_alone() {
  std::vector<LayerConflict> conflicts;
  m_layers.clear();
  m_layers.reserve(m_stack.layers.size());
  for (const auto& recipe : m_stack.layers) {
    build(recipe, conflicts);
  }
}

Outcome StackRun::break_with(std::string complaint) {
  m_complaint = std::move(complaint);
  return Outcome::broken;
}

std::vector<const BuiltLayer*> StackRun::closure_of(const LayerCase& layer) const {
  std::set<std::string> names(layer.needs.begin(), layer.needs.end());
  for (const auto& edge : m_edges) {
    if (edge.later == layer.name) {
      names.insert(edge.earlier);
    }
  }
  std::vector<const BuiltLayer*> closure;
  for (auto at = m_layers.rbegin(); at != m_layers.rend(); ++at) {
    if (names.contains(at->layer.name)) {
      names.insert(at->stored.record.needs.begin(), at->stored.record.needs.end());
      closure.insert(closure.begin(), &*at);
    }
  }
  return closure;
}

Outcome StackRun::attempt(std::vector<LayerConflict>& conflicts) {
  m_layers.clear();
  m_layers.reserve(m_stack.layers.size());
  for (const auto& recipe : m_stack.layers) {
    const auto outcome = build(recipe, conflicts);
    if (outcome != Outcome::joined || !conflicts.empty()) {
      return outcome;
    }
  }
  std::vector<const BuiltLayer*> all;
  std::ranges::transform(m_layers, std::back_inserter(all), [](const auto& layer) { return &layer; });
  m_composition = compose(all);
  conflicts = m_composition.findings.conflicts;
  return Outcome::joined;
}

Outcome StackRun::build(const LayerCase& recipe, std::vector<LayerConflict>& conflicts) {
  const auto closure = closure_of(recipe);
  auto view = closure.empty() ? Composition{m_base, {}} : compose(closure);
  if (!view.findings.conflicts.empty()) {
    conflicts = std::move(view.findings.conflicts);
    return Outcome::joined;
  }
  BuiltLayer layer{recipe, {}, {}};
  auto built = view.root;
  Workbench bench(built, k_inodes_alone);
  for (auto& operation : layer.layer.operations) {
    laws::build(operation, bench, view.root);
  }
  layer.commit = commit(view.root, built, k_inodes_alone);
  auto& record = layer.stored.record;
  record.name = recipe.name;
  record.needs = {"base"};
  for (const auto* need : closure) {
    record.needs.push_back(need->layer.name);
  }
  if (std::ranges::any_of(recipe.operations, deletes)) {
    record.replaces = {"base"};
  }
  store(layer);
  if (!may_delete(layer, closure)) {
    return Outcome::refused;
  }
  m_layers.push_back(std::move(layer));
  return Outcome::joined;
}

void StackRun::store(BuiltLayer& layer) const {
  layer.stored.path = fmt::format("{}/layers/{}", m_folder, layer.layer.name);
  must(os::remove_all(layer.stored.path));
  write_file(layer.stored.inventory(), layer::serialise(layer.commit.inventory));
  write_file(layer.stored.facts(), join::serialise(layer.commit.facts));
  must(os::make_directories(layer.stored.tree()));
  for (const auto& [path, text] : layer.commit.texts) {
    write_file(layer.stored.tree() + "/" + path, text); // symlinks too: they are only asked for
  }
}

bool StackRun::may_delete(const BuiltLayer& layer, const std::vector<const BuiltLayer*>& closure) const {
  plan::LayerPlan plan;
  plan.name = layer.layer.name;
  plan.replaces = layer.stored.record.replaces;
  std::vector<store::StoredLayer> stored = {m_stored_base};
  for (const auto* need : closure) {
    stored.push_back(need->stored);
  }
  return builder::check_deletions(plan, layer.commit.inventory, layer.commit.facts, stored).has_value();
}

Composition StackRun::compose(const std::vector<const BuiltLayer*>& layers) const {
  Composition composition{m_base, {}};
  std::vector<store::StoredLayer> stored = {m_stored_base};
  int inode = k_inodes;
  for (const auto* layer : layers) {
    mount_on(composition.root, layer->commit, inode);
    inode += k_inodes;
    stored.push_back(layer->stored);
  }
  auto findings = builder::examine_join(stored);
  SHEAF_ASSERT(findings.has_value());
  composition.findings = std::move(*findings);
  if (composition.findings.conflicts.empty()) {
    put_join(composition.root, composition.findings);
  }
  return composition;
}

/// Do both layers say something of the path or of the database that the conflict is about?
bool StackRun::both_touch(const LayerConflict& conflict) const {
  const auto slash = conflict.subject.rfind("'/");
  const auto path = conflict.subject.substr(slash + 2, conflict.subject.size() - slash - 3);
  const auto touches = [&](const std::string& name) {
    const auto layer = std::ranges::find_if(m_layers, [&](const auto& one) { return one.layer.name == name; });
    return layer != m_layers.end() &&
           (std::ranges::find(layer->commit.inventory.entries, path, &layer::Entry::path) !=
                layer->commit.inventory.entries.end() ||
            std::ranges::find(layer->commit.facts.changes, path, &join::RecordChange::file) !=
                layer->commit.facts.changes.end());
  };
  return touches(conflict.first) && touches(conflict.second) && conflict.first < conflict.second;
}

Outcome StackRun::add_edges(const std::vector<LayerConflict>& conflicts) {
  std::vector<Edge> edges;
  for (const auto& conflict : conflicts) {
    const Edge edge{conflict.first, conflict.second};
    if (!both_touch(conflict)) {
      return break_with("conflict of layers that do not touch this: " + conflict.first + " " + conflict.message);
    }
    if (std::ranges::find(m_edges, edge) != m_edges.end()) {
      return break_with("conflict that building again did not settle: " + conflict.message);
    }
    if (std::ranges::find(edges, edge) == edges.end()) {
      edges.push_back(edge);
    }
  }
  m_edges.insert(m_edges.end(), edges.begin(), edges.end());
  return Outcome::joined;
}

Root StackRun::sequential() const {
  auto root = m_base;
  int inode = k_inodes;
  for (const auto& layer : m_layers) {
    Workbench bench(root, inode);
    for (const auto& operation : layer.layer.operations) {
      repeat(operation, bench);
    }
    inode += k_inodes;
  }
  return root;
}

BuiltLayer StackRun::empty_layer(const std::string& name) const {
  BuiltLayer layer{{name, {}, {}}, {}, {}};
  layer.stored.record.name = name;
  layer.stored.record.needs = {"base"};
  store(layer);
  return layer;
}

} // namespace sheaf::laws
