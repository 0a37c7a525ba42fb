// SPDX-License-Identifier: Apache-2.0
#include "builder/step_inputs.hpp"

#include <fmt/format.h>

namespace sheaf::builder {
namespace {

using plan::Source;

context::Selection files_of(const plan::CopyStep& copy) {
  context::Selection selection{{}, copy.excludes, copy.parents};
  for (const auto& source : copy.sources) {
    if (const auto* path = std::get_if<plan::PathSource>(&source)) {
      selection.sources.push_back(path->path);
    }
  }
  return selection;
}

void add_read(const Source& from, const context::Selection& selection, const Digest& digest, StepInputs& inputs,
              KeyedStep& keyed) {
  inputs.reads.push_back(digest.hex());
  if (is_context(from)) {
    keyed.reads.push_back({from, selection, digest});
  }
}

Result<void> add_copy(ImageBuild& build, const plan::CopyStep& copy, StepInputs& inputs, KeyedStep& keyed,
                      std::stop_token stop) {
  const auto selection = files_of(copy);
  if (!selection.sources.empty()) {
    SHEAF_TRY_ASSIGN(const auto digest, build.sources.digest(copy.from, selection));
    add_read(copy.from, selection, digest, inputs, keyed);
  }
  for (const auto& source : copy.sources) {
    auto& version = keyed.versions.emplace_back();
    if (const auto* http = std::get_if<plan::HttpSource>(&source)) {
      SHEAF_TRY_ASSIGN(
          version, version_of(build.inputs.downloads, *http, stop).context(fmt::format("asking for '{}'", http->url)));
    } else if (const auto* git = std::get_if<plan::GitSource>(&source)) {
      SHEAF_TRY_ASSIGN(
          version, version_of(build.inputs.downloads, *git, stop).context(fmt::format("asking for '{}'", git->url)));
    }
    inputs.reads.push_back(version);
  }
  return {};
}

/// What RUN's mounts show, and what of the host's settings a command can see.
Result<void> add_run_reads(ImageBuild& build, const plan::RunStep& run, StepInputs& inputs, KeyedStep& keyed) {
  for (const auto& mount : run.mounts) {
    const auto* bind = std::get_if<plan::BindMountSource>(&mount.what);
    const auto* cache = std::get_if<plan::CacheMount>(&mount.what);
    const bool reads = bind != nullptr || (cache != nullptr && cache->from.kind != Source::Kind::nothing);
    if (reads) {
      const auto& from = bind != nullptr ? bind->from : cache->from;
      const auto& path = bind != nullptr ? bind->path : cache->path;
      SHEAF_TRY_ASSIGN(const auto digest, build.sources.digest_of_path(from, path));
      add_read(from, selection_of(path), digest, inputs, keyed);
    }
  }
  for (const auto& [name, address] : build.inputs.hosts) {
    inputs.reads.push_back(fmt::format("host {} {}", name, address));
  }
  for (const auto& limit : build.inputs.limits) {
    inputs.reads.push_back(fmt::format("limit {} {} {}", limit.name, limit.soft, limit.hard));
  }
  if (build.inputs.shared_memory) {
    inputs.reads.push_back(fmt::format("shm {}", *build.inputs.shared_memory));
  }
  return {};
}

} // namespace

Result<KeyedStep> key_of(ImageBuild& build, const plan::StagePlan& stage, const plan::Step& step,
                         const StageState& state, std::stop_token stop) {
  StepInputs inputs{state.digest(), plan::describe(step), stage.platform.to_string(), {}};
  KeyedStep keyed;
  if (const auto* copy = std::get_if<plan::CopyStep>(&step.action)) {
    SHEAF_TRY(add_copy(build, *copy, inputs, keyed, stop));
    inputs.state = copy->link ? StageState().digest() : inputs.state;
  } else if (const auto* run = std::get_if<plan::RunStep>(&step.action)) {
    SHEAF_TRY(add_run_reads(build, *run, inputs, keyed));
  }
  if (build.inputs.epoch) {
    inputs.reads.push_back(fmt::format("epoch {}", *build.inputs.epoch));
  }
  keyed.key = step_key(inputs);
  return keyed;
}

Result<sandbox::CopyFiles> copy_files_of(ImageBuild& build, const plan::CopyStep& copy, const Versions& versions,
                                         store::Staging& staging, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto files, copy_spec(copy, versions, build.inputs.downloads, build.store, staging, stop));
  if (!files.sources.empty()) {
    SHEAF_TRY_ASSIGN(files.tree, build.sources.lowers(copy.from));
    files.ignore = build.sources.ignore_of(copy.from);
  }
  // As BuildKit: files of a stage or image stay whose they are, files of a context become root's.
  files.keep_owners = copy.owner.empty() &&
                      (copy.from.kind == plan::Source::Kind::stage || copy.from.kind == plan::Source::Kind::image);
  return files;
}

} // namespace sheaf::builder
