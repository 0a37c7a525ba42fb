// SPDX-License-Identifier: Apache-2.0
#include "app/network.hpp"

#include "app/git_repository.hpp"
#include "net/http.hpp"

namespace sheaf::app {

builder::Downloads downloads() {
  builder::Downloads downloads;
  downloads.download = [](const plan::HttpSource& source, const std::string& file,
                          std::stop_token stop) -> Result<void> {
    SHEAF_TRY(net::download(source.url, file, std::move(stop)));
    return {};
  };
  downloads.clone = check_out;
  downloads.version_of_repository = commit_of;
  downloads.version_of_url = [](const plan::HttpSource& source, std::stop_token stop) -> Result<std::string> {
    SHEAF_TRY_ASSIGN(const auto version, net::version_of(source.url, std::move(stop)));
    return version.etag.empty() ? version.last_modified : version.etag;
  };
  return downloads;
}

} // namespace sheaf::app
