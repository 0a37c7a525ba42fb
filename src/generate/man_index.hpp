// SPDX-License-Identifier: Apache-2.0
#pragma once

// The index of manual pages that mandb writes: a GNU dbm file whose bytes depend on the order in which pages were
// added. Read here to compare two of them by what they hold. Pure.

#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>

namespace sheaf::generate {

/// Key to data, both with the NUL byte that mandb ends them with. `corrupt` if `bytes` is no GNU dbm file with 64-bit
/// offsets, of a machine with the least significant byte first. Source: gdbm 1.23, src/gdbmdefs.h.
Result<std::map<std::string, std::string>> parse_man_index(std::string_view bytes);

/// Do two indexes name the same pages, sections, links and descriptions, whatever the times of the pages' files? False
/// if one is no index.
bool same_pages(std::string_view first, std::string_view second);

} // namespace sheaf::generate
