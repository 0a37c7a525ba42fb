// SPDX-License-Identifier: Apache-2.0
#include "builder/downloads.hpp"

#include "layer/file_digest.hpp"
#include "os/file.hpp"
#include "store/in_use.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace sheaf::builder {
namespace {

Error no_files() { return {ErrorCode::unsupported, "files from the network are not possible here"}; }
Error no_repositories() { return {ErrorCode::unsupported, "repositories are not possible here"}; }

Result<void> check_content(const std::string& file, const plan::HttpSource& source) {
  if (!source.checksum.starts_with("sha256:")) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto fd, os::open(file, O_RDONLY));
  SHEAF_TRY_ASSIGN(const auto digest, layer::digest_of(fd));
  if (digest.to_string() != source.checksum) {
    return Error(ErrorCode::corrupt,
                 fmt::format("'{}' has the digest {}, not {}", source.url, digest.to_string(), source.checksum))
        .with_hint("either what is offered there has changed, or the checksum in the file is wrong");
  }
  return {};
}

/// What is kept by its version is never looked at again: a power failure must not leave its name with half of it.
Result<void> flush(const std::string& file) {
  SHEAF_TRY_ASSIGN(const auto fd, os::open(file, O_RDONLY));
  return fsync(fd.get()) == 0 ? Result<void>() : Error::from_errno(errno, fmt::format("flushing '{}'", file));
}

} // namespace

Result<std::string> version_of(const Downloads& downloads, const plan::HttpSource& source, std::stop_token stop) {
  if (!source.checksum.empty()) {
    return source.checksum;
  }
  return downloads.version_of_url ? downloads.version_of_url(source, std::move(stop)) : no_files();
}

Result<std::string> version_of(const Downloads& downloads, const plan::GitSource& source, std::stop_token stop) {
  return downloads.version_of_repository ? downloads.version_of_repository(source, std::move(stop)) : no_repositories();
}

Result<std::string> fetch(const Downloads& downloads, store::Store& store, const plan::HttpSource& source,
                          const std::string& version, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto cache, store.folder("cache/http"));
  auto path = fmt::format("{}/{}", cache, Sha256().field(source.url).field(version).finish().hex());
  if (os::exists(path) && !version.empty()) {
    store::mark_used(path);
    return path;
  }
  if (!downloads.download) {
    return no_files();
  }
  const auto doing = fmt::format("downloading '{}'", source.url);
  SHEAF_TRY_ASSIGN(auto staging, store.stage());
  const auto file = staging.file("download");
  SHEAF_TRY(downloads.download(source, file, std::move(stop)).context(doing));
  SHEAF_TRY(check_content(file, source).context(doing));
  SHEAF_TRY(flush(file).context(doing));
  SHEAF_TRY(os::rename(file, path).context(doing));
  return path;
}

Result<std::string> fetch(const Downloads& downloads, store::Store& store, const plan::GitSource& source,
                          const std::string& version, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto cache, store.folder("cache/git"));
  Sha256 name;
  name.field(source.url).field(version).field(source.folder);
  auto path = fmt::format("{}/{}", cache, name.field(source.keep_git_directory ? "git" : "").finish().hex());
  if (os::exists(path) && !version.empty()) {
    store::mark_used(path);
    return path;
  }
  if (!downloads.clone) {
    return no_repositories();
  }
  const auto doing = fmt::format("cloning '{}'", source.url);
  SHEAF_TRY_ASSIGN(auto staging, store.stage());
  const auto folder = staging.file("clone");
  SHEAF_TRY(os::make_directories(folder));
  SHEAF_TRY(downloads.clone(source, folder, std::move(stop)).context(doing));
  SHEAF_TRY(os::sync_file_system(folder).context(doing));
  if (auto renamed = os::rename(folder, path); !renamed && !os::is_directory(path)) {
    return std::move(renamed).context(doing).error();
  }
  return path;
}

} // namespace sheaf::builder
