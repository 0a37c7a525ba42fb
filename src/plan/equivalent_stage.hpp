// SPDX-License-Identifier: Apache-2.0
#pragma once

// One layer as a stage of a Dockerfile. What a layer's steps start with (user, directory, variables) is said again
// where the stage before left something else. Used by equivalent_files.

#include "base/result.hpp"
#include "plan/layer_plan.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::plan {

/// What the image so far says.
struct ImageSoFar {
  /// Nothing where it is not known, as of an image that somebody else names.
  std::optional<std::string> user;
  std::optional<std::string> directory;
  std::map<std::string, std::string> environment;
  /// SHELL says another one than /bin/sh.
  bool has_own_shell = false;
};

class EquivalentStage {
public:
  /// `start`: the variables that the layer's first step has from below. `files` gets what COPY takes.
  EquivalentStage(const LayerPlan& plan, std::map<std::string, std::string> start, ImageSoFar& image,
                  std::map<std::string, std::string>& files)
      : m_plan(plan), m_start(std::move(start)), m_image(image), m_files(files) {}

  /// The instructions behind FROM, each with its line break.
  Result<std::string> instructions();

private:
  Result<void> add(const Step& step);
  Result<void> add(const RunStep& run, const Step& step);
  Result<void> add(const CopyStep& copy, const Step& step);
  Result<void> add(const MakeDirectoryStep& make, const Step& step);
  Result<void> add(const SnapshotStep& snapshot, const Step& step);
  Result<void> add_download(const CopyStep& copy, const HttpSource& source);
  Result<void> add_repository(const CopyStep& copy, const GitSource& source);
  Result<void> add_script(const RunStep& run, const std::string& options);
  void place(const CopyStep& copy, const std::string& from, const std::string& name, const std::string& mode);

  Result<void> set_variables(const RunStep& run);
  Result<void> set_variable(const std::string& name, const std::string& value);
  void become(const std::string& user);
  void go_to(const std::string& directory);
  Result<std::string> mounts_of(const RunStep& run, const Step& step) const;
  Error unsupported(const Step& step, const std::string& what) const;
  void keep_files();

  const LayerPlan& m_plan;
  std::map<std::string, std::string> m_start;
  ImageSoFar& m_image;
  std::map<std::string, std::string>& m_files;
  std::map<std::string, std::string> m_arguments;
  std::size_t m_extra = 0;
  std::string m_text;
};

/// `words` as JSON, for the exec form.
std::string json_words(const std::vector<std::string>& words);
/// `NAME="value"`, quoted for ENV, ARG and LABEL. `unsupported` for a value with a line break.
Result<std::string> pair_text(const std::string& name, const std::string& value);
/// "USER name", "WORKDIR path"; the empty ones are root and "/".
std::string user_text(const std::string& user);
std::string directory_text(const std::string& directory);
/// A command for /bin/sh behind RUN: as text if it can be said so, else as JSON.
std::string run_text(const std::vector<std::string>& argv, const std::string& options);

} // namespace sheaf::plan
