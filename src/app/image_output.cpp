// SPDX-License-Identifier: Apache-2.0
#include "app/image_output.hpp"

#include "app/attributes.hpp"
#include "app/copy_tree.hpp"
#include "archive/tree_writer.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

namespace sheaf::app {
namespace {

Result<OutputRequest> request_of(const std::string& type, std::string destination) {
  if (type == "cacheonly") {
    return OutputRequest{OutputRequest::Kind::nothing, {}};
  }
  if (type == "oci" || type == "docker" || type == "image" || type == "registry") {
    return Error(ErrorCode::unsupported, fmt::format("'--output type={}' is not there yet", type))
        .with_hint("local and tar are; the image itself is always kept in the store (-t names it)");
  }
  if (type != "local" && type != "tar") {
    return Error(ErrorCode::invalid, fmt::format("there is no output type '{}'", type))
        .with_hint("one of local, tar and cacheonly");
  }
  if (destination.empty() && type == "local") {
    return Error(ErrorCode::invalid, "'--output type=local' has no destination")
        .with_hint("--output type=local,dest=DIRECTORY");
  }
  if (type == "local" && destination == "-") {
    return Error(ErrorCode::invalid, "a directory cannot be written to standard output")
        .with_hint("--output type=tar,dest=-");
  }
  return OutputRequest{type == "tar" ? OutputRequest::Kind::tar : OutputRequest::Kind::directory,
                       destination.empty() ? "-" : std::move(destination)};
}

/// The root of an image, mounted where nobody else sees it.
Result<os::Fd> mount_root(const std::vector<std::string>& trees, store::Staging& staging) {
  std::vector<std::string> lowers;
  // overlayfs wants two; an image may have no tree at all.
  for (std::size_t i = trees.size(); i < 2; ++i) {
    SHEAF_TRY_ASSIGN(auto empty, staging.fresh_directory("empty-"));
    lowers.push_back(std::move(empty));
  }
  lowers.insert(lowers.end(), trees.begin(), trees.end());
  return os::mount_overlay({lowers, {}, {}, false});
}

Result<void> write_tar(const os::Fd& root, const os::Fd& to) {
  archive::TarWriter writer(to);
  SHEAF_TRY(archive::write_tree(root, writer));
  return writer.finish();
}

/// Readers see no tar or a whole one.
Result<void> write_tar_file(const os::Fd& root, const std::string& path) {
  const auto partial = path + ".partial";
  SHEAF_TRY_ASSIGN(auto to, os::open(partial, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  auto written = write_tar(root, to);
  if (written) {
    written = to.close();
  }
  if (!written) {
    ignore(os::remove_file_if_exists(partial), "the error that led here is the one to tell");
    return written;
  }
  return os::rename(partial, path);
}

} // namespace

Result<OutputRequest> parse_output(std::string_view text) {
  SHEAF_TRY_ASSIGN(const auto attributes, parse_attributes(text));
  if (attributes.size() == 1 && !attributes.front().value) {
    return text == "-" ? request_of("tar", "-") : request_of("local", std::string(text));
  }
  std::string type;
  std::string destination;
  for (const auto& [name, value] : attributes) {
    if (name == "type") {
      type = value.value_or("");
    } else if (name == "dest" || name == "destination") {
      destination = value.value_or("");
    } else {
      return Error(ErrorCode::invalid, fmt::format("'--output' has no attribute '{}'", name))
          .with_hint("type=TYPE,dest=PATH");
    }
  }
  return request_of(type, std::move(destination));
}

Result<void> write_output(const OutputRequest& request, const std::vector<std::string>& trees, store::Store& store) {
  if (request.kind == OutputRequest::Kind::nothing) {
    return {};
  }
  const auto doing = fmt::format("writing the image's files to '{}'", request.destination);
  SHEAF_TRY_ASSIGN(auto staging, store.stage().context(doing));
  SHEAF_TRY_ASSIGN(const auto root, mount_root(trees, staging).context(doing));
  if (request.kind == OutputRequest::Kind::directory) {
    SHEAF_TRY(os::make_directories(request.destination).context(doing));
    SHEAF_TRY_ASSIGN(const auto to, os::open(request.destination, O_RDONLY | O_DIRECTORY).context(doing));
    return copy_tree(root, to).context(doing);
  }
  if (request.destination == "-") {
    return write_tar(root, os::Fd(dup(STDOUT_FILENO))).context(doing);
  }
  return write_tar_file(root, request.destination).context(doing);
}

} // namespace sheaf::app
