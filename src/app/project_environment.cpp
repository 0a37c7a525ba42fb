// SPDX-License-Identifier: Apache-2.0
#include "app/project_environment.hpp"

namespace sheaf::app {

std::map<std::string, std::string> project_environment(const catalogue::ProjectConfig& config) {
  std::map<std::string, std::string> environment(config.env.begin(), config.env.end());
  if (config.repo) {
    environment.try_emplace("CODE_REPO", *config.repo);
  }
  if (config.branch) {
    environment.try_emplace("GIT_BRANCH", *config.branch);
  }
  return environment;
}

} // namespace sheaf::app
