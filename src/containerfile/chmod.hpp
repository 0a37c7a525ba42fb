// SPDX-License-Identifier: Apache-2.0
#pragma once

// The syntax of `--chmod`. What a mode does to a file is for the one who carries it out.

#include <string_view>

namespace sheaf::containerfile {

/// True for an octal mode up to 07777 ("644", "0755"), or a symbolic one as of chmod(1) ("u=rwX,go=rX", "+x").
bool is_valid_mode(std::string_view mode);

} // namespace sheaf::containerfile
