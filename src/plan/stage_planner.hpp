// SPDX-License-Identifier: Apache-2.0
#pragma once

// Carries out the instructions of one stage in thought: what each does to variables and configuration, and which step,
// if any, the builder has to take. Shared by images and layers; the rules are BuildKit's.

#include "containerfile/file.hpp"
#include "plan/stage_setting.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sheaf::plan {

/// What instructions said, in contrast to what was inherited.
struct Said {
  /// Names that ENV set.
  std::set<std::string> variables;
  std::set<std::string> labels;
  bool user = false;
  bool directory = false;
  bool command = false;
  bool entrypoint = false;
  bool shell = false;
};

class StagePlanner {
public:
  /// `file` and `setting` must outlive the planner.
  StagePlanner(const containerfile::File& file, const StageSetting& setting, StageState start,
               Diagnostics& diagnostics);

  /// Mistakes go to the diagnostics. Every step but a SnapshotStep has its line in the image's history, in order; all
  /// other lines are marked as empty.
  void carry_out(const containerfile::Instruction& instruction);
  /// A trigger that the base image or stage left; its steps have line 0.
  void carry_out_trigger(const containerfile::Instruction& instruction, std::shared_ptr<const SourceText> source);
  /// As ENV does, but without a line in the history.
  void set_environment(const std::string& name, const std::string& value);

  const StageState& state() const { return m_state; }
  const Said& said() const { return m_said; }
  const std::vector<Step>& steps() const { return m_steps; }
  StageWords& words() { return m_words; }

private:
  void apply(const containerfile::Arg& arg);
  void apply(const containerfile::Env& env);
  void apply(const containerfile::Run& run);
  void apply(const containerfile::Copy& copy);
  void apply(const containerfile::Add& add);
  void apply(const containerfile::Workdir& workdir);
  void apply(const containerfile::User& user);
  void apply(const containerfile::Cmd& cmd);
  void apply(const containerfile::Entrypoint& entrypoint);
  void apply(const containerfile::Label& label);
  void apply(const containerfile::Shell& shell);
  void apply(const containerfile::Volume& volume);
  void apply(const containerfile::Expose& expose);
  void apply(const containerfile::StopSignal& signal);
  void apply(const containerfile::Healthcheck& healthcheck);
  void apply(const containerfile::Onbuild& onbuild);
  void apply(const containerfile::Maintainer& maintainer);
  void apply(const containerfile::Fetch& fetch);
  void apply(const containerfile::Snapshot& snapshot);

  enum class Layer { made, none };
  oci::ImageConfig& config() { return m_state.image.config; }
  void record(std::string created_by, Layer layer = Layer::none);
  void add_step(const containerfile::Origin& origin, decltype(Step::action) action);
  std::string directory() const;
  std::vector<std::string> in_shell(const std::string& text) const;
  template <class Command>
  std::vector<std::string> command_words(const Command& command) const;
  std::optional<std::string> argument_value(const containerfile::Arg& arg);
  void take_command(RunStep& step, const containerfile::Run& run) const;
  void take_environment(RunStep& step) const;
  void take_rights(RunStep& step, const containerfile::Run& run);
  void refuse(const containerfile::Word& word, const std::string& flag, const std::string& right);
  std::string run_history(const RunStep& step, const containerfile::Run& run) const;
  void add_ports(const std::string& text, Span span, std::set<std::string>& ports);

  const containerfile::File& m_file;
  const StageSetting& m_setting;
  StageState m_state;
  StageWords m_words;
  Said m_said;
  std::vector<Step> m_steps;
  bool m_in_trigger = false;
  /// Where the last ARG began, for `ARG a b`, which is one line of the history.
  std::optional<std::size_t> m_last_arg;
};

} // namespace sheaf::plan
