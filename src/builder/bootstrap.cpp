// SPDX-License-Identifier: Apache-2.0
#include "builder/bootstrap.hpp"

#include "base/text.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "sandbox/contained.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <time.h>

#include <algorithm>

namespace sheaf::builder {
namespace {

constexpr const char* k_keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A hook that puts hard links to the files of `from` that fit `pattern` into the root's directory `to`.
std::string link_in(const std::string& from, const std::string& pattern, const std::string& to) {
  return fmt::format("--setup-hook=mkdir -p \"$1{0}\" && find {1} -type f -name '{2}' -exec cp -lt \"$1{0}\" {{}} +",
                     to, shell_quote(from), pattern);
}

std::vector<std::string> command_line(const catalogue::Bootstrap& recipe, const BootstrapFolders& folders) {
  std::vector<std::string> argv = {"mmdebstrap", "--mode=root", "--variant=" + recipe.variant,
                                   "--components=" + joined(recipe.components, ","),
                                   // The lists become the generation that every layer of this base is built from.
                                   "--skip=cleanup/apt", "--skip=download/empty", "--skip=essential/unlink"};
  if (!recipe.packages.empty()) {
    argv.push_back("--include=" + joined(recipe.packages, ","));
  }
  if (os::exists(k_keyring)) {
    argv.push_back(fmt::format("--keyring={}", k_keyring));
  }
  // Hard links: apt checks the hashes of what it finds, and downloads only the rest.
  argv.push_back(link_in(folders.archives, "*.deb", "/var/cache/apt/archives"));
  if (!folders.known_lists.empty()) {
    argv.emplace_back("--skip=update");
    argv.push_back(link_in(folders.known_lists, "*", "/var/lib/apt/lists"));
    // As apt-get update leaves it.
    argv.emplace_back(
        R"(--setup-hook=mkdir -p "$1/var/lib/apt/lists/partial" && chmod 700 "$1/var/lib/apt/lists/partial")");
  }
  argv.push_back(recipe.suite);
  argv.push_back(folders.tree);
  if (!recipe.mirror.empty()) {
    argv.push_back(recipe.mirror);
  }
  return argv;
}

std::optional<std::int64_t> parse_date(std::string_view release) {
  for (const auto line : lines_of(release)) {
    if (!line.starts_with("Date: ")) {
      continue;
    }
    struct tm time {};
    const std::string text(line.substr(6));
    if (strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S", &time) != nullptr) {
      return timegm(&time);
    }
  }
  return std::nullopt;
}

/// The third field of a shadow line is the day of the last change: the day of the build. It becomes the epoch's day.
Result<void> set_account_dates(const std::string& tree, std::int64_t epoch) {
  const auto path = tree + "/etc/shadow";
  SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(path));
  if (!text) {
    return {};
  }
  std::string changed;
  for (const auto line : lines_of(*text)) {
    auto fields = split(line, ':');
    const auto day = std::to_string(epoch / 86400);
    std::string rebuilt;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      rebuilt += (i > 0 ? ":" : "") + (i == 2 && !fields[i].empty() ? day : std::string(fields[i]));
    }
    changed += rebuilt + "\n";
  }
  // In place: owner and mode are part of the file's meaning.
  SHEAF_TRY_ASSIGN(const auto file, os::open(path, O_WRONLY | O_TRUNC));
  return os::write_all(file, changed);
}

} // namespace

Result<std::int64_t> release_date(const std::string& lists) {
  std::int64_t newest = 0;
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(lists));
  for (const auto& entry : entries) {
    if (entry.name.ends_with("_InRelease") || entry.name.ends_with("_Release")) {
      SHEAF_TRY_ASSIGN(const auto text, os::read_file(lists + "/" + entry.name));
      newest = std::max(newest, parse_date(text).value_or(0));
    }
  }
  return newest;
}

Result<void> harvest(const std::string& from, const std::string& to, std::string_view suffix) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(from));
  for (const auto& entry : entries) {
    if (entry.type == DT_REG && entry.name.ends_with(suffix) && !os::exists(to + "/" + entry.name)) {
      SHEAF_TRY(os::rename(from + "/" + entry.name, to + "/" + entry.name));
    }
  }
  return {};
}

Result<Bootstrapped> bootstrap(const catalogue::Bootstrap& recipe, const BootstrapFolders& folders, BuildLog& log,
                               std::stop_token stop) {
  if (!os::find_program("mmdebstrap")) {
    return Error(ErrorCode::not_found,
                 "the program 'mmdebstrap' is missing, which makes the base from Debian's packages")
        .with_hint("apt-get install mmdebstrap");
  }
  os::SpawnOptions options;
  const auto argv = command_line(recipe, folders);
  options.argv = sandbox::contained(argv);
  log.note("$ " + shell_join(argv));
  SHEAF_TRY_ASSIGN(const auto null, os::open("/dev/null", O_RDONLY));
  options.descriptors = {{null.get(), 0}, {log.output(), 1}, {log.output(), 2}};
  options.new_session = true;
  SHEAF_TRY_ASSIGN(auto child, os::Child::spawn(options));
  SHEAF_TRY_ASSIGN(const auto status, child.wait(stop, std::chrono::seconds(5)));
  if (stop.stop_requested()) {
    return Error(ErrorCode::cancelled, "stopped");
  }
  if (!status.ok()) {
    return Error(ErrorCode::failed_step, fmt::format("mmdebstrap failed with {}", status.to_string()));
  }
  SHEAF_TRY(harvest(folders.tree + "/var/lib/apt/lists", folders.lists, ""));
  SHEAF_TRY(harvest(folders.tree + "/var/cache/apt/archives", folders.archives, ".deb"));
  SHEAF_TRY_ASSIGN(const auto epoch, release_date(folders.lists));
  SHEAF_TRY(set_account_dates(folders.tree, epoch));
  return Bootstrapped{epoch};
}

} // namespace sheaf::builder
