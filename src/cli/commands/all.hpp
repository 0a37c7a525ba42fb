// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows that the files of this folder define; command_table.cpp puts them in order.

#include "cli/command.hpp"

namespace sheaf::cli {

extern const Command k_up;
extern const Command k_run;
extern const Command k_plan;
extern const Command k_why;
extern const Command k_refresh;
extern const Command k_lock;
extern const Command k_update;
extern const Command k_build;
extern const Command k_generate;
extern const Command k_join;
extern const Command k_detect;
extern const Command k_layer_list;
extern const Command k_layer_show;
extern const Command k_layer_diff;
extern const Command k_layer_update;
extern const Command k_image_list;
extern const Command k_image_show;
extern const Command k_image_tag;
extern const Command k_image_rm;
extern const Command k_pull;
extern const Command k_push;
extern const Command k_export;
extern const Command k_import;
extern const Command k_load;
extern const Command k_login;
extern const Command k_logout;
extern const Command k_image_diff;
extern const Command k_image_sbom;
extern const Command k_init;
extern const Command k_config_show;
extern const Command k_config_check;
extern const Command k_config_edit;
extern const Command k_test;
extern const Command k_verify;
extern const Command k_df;
extern const Command k_gc;
extern const Command k_fsck;
extern const Command k_store_migrate;
extern const Command k_doctor;
extern const Command k_version;
extern const Command k_completion;
extern const Command k_man;

} // namespace sheaf::cli
