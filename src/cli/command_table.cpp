// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/all.hpp"

#include <algorithm>
#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array k_common = {
    Option{"root", 0, "DIR", "the store (default: $SHEAF_ROOT, else $XDG_DATA_HOME/sheaf)"},
    Option{"quiet", 'q', "", "print warnings and errors only"},
    Option{"verbose", 'v', "", "print the output of every step"},
    Option{"progress", 0, "STYLE", "auto, plain, tty, json or quiet (default: auto)"},
    Option{"help", 'h', "", "print this help"},
};

} // namespace

std::span<const Option> common_options() { return k_common; }

std::span<const Command> commands() {
  static const std::array k_table = {
      k_init,       k_up,         k_run,           k_plan,         k_why,         k_refresh,    k_lock,
      k_update,     k_build,      k_generate,      k_test,         k_join,        k_detect,     k_layer_list,
      k_layer_show, k_layer_diff, k_layer_update,  k_image_list,   k_image_show,  k_image_tag,  k_image_rm,
      k_image_diff, k_image_sbom, k_pull,          k_push,         k_export,      k_import,     k_load,
      k_login,      k_logout,     k_config_show,   k_config_check, k_config_edit, k_verify,     k_df,
      k_gc,         k_fsck,       k_store_migrate, k_doctor,       k_version,     k_completion, k_man,
  };
  return k_table;
}

const Command* find_command(std::string_view path) {
  const auto found = std::ranges::find(commands(), path, &Command::path);
  return found != commands().end() ? &*found : nullptr;
}

} // namespace sheaf::cli
