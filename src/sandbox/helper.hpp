// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of the native runtime: what a process forked from the zygote does for one sandbox. It has one thread,
// enters the namespaces, mounts, and execs; its death undoes everything.

#include <string_view>

namespace sheaf::sandbox {

/// The hidden first argument that makes `main` call zygote_main.
constexpr std::string_view k_helper_argument = "__sandbox";
/// Where the helper finds its specification (CBOR) and writes its report (one JSON object).
constexpr int k_spec_descriptor = 3;
constexpr int k_report_descriptor = 4;

/// Never returns to normal program flow: the caller exits with the value.
int helper_main();

} // namespace sheaf::sandbox
