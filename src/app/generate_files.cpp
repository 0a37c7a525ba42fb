// SPDX-License-Identifier: Apache-2.0
#include "app/generate_files.hpp"

#include "app/build_stack.hpp"
#include "app/project_environment.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"
#include "os/exchange.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "plan/equivalent_files.hpp"
#include "plan/image_names.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <sys/stat.h>

#include <utility>

namespace sheaf::app {
namespace {

/// What the folder held when it was written: lines "digest path".
constexpr const char* k_list = ".sheaf-generated";

std::string list_of(const std::map<std::string, std::string>& files) {
  std::string list;
  for (const auto& [path, content] : files) {
    list += fmt::format("{} {}\n", Digest::of(content).to_string(), path);
  }
  return list;
}

std::map<std::string, std::string> known_files(const std::string& list) {
  std::map<std::string, std::string> known;
  for (const auto line : lines_of(list)) {
    if (const auto space = line.find(' '); space != std::string_view::npos) {
      known.emplace(line.substr(space + 1), line.substr(0, space));
    }
  }
  return known;
}

Error somebodys(const std::string& path) {
  return Error(ErrorCode::conflict, fmt::format("'{}' was not written by 'sheaf generate', or was changed since", path))
      .with_hint("move it away, or choose another folder with --output");
}

/// All files below `folder` are among `known`, unchanged.
Result<void> check_ours(const std::string& folder, const std::string& prefix,
                        const std::map<std::string, std::string>& known) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
  for (const auto& entry : entries) {
    const auto path = folder + "/" + entry.name;
    const auto name = prefix + entry.name;
    if (name == k_list) {
      continue;
    }
    if (entry.type == DT_DIR) {
      SHEAF_TRY(check_ours(path, name + "/", known));
      continue;
    }
    const auto found = known.find(name);
    if (entry.type != DT_REG || found == known.end()) {
      return somebodys(path);
    }
    SHEAF_TRY_ASSIGN(const auto content, os::read_file(path));
    if (Digest::of(content).to_string() != found->second) {
      return somebodys(path);
    }
  }
  return {};
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> write_all(const std::string& folder, const std::map<std::string, std::string>& files) {
  constexpr mode_t k_folder_mode = 0755;
  for (const auto& [path, content] : files) {
    const auto place = fmt::format("{}/{}", folder, path);
    SHEAF_TRY(os::make_directories(parent_of(place), k_folder_mode));
    SHEAF_TRY(os::write_file(place, content, os::Durable::no, content.starts_with("#!") ? 0755 : 0644));
  }
  return os::write_file(fmt::format("{}/{}", folder, k_list), list_of(files));
}

plan::EquivalentNames names_of(const Wanted& wanted) {
  std::vector<std::string> agents;
  plan::EquivalentNames names;
  std::string base;
  for (const auto& plan : wanted.plans) {
    if (plan.kind == "agent") {
      agents.push_back(plan.name);
    } else if (plan.kind == "base") {
      base = plan.image ? plan.image->name : plan.name;
      names.base = plan.image ? plan.image->name : plan.bootstrap ? "debian:" + plan.bootstrap->suite : "scratch";
    }
  }
  names.agents_base = plan::base_image_name(base);
  names.project_base = plan::agents_image_name(base, agents);
  return names;
}

} // namespace

Result<void> replace_folder(const std::string& directory, const std::map<std::string, std::string>& files) {
  const bool is_there = os::exists(directory);
  if (is_there) {
    SHEAF_TRY_ASSIGN(const auto list, os::read_file_if_exists(fmt::format("{}/{}", directory, k_list)));
    SHEAF_TRY(check_ours(directory, "", known_files(list.value_or(""))));
  }
  const auto parent = parent_of(directory);
  SHEAF_TRY(os::make_directories(parent));
  SHEAF_TRY_ASSIGN(auto fresh, os::TempDir::create(parent, directory.substr(directory.rfind('/') + 1) + ".new-"));
  const auto content = fresh.path() + "/files";
  SHEAF_TRY(os::make_directories(content));
  SHEAF_TRY(write_all(content, files));
  return is_there ? os::exchange(content, directory) : os::rename(content, directory);
}

Result<GeneratedFiles> generate(const Choices& choices, const std::string& directory, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto project, load_project(choices));
  if (project.config.image) {
    return Error(ErrorCode::invalid, fmt::format("the project uses the image '{}' as it is", *project.config.image))
        .with_hint("there is nothing to generate without layers; take 'image' out of the settings");
  }
  SHEAF_TRY_ASSIGN(const auto wanted, want(project, session));
  if (!wanted.warnings.empty()) {
    session.events.emit({EventKind::warning, "", wanted.warnings});
  }
  SHEAF_TRY_ASSIGN(const auto files,
                   plan::equivalent_files(wanted.plans, names_of(wanted), project_environment(project.config)));
  GeneratedFiles generated;
  generated.directory = directory.empty() ? fmt::format("{}/{}", project.root, k_generated_folder) : directory;
  if (!generated.directory.starts_with('/')) {
    SHEAF_TRY_ASSIGN(const auto here, os::real_path("."));
    generated.directory = here + "/" + generated.directory;
  }
  while (generated.directory.size() > 1 && generated.directory.ends_with('/')) {
    generated.directory.pop_back();
  }
  SHEAF_TRY(replace_folder(generated.directory, files).context(fmt::format("writing '{}'", generated.directory)));
  for (const auto& [path, content] : files) {
    generated.files.push_back(path);
  }
  return generated;
}

} // namespace sheaf::app
