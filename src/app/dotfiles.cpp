// SPDX-License-Identifier: Apache-2.0
#include "app/dotfiles.hpp"

#include "app/git_repository.hpp"
#include "base/text.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"
#include "plan/remote_source.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace sheaf::app {
namespace {

constexpr std::size_t k_most_files = 2000;
constexpr std::uint64_t k_most_bytes = std::uint64_t{10} << 20U;
constexpr std::string_view k_head = "FROM ${BASE_IMAGE}\n";

/// The folders of the layer's context. A layer's file is executable if it is a script, which is right for nearly all
/// dotfiles; the others are told apart by where they lie.
constexpr std::string_view k_usual = "usual/";
constexpr std::string_view k_executable = "executable/";
constexpr std::string_view k_plain_script = "plain/";

std::shared_ptr<catalogue::LayerDefinition> layer_of(std::string containerfile, std::string origin) {
  auto layer = std::make_shared<catalogue::LayerDefinition>();
  layer->name = k_dotfiles_layer;
  layer->summary = "the user's dotfiles";
  layer->kind = catalogue::Kind::project;
  layer->origin = catalogue::Origin::project;
  layer->folder = std::move(origin);
  layer->containerfile = std::make_shared<const SourceText>("the layer of the dotfiles", std::move(containerfile));
  return layer;
}

/// Reads a folder into HomeFiles, following no link.
class FolderReader {
public:
  explicit FolderReader(std::vector<std::string>& inputs) : m_inputs(inputs) {}

