// SPDX-License-Identifier: Apache-2.0
#include "app/build_context.hpp"

#include "app/git_repository.hpp"
#include "archive/reader.hpp"
#include "archive/unpack.hpp"
#include "base/suggest.hpp"
#include "net/http.hpp"
#include "os/file.hpp"
#include "plan/remote_source.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sheaf::app {
namespace {

/// Docker's name first; the last one is what podman and buildah look for.
constexpr std::array k_usual_names = {"Dockerfile", "dockerfile", "Containerfile"};
constexpr std::array k_ignore_names = {".dockerignore", ".containerignore"};

Result<std::shared_ptr<const SourceText>> source_of(const std::string& shown, std::string text) {
  return std::make_shared<const SourceText>(shown, std::move(text));
}

/// Standard input as a file that can be read from its start, below `staging`.
Result<os::Fd> keep_input(const store::Staging& staging) {
  const auto path = staging.file("input");
  SHEAF_TRY_ASSIGN(const auto to, os::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Error::from_errno(errno, "reading standard input");
    }
    if (got == 0) {
      break;
    }
    SHEAF_TRY(os::write_all(to, {buffer.data(), static_cast<std::size_t>(got)}));
  }
  return os::open(path, O_RDONLY);
}

/// The first of the usual names that is a file in `folder`.
Result<std::string> usual_file(const std::string& folder, const std::string& shown) {
  for (const auto* name : k_usual_names) {
    if (os::exists(folder + "/" + name) && !os::is_directory(folder + "/" + name)) {
      return std::string(name);
    }
  }
  return Error(ErrorCode::not_found, fmt::format("there is no Dockerfile in '{}'", shown))
      .with_hint("name the file with -f; 'Dockerfile' and 'Containerfile' are found without");
}

/// What lies beside it and is called nearly so is offered.
Result<std::string> read_containerfile(const std::string& path) {
  constexpr auto k_doing = "reading the Dockerfile";
  if (os::is_directory(path)) {
    return Error(ErrorCode::invalid, fmt::format("'{}' is a directory", path))
        .with_context(k_doing)
        .with_hint("-f names the file; the folder is the operand: sheaf build -f FILE FOLDER");
  }
  if (os::exists(path)) {
    return os::read_file(path).context(k_doing);
  }
  std::vector<std::string> names;
  const auto slash = path.rfind('/');
  const auto folder = slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
  if (const auto entries = os::list_directory(folder)) {
    for (const auto& entry : *entries) {
      names.push_back(entry.name);
    }
  }
  const auto near = did_you_mean(path.substr(slash + 1), names); // npos + 1 is the whole
  return Error(ErrorCode::not_found, fmt::format("there is no file '{}'", path))
      .with_context(k_doing)
      .with_hint((near.empty() ? near : near + " ") + "-f is a path from here, not from the build context");
}

class Opener {
public:
  Opener(const ContextRequest& request, store::Store& store, std::stop_token stop)
      : m_request(request), m_store(store), m_stop(std::move(stop)) {}

  Result<BuildContext> open() {
    if (m_request.context == "-" && m_request.file == "-") {
      return Error(ErrorCode::invalid, "standard input cannot be both the context and the Dockerfile");
    }
    if (m_request.context == "-") {
      return from_input();
    }
    if (os::exists(m_request.context)) {
      return from_directory();
    }
    const auto url = m_request.context.starts_with("github.com/") ? "https://" + m_request.context : m_request.context;
    SHEAF_TRY_ASSIGN(const auto repository, plan::parse_repository(url));
    if (repository) {
      return from_repository(*repository);
    }
    return plan::is_web_address(url) ? from_url() : from_directory();
  }

private:
  Result<BuildContext> from_directory() {
    const auto doing = fmt::format("opening the build context '{}'", m_request.context);
    if (!os::exists(m_request.context)) {
      return Error(ErrorCode::not_found, fmt::format("there is no folder '{}'", m_request.context))
          .with_context(std::string(doing))
          .with_hint("the operand is a folder, the URL of a git repository or an archive, or - for standard input");
    }
    SHEAF_TRY_ASSIGN(const auto path, os::real_path(m_request.context).context(doing));
    if (!os::is_directory(path)) {
      return Error(ErrorCode::invalid, fmt::format("'{}' is not a directory", m_request.context))
          .with_hint("the operand is the build context; name the Dockerfile with -f");
    }
    BuildContext context;
    context.folder = builder::ContextFolder{path, {}};
    SHEAF_TRY(find_file(context, path, m_request.context, Relative::to_us));
    return context;
  }

  Result<BuildContext> from_input() {
    SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
    SHEAF_TRY_ASSIGN(auto input, keep_input(staging));
    return from_file(std::move(staging), std::move(input), "standard input");
  }

  Result<BuildContext> from_url() {
    SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
    const auto path = staging.file("input");
    SHEAF_TRY(net::download(m_request.context, path, m_stop));
    SHEAF_TRY_ASSIGN(auto input, os::open(path, O_RDONLY));
    return from_file(std::move(staging), std::move(input), net::without_credentials(m_request.context));
  }

