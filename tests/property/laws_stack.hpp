// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stack of generated layers: built each on its needs alone, joined by builder::examine_join, and built again on top
// of each other where that finds conflicts, as app/build_stack.cpp does.

#include "builder/join_findings.hpp"

#include <string>
#include <vector>

#include "property/laws_operation.hpp"

namespace sheaf::laws {

struct LayerCase {
  std::string name;
  /// Names of earlier layers.
  std::vector<std::string> needs;
  std::vector<Operation> operations;
};

struct StackCase {
  unsigned base = 0;
  /// In canonical order.
  std::vector<LayerCase> layers;
};

std::string to_string(const StackCase& stack);
StackCase random_stack(unsigned seed);

struct BuiltLayer {
  LayerCase layer;
  Commit commit;
  store::StoredLayer stored;
};

/// A composed root and what the join said.
struct Composition {
  Root root;
  builder::JoinFindings findings;
};

enum class Outcome {
  joined,
  refused, ///< a layer deletes what belongs to another one (JOIN-5)
  broken,  ///< a law does not hold
};

/// One stack in a folder of its own, which goes with it.
class StackRun {
public:
  StackRun(const StackCase& stack, std::string folder);
  StackRun(const StackRun&) = delete;
  StackRun& operator=(const StackRun&) = delete;
  ~StackRun();

  /// Builds and joins until there is no conflict.
  Outcome run();
  /// Builds every layer once, whatever conflicts there are, if nothing is needed by another.
  void build_alone();
  /// What is wrong, if it is broken.
  const std::string& complaint() const { return m_complaint; }
  /// Did the layers fit together as they are?
  bool is_independent() const { return m_edges.empty(); }

  const Composition& composition() const { return m_composition; }
  const std::vector<BuiltLayer>& layers() const { return m_layers; }
  const Root& base() const { return m_base; }
  Root sequential() const;
  /// Of the base and some of the layers, in canonical order.
  Composition compose(const std::vector<const BuiltLayer*>& layers) const;
  /// A layer that does nothing.
  BuiltLayer empty_layer(const std::string& name) const;

private:
  struct Edge {
    std::string earlier;
    std::string later;
    bool operator==(const Edge&) const = default;
  };

  Outcome break_with(std::string complaint);
  std::vector<const BuiltLayer*> closure_of(const LayerCase& layer) const;
  Outcome attempt(std::vector<builder::LayerConflict>& conflicts);
  Outcome build(const LayerCase& recipe, std::vector<builder::LayerConflict>& conflicts);
  bool may_delete(const BuiltLayer& layer, const std::vector<const BuiltLayer*>& closure) const;
  Outcome add_edges(const std::vector<builder::LayerConflict>& conflicts);
  bool both_touch(const builder::LayerConflict& conflict) const;
  void store(BuiltLayer& layer) const;

  StackCase m_stack;
  std::string m_folder;
  Root m_base;
  store::StoredLayer m_stored_base;
  std::vector<BuiltLayer> m_layers;
  std::vector<Edge> m_edges;
  Composition m_composition;
  std::string m_complaint;
};

} // namespace sheaf::laws
