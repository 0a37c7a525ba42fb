// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the instructions of a stage cannot know themselves: the arguments given from outside and where names lead.

#include "oci/image_config.hpp"
#include "plan/stage_words.hpp"
#include "plan/step.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::plan {

using BuildArguments = std::map<std::string, std::string, std::less<>>;

/// What a stage hands on to one that starts from it.
struct StageState {
  oci::Image image;
  /// Of ENV and ARG, the values that count.
  Variables variables;
  /// Names that ARG declared, in order.
  std::vector<std::string> arguments;
};

struct StageSetting {
  /// Of --build-arg; they win over what ARG says.
  const BuildArguments& build_args;
  /// Arguments from before the first FROM and of the platform: for an ARG without a default.
  const Variables& globals;
  /// Where `--from=` or `from=` leads; a name that leads nowhere is reported at the span and gives nothing.
  std::function<std::optional<Source>(const std::string& name, Span span, StageWords& words)> source_of;
  /// For RUN without a flag of its own.
  Network network = Network::standard;
  bool allow_insecure = false;
  bool allow_host_network = false;
  /// What to do about a RUN that asks for more than is allowed; '{}' is the name of the right.
  std::string not_allowed_hint = "allow it with '--allow={}'";
};

/// True for HTTP_PROXY and its like, which RUN has without an ARG, and which do not belong to the key.
bool is_proxy_argument(std::string_view name);

} // namespace sheaf::plan
