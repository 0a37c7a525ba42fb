// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether this machine runs programs of another architecture. Source: the kernel's admin-guide/binfmt-misc.rst; ELF
// specification, e_machine.

#include "plan/platform.hpp"

#include <string_view>

namespace sheaf::app {

/// The native architecture, what its processors run as well, and what an emulator that the kernel can reach from
/// everywhere (flag F) is registered for.
bool runs_here(const plan::Platform& platform);

/// Whether the text of a file in /proc/sys/fs/binfmt_misc is that of such an emulator for ELF programs of the
/// architecture. Pure.
bool emulates(std::string_view entry, std::string_view architecture);

} // namespace sheaf::app