  Result<HomeFiles> read(const std::string& folder) {
    m_folder = folder;
    std::vector<std::string> pending = {""}; // relative, empty or ending with '/'
    while (!pending.empty()) {
      const auto relative = std::move(pending.back());
      pending.pop_back();
      m_inputs.push_back(m_folder + "/" + relative);
      SHEAF_TRY_ASSIGN(const auto directory, os::open(m_inputs.back(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(directory));
      for (const auto& entry : entries) {
        if (entry.name != ".git") {
          SHEAF_TRY_ASSIGN(const bool is_directory, take(directory, relative + entry.name, entry.name));
          if (is_directory) {
            pending.push_back(relative + entry.name + "/");
          }
        }
      }
    }
    return std::move(m_files);
  }

private:
  /// True if it is a directory.
  Result<bool> take(const os::Fd& directory, const std::string& path, const std::string& name) {
    SHEAF_TRY_ASSIGN(const auto place, os::open_beneath(directory, name, O_PATH | O_NOFOLLOW));
    SHEAF_TRY_ASSIGN(const auto status, os::stat_of(place));
    if (S_ISDIR(status.st_mode)) {
      return true;
    }
    if (!S_ISREG(status.st_mode)) {
      return Error(ErrorCode::invalid, fmt::format("'{}/{}' is a link or no plain file", m_folder, path))
          .with_hint("dotfiles are copied as plain files: put the file itself there");
    }
    m_bytes += static_cast<std::uint64_t>(status.st_size);
    if (m_files.size() >= k_most_files || m_bytes > k_most_bytes) {
      return Error(ErrorCode::invalid, fmt::format("there are more than {} files or {} in '{}'", k_most_files,
                                                   human_bytes(k_most_bytes), m_folder))
          .with_hint("name a folder that holds dotfiles only; programs belong into a layer of their own");
    }
    m_inputs.push_back(m_folder + "/" + path);
    SHEAF_TRY_ASSIGN(const auto file, os::open_beneath(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    SHEAF_TRY_ASSIGN(auto content, os::read_all(file));
    m_files.emplace(path, HomeFile{std::move(content), (status.st_mode & S_IXUSR) != 0});
    return false;
  }

  std::vector<std::string>& m_inputs;
  std::string m_folder;
  HomeFiles m_files;
  std::uint64_t m_bytes = 0;
};

Result<std::string> folder_named(const Project& project, const std::string& dotfiles, const std::string& origin,
                                 std::vector<std::string>& inputs) {
  const bool is_projects = origin.starts_with("sheaf.yml");
  auto path = dotfiles;
  if (path == "~" || path.starts_with("~/")) {
    const auto* home = std::getenv("HOME");
    path = std::string(home != nullptr ? home : "") + path.substr(1);
  } else if (!path.starts_with('/')) {
    path = (is_projects ? project.root : user_config_folder()) + "/" + path;
  }
  inputs.push_back(path); // a link on the way may come to lead elsewhere
  SHEAF_TRY_ASSIGN(auto real, os::real_path(path));
  if (is_projects && !(real + "/").starts_with(project.root + "/")) {
    return Error(ErrorCode::denied, fmt::format("'{}' lies outside of the project", real))
        .with_hint(fmt::format("a project may not reach for other files; say it in '{}/config.yml' if you want it",
                               user_config_folder()));
  }
  return real;
}

Result<std::shared_ptr<const catalogue::LayerDefinition>>
repository_layer(const std::string& address, const std::string& origin, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto source, plan::parse_repository(address));
  if (!source) {
    const auto end = std::min(address.find('#'), address.size());
    return Error(ErrorCode::invalid, fmt::format("'{}' is not the address of a git repository", address))
        .with_hint(fmt::format("the path of one on the web ends in .git: '{}.git{}'", address.substr(0, end),
                               address.substr(end)));
  }
  SHEAF_TRY_ASSIGN(const auto commit, commit_of(*source, std::move(stop))
                                          .hint("with '#' and the whole name of a commit behind the address, nobody "
                                                "has to be asked"));
  const auto folder = source->folder.empty() ? std::string() : ":" + source->folder;
  return layer_of(fmt::format("{}ADD --chown=dev:dev {}#{}{} /home/dev/\n", k_head, source->url, commit, folder),
                  origin);
}

} // namespace

bool names_repository(std::string_view dotfiles) {
  const auto colon = dotfiles.find(':');
  return dotfiles.find("://") != std::string_view::npos ||
         (colon != std::string_view::npos && dotfiles.substr(0, colon).find('@') != std::string_view::npos);
}

std::shared_ptr<const catalogue::LayerDefinition> dotfiles_layer(const HomeFiles& files, std::string origin) {
  std::map<std::string_view, std::string_view> flags; // of the folders that are used
  std::map<std::string, std::string> context;
  nlohmann::json plain = {"chmod", "0644"}; // a layer makes files executable that begin as scripts do
  for (const auto& [path, file] : files) {
    const bool is_script = file.content.starts_with("#!");
    const auto folder = file.is_executable == is_script ? k_usual : file.is_executable ? k_executable : k_plain_script;
    flags[folder] = folder == k_usual ? "" : folder == k_executable ? " --chmod=0755" : "";
    if (folder == k_plain_script) {
      plain.push_back("/home/dev/" + path);
    }
    context.emplace(std::string(folder) + path, file.content);
  }
  std::string text(k_head);
  for (const auto& [folder, mode] : flags) {
    text += fmt::format("COPY --chown=dev:dev{} {} /home/dev/\n", mode, folder);
  }
  if (plain.size() > 2) {
    text += fmt::format("RUN {}\n", plain.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  }
  auto layer = layer_of(std::move(text), std::move(origin));
  layer->files = std::move(context);
  return layer;
}

Result<Dotfiles> find_dotfiles(const Project& project, std::stop_token stop) {
  Dotfiles found;
  if (!project.config.dotfiles) {
    return found;
  }
  const auto& named = *project.config.dotfiles;
  const auto said = project.config.origins.find("dotfiles");
  const auto origin = said != project.config.origins.end() ? said->second : std::string("the settings");
  const auto doing = fmt::format("reading the dotfiles '{}' ({})", named, origin);
  found.reason = "dotfiles, " + origin;
  if (names_repository(named)) {
    SHEAF_TRY_ASSIGN(found.layer, repository_layer(named, origin, std::move(stop)).context(doing));
    return found;
  }
  SHEAF_TRY_ASSIGN(const auto folder, folder_named(project, named, origin, found.inputs).context(doing));
  SHEAF_TRY_ASSIGN(const auto files, FolderReader(found.inputs).read(folder).context(doing));
  if (files.empty()) {
    return Error(ErrorCode::invalid, fmt::format("there are no files in '{}'", folder))
        .with_context(std::string(doing));
  }
  found.layer = dotfiles_layer(files, origin);
  return found;
}

} // namespace sheaf::app
