// SPDX-License-Identifier: Apache-2.0
#pragma once

// Options shared by all commands that work on a project's environment.

#include "cli/command.hpp"

#include <array>

namespace sheaf::cli {

inline constexpr Option k_directory_option = {"directory", 'C', "DIR",
                                              "the project's folder (default: the current one)"};
inline constexpr Option k_agents_option = {"agents", 0, "LIST", "agents to add: 'a,b', 'all', 'all,-x' or 'none'"};
inline constexpr Option k_layers_option = {"layers", 0, "LIST", "layers to add to what was detected: 'a,b'"};
inline constexpr Option k_stack_option = {"stack", 0, "NAME",
                                          "this level of 'stacks' in the settings, instead of what was detected"};
inline constexpr Option k_base_option = {"base", 0, "NAME", "the layer or image everything is built on"};
inline constexpr Option k_image_option = {"image", 0, "NAME", "use this image as it is, instead of layers"};
inline constexpr Option k_pull_option = {"pull", 0, "", "ask the registry whether the base's image is a newer one"};
inline constexpr Option k_jobs_option = {"jobs", 'j', "N", "layers built at the same time (default: 4)"};
inline constexpr Option k_json_option = {"json", 0, "", "print the result as JSON"};

inline constexpr Option k_strict_option = {
    "strict", 0, "", "refuse layers that conflict, instead of building one again on top of the other"};

inline constexpr std::array k_selection_options = {k_directory_option, k_agents_option, k_layers_option, k_base_option};

} // namespace sheaf::cli
