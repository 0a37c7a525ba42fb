// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which stages of a file there are, what each starts from and copies from, and which of them the target needs. Named
// contexts stand in for stages and images here, so that nobody else has to know of them.

#include "containerfile/file.hpp"
#include "plan/image_plan.hpp"
#include "plan/stage_setting.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sheaf::plan {

/// An instruction that a base left for the stage.
struct Trigger {
  containerfile::Instruction instruction;
  std::shared_ptr<const SourceText> source;
};

struct StageNode {
  const containerfile::Stage* stage = nullptr;
  /// Where the result comes from instead, if a named context has the stage's name.
  std::optional<Source> replaced_by;
  Source base;
  Platform platform;
  std::vector<Trigger> triggers;
  /// Numbers of other stages, all smaller than its own.
  std::set<std::size_t> needs;
  std::set<std::string> images;
};

class StageGraph {
public:
  /// What is wrong with names goes to `diagnostics`. `Source::stage` and `needs` count the stages of the file.
  StageGraph(const containerfile::File& file, const ImageRequest& request, Diagnostics& diagnostics);

  const std::vector<StageNode>& nodes() const { return m_nodes; }
  const Variables& globals() const { return m_globals; }
  const BuildArguments& build_args() const { return m_build_args; }
  const Platform& target_platform() const { return m_platform; }
  /// Nothing if there is none such, which is reported.
  std::optional<std::size_t> target() const { return m_target; }
  /// The numbers of the stages that the target needs, and its own.
  std::set<std::size_t> needed() const;

  /// Where `name` of a COPY or mount in stage `number` leads; reports one that leads nowhere.
  std::optional<Source> source_of(const std::string& name, Span span, std::size_t number, StageWords& words) const;
  /// Takes over the ONBUILD of images and stages that needed stages start from.
  void add_triggers(const std::map<std::string, oci::Image>& images);

private:
  void add_node(std::size_t number, StageWords& words);
  void find_target(Diagnostics& diagnostics);
  void add_references(std::size_t number, const containerfile::Instruction& instruction, StageWords& words);
  void add_reference(std::size_t number, const Source& source);
  void add_triggers(std::size_t number, const std::vector<std::string>& texts, const std::string& whose);
  std::optional<Source> context_named(const std::string& name) const;
  /// The last of this name in front of stage `before`.
  std::optional<std::size_t> stage_named(const std::string& name, std::size_t before) const;
  Source image_or_context(const std::string& name) const;
  Source result_of(std::size_t number) const;

  const containerfile::File& m_file;
  const ImageRequest& m_request;
  Diagnostics& m_diagnostics;
  BuildArguments m_build_args;
  Platform m_platform;
  Variables m_globals;
  std::vector<StageNode> m_nodes;
  std::optional<std::size_t> m_target;
};

} // namespace sheaf::plan
