// SPDX-License-Identifier: Apache-2.0
#include "builder/copy_spec.hpp"

#include "os/file.hpp"
#include "plan/remote_source.hpp"

namespace sheaf::builder {
namespace {

/// As the Dockerfile reference has it (ADD): what comes from a URL is for root alone.
constexpr unsigned k_download_mode = 0600;

} // namespace

Result<sandbox::CopyFiles> copy_spec(const plan::CopyStep& copy, const Versions& versions, const Downloads& downloads,
                                     store::Store& store, store::Staging& staging, const std::stop_token& stop) {
  sandbox::CopyFiles files;
  for (std::size_t i = 0; i < copy.sources.size(); ++i) {
    if (const auto* path = std::get_if<plan::PathSource>(&copy.sources[i])) {
      files.sources.push_back(path->path);
    } else if (const auto* text = std::get_if<plan::InlineSource>(&copy.sources[i])) {
      SHEAF_TRY_ASSIGN(const auto folder, staging.fresh_directory("inline-"));
      SHEAF_TRY(os::write_file(folder + "/content", text->content, os::Durable::no));
      files.files.push_back({folder + "/content", text->name, false, 0644});
    } else if (const auto* http = std::get_if<plan::HttpSource>(&copy.sources[i])) {
      SHEAF_TRY_ASSIGN(auto file, fetch(downloads, store, *http, versions[i], stop));
      files.files.push_back({std::move(file), plan::file_name_of(http->url), false, k_download_mode});
    } else if (const auto* git = std::get_if<plan::GitSource>(&copy.sources[i])) {
      SHEAF_TRY_ASSIGN(auto folder, fetch(downloads, store, *git, versions[i], stop));
      files.files.push_back({std::move(folder), {}, true, std::nullopt});
    }
  }
  files.excludes = copy.excludes;
  files.parents = copy.parents;
  files.destination = copy.destination;
  files.owner = copy.owner;
  files.mode = copy.mode;
  files.unpack_sources = copy.unpack != plan::Unpack::never;
  files.unpack_files = copy.unpack == plan::Unpack::always;
  return files;
}

} // namespace sheaf::builder
