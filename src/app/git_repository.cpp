// SPDX-License-Identifier: Apache-2.0
#include "app/git_repository.hpp"

#include "base/text.hpp"
#include "net/http.hpp"
#include "os/capture.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "os/temp_dir.hpp"
#include "sandbox/contained.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace sheaf::app {
namespace {

bool is_commit(std::string_view ref) {
  return ref.size() == 40 &&
         std::ranges::all_of(ref, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// One repository that commands are run in.
class Git {
public:
  Git(const plan::GitSource& source, std::stop_token stop) : m_source(source), m_stop(std::move(stop)) {}

  /// What the command printed. `network` with git's own words if it failed.
  Result<std::string> run(std::vector<std::string> words) const {
    if (!os::find_program("git")) {
      return Error(ErrorCode::not_found, "there is no git on this machine").with_hint("apt-get install git");
    }
    os::SpawnOptions options;
    // Inside a user namespace the owner of a local repository looks like somebody else.
    options.argv = {
        "git", "-c", "safe.directory=*", "-c", "advice.detachedHead=false", "-c", "init.defaultBranch=main"};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    // A fetch has children that go on when git is killed.
    options.argv = os::effective_uid() == 0 ? sandbox::contained(options.argv) : sandbox::tied(options.argv);
    options.environment = environment();
    SHEAF_TRY_ASSIGN(auto captured, os::capture(options, m_stop));
    if (!captured.status.ok()) {
      return Error(ErrorCode::network, fmt::format("git {} failed", words.front()))
          .with_details(hide_credentials(std::string(trim(captured.errors))));
    }
    return std::move(captured.output);
  }

private:
  static std::vector<std::string> environment() {
    std::vector<std::string> result;
    for (auto** entry = ::environ; *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      // A repository of the caller must not be taken for ours.
      if (!text.starts_with("GIT_DIR=") && !text.starts_with("GIT_WORK_TREE=") &&
          !text.starts_with("GIT_INDEX_FILE=")) {
        result.emplace_back(text);
      }
    }
    result.emplace_back("GIT_TERMINAL_PROMPT=0");
    result.emplace_back("LC_ALL=C");
    return result;
  }

  std::string hide_credentials(std::string text) const {
    const auto shown = net::without_credentials(m_source.url);
    for (auto at = text.find(m_source.url); shown != m_source.url && at != std::string::npos;
         at = text.find(m_source.url, at + shown.size())) {
      text.replace(at, m_source.url.size(), shown);
    }
    return text;
  }

  const plan::GitSource& m_source;
  std::stop_token m_stop;
};

std::string doing(const plan::GitSource& source) {
  return fmt::format("fetching '{}'{}", net::without_credentials(source.url),
                     source.ref.empty() ? std::string() : fmt::format(" at '{}'", source.ref));
}

/// "<commit>\t<name>" lines -> the commit of the ref; a tag's own commit ("^{}") comes before the tag object.
std::optional<std::string> commit_in(std::string_view lines, const std::string& ref) {
  std::optional<std::string> found;
  int best = 0;
  for (const auto line : split(lines, '\n')) {
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) {
      continue;
    }
    const auto name = line.substr(tab + 1);
    const int rank = name == "refs/tags/" + ref + "^{}" ? 4
                     : name == ref                      ? 3
                     : name == "refs/heads/" + ref      ? 2
                     : name == "refs/tags/" + ref       ? 1
                                                        : 0;
    if (rank > best) {
      best = rank;
      found = std::string(line.substr(0, tab));
    }
  }
  return found;
}

/// Moves what is in `from` to the empty directory `to`.
Result<void> move_contents(const std::string& from, const std::string& to) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(from));
  for (const auto& entry : entries) {
    SHEAF_TRY(os::rename(from + "/" + entry.name, to + "/" + entry.name));
  }
  return {};
}

Result<std::string> folder_in(const std::string& repository, const std::string& folder) {
  SHEAF_TRY_ASSIGN(const os::Fd root, os::open(repository, O_RDONLY | O_DIRECTORY));
  const auto found = os::open_beneath(root, folder, O_RDONLY | O_DIRECTORY);
  if (!found) {
    return Error(ErrorCode::not_found, fmt::format("the repository has no folder '{}'", folder));
  }
  return os::real_path(fmt::format("/proc/self/fd/{}", found->get()));
}

} // namespace

Result<std::string> commit_of(const plan::GitSource& source, std::stop_token stop) {
  if (is_commit(source.ref)) {
    return source.ref;
  }
  const Git git(source, std::move(stop));
  const auto ref = source.ref.empty() ? std::string("HEAD") : source.ref;
  SHEAF_TRY_ASSIGN(const auto lines, git.run({"ls-remote", "--", source.url, ref, ref + "^{}"}).context(doing(source)));
  auto commit = commit_in(lines, ref);
  if (!commit) {
    return Error(ErrorCode::not_found, fmt::format("there is no branch or tag '{}'", ref)).with_context(doing(source));
  }
  return std::move(*commit);
}

Result<void> check_out(const plan::GitSource& source, const std::string& directory, std::stop_token stop) {
  const Git git(source, stop);
  SHEAF_TRY_ASSIGN(const auto commit, commit_of(source, stop));
  if (!source.checksum.empty() && !commit.starts_with(source.checksum)) {
    return Error(ErrorCode::conflict, fmt::format("the commit is {}, not {}", commit, source.checksum))
        .with_context(doing(source));
  }
  SHEAF_TRY_ASSIGN(const auto work, os::TempDir::create(directory.substr(0, directory.rfind('/')), ".git-"));
  const auto& path = work.path();
  SHEAF_TRY(git.run({"init", "-q", "--", path}).context(doing(source)));
  SHEAF_TRY(git.run({"-C", path, "remote", "add", "origin", "--", source.url}).context(doing(source)));
  // Not every server hands out a commit that is no branch or tag: then the whole history is fetched.
  if (!git.run({"-C", path, "fetch", "-q", "--depth=1", "origin", commit})) {
    SHEAF_TRY(git.run({"-C", path, "fetch", "-q", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"})
                  .context(doing(source)));
  }
  SHEAF_TRY(git.run({"-C", path, "checkout", "-q", commit}).context(doing(source)));
  SHEAF_TRY(
      git.run({"-C", path, "submodule", "-q", "update", "--init", "--recursive", "--depth=1"}).context(doing(source)));
  if (!source.keep_git_directory) {
    SHEAF_TRY(os::remove_all(path + "/.git"));
  }
  SHEAF_TRY_ASSIGN(const auto folder,
                   folder_in(path, source.folder.empty() ? "." : source.folder).context(doing(source)));
  return move_contents(folder, directory).context(doing(source));
}

} // namespace sheaf::app