  /// An archive is the context; anything else is the Containerfile of a build without one.
  Result<BuildContext> from_file(store::Staging staging, os::Fd input, const std::string& shown) {
    SHEAF_TRY_ASSIGN(const bool archive, archive::is_archive(input));
    BuildContext context;
    if (!archive) {
      if (m_request.file) {
        return Error(ErrorCode::invalid,
                     fmt::format("{} is no archive in which '{}' could be", shown, *m_request.file));
      }
      SHEAF_TRY_ASSIGN(auto text, os::read_all(input));
      SHEAF_TRY_ASSIGN(context.containerfile, source_of(shown, std::move(text)));
      return context;
    }
    SHEAF_TRY_ASSIGN(const auto path, staging.fresh_directory("context-"));
    SHEAF_TRY(unpack_to(path, std::move(input)).context(fmt::format("unpacking the context from {}", shown)));
    return from_fetched(std::move(staging), path, shown);
  }

  static Result<void> unpack_to(const std::string& path, os::Fd input) {
    SHEAF_TRY_ASSIGN(auto reader, archive::Reader::open(std::move(input)));
    SHEAF_TRY_ASSIGN(const auto root, os::open(path, O_RDONLY | O_DIRECTORY));
    archive::UnpackOptions options;
    options.owner = {0, 0};
    SHEAF_TRY(archive::unpack(reader, root, "/", options));
    return {};
  }

  Result<BuildContext> from_repository(const plan::GitSource& git) {
    SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
    SHEAF_TRY_ASSIGN(const auto path, staging.fresh_directory("context-"));
    SHEAF_TRY(check_out(git, path, m_stop));
    return from_fetched(std::move(staging), path, net::without_credentials(m_request.context));
  }

  Result<BuildContext> from_fetched(store::Staging staging, const std::string& path, const std::string& shown) {
    BuildContext context;
    context.folder = builder::ContextFolder{path, {}};
    SHEAF_TRY(find_file(context, path, shown, Relative::to_context));
    context.fetched.emplace(std::move(staging));
    return context;
  }

  enum class Relative { to_us, to_context };

  /// Reads the Containerfile and the ignore file that belongs to it.
  Result<void> find_file(BuildContext& context, const std::string& folder, const std::string& shown,
                         Relative relative) const {
    if (m_request.file == "-") {
      SHEAF_TRY_ASSIGN(auto text, os::read_all(os::Fd(dup(STDIN_FILENO))).context("reading standard input"));
      SHEAF_TRY_ASSIGN(context.containerfile, source_of("standard input", std::move(text)));
      return find_ignore(context, folder, {});
    }
    std::string path;
    if (!m_request.file) {
      SHEAF_TRY_ASSIGN(const auto name, usual_file(folder, shown));
      path = folder + "/" + name;
    } else {
      SHEAF_TRY_ASSIGN(path, named_file(folder, relative));
    }
    SHEAF_TRY_ASSIGN(auto text, read_containerfile(path));
    const auto name = m_request.file.value_or(path.substr(path.rfind('/') + 1));
    SHEAF_TRY_ASSIGN(context.containerfile, source_of(name, std::move(text)));
    return find_ignore(context, folder, path);
  }

  Result<std::string> named_file(const std::string& folder, Relative relative) const {
    const auto& file = *m_request.file;
    if (relative == Relative::to_us) {
      return file;
    }
    SHEAF_TRY_ASSIGN(const auto root, os::open(folder, O_RDONLY | O_DIRECTORY));
    SHEAF_TRY_ASSIGN(const auto found,
                     os::open_in_root(root, file, O_RDONLY | O_NONBLOCK).context(fmt::format("opening '{}'", file)));
    return os::real_path(fmt::format("/proc/self/fd/{}", found.get()));
  }

  /// "<file>.dockerignore" beside the Containerfile comes before the context's own.
  static Result<void> find_ignore(BuildContext& context, const std::string& folder, const std::string& file) {
    if (!file.empty()) {
      SHEAF_TRY_ASSIGN(auto text, os::read_file_if_exists(file + ".dockerignore"));
      if (text) {
        context.folder->ignore = std::move(*text);
        context.ignore_name = file.substr(file.rfind('/') + 1) + ".dockerignore";
        return {};
      }
    }
    for (const auto* name : k_ignore_names) {
      SHEAF_TRY_ASSIGN(auto text, os::read_file_if_exists(folder + "/" + name));
      if (text) {
        context.folder->ignore = std::move(*text);
        context.ignore_name = name;
        return {};
      }
    }
    return {};
  }

  const ContextRequest& m_request;
  store::Store& m_store;
  std::stop_token m_stop;
};

} // namespace

Result<BuildContext> open_context(const ContextRequest& request, store::Store& store, std::stop_token stop) {
  return Opener(request, store, std::move(stop)).open();
}

Result<builder::ContextFolder> open_named_context(const std::string& path) {
  SHEAF_TRY_ASSIGN(const auto real, os::real_path(path).context(fmt::format("opening the build context '{}'", path)));
  if (!os::is_directory(real)) {
    return Error(ErrorCode::invalid, fmt::format("the build context '{}' is not a directory", path));
  }
  builder::ContextFolder folder{real, {}};
  for (const auto* name : k_ignore_names) {
    SHEAF_TRY_ASSIGN(auto text, os::read_file_if_exists(real + "/" + name));
    if (text) {
      folder.ignore = std::move(*text);
      break;
    }
  }
  return folder;
}

} // namespace sheaf::app
