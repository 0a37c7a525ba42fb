// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/all.hpp"
#include "cli/session.hpp"
#include "store/format.hpp"

#include <fmt/format.h>

#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array<std::string_view, 1> k_examples = {"sheaf store migrate"};

Result<int> migrate(Invocation& invocation) {
  SHEAF_TRY(become_able(invocation, os::OwnMounts::no));
  SHEAF_TRY_ASSIGN(const auto migration, store::migrate(invocation.store_root));
  Invocation::print(migration.from == migration.to ? fmt::format("the store has format {} already\n", migration.to)
                                                   : fmt::format("the store had format {}, and has format {} now\n",
                                                                 migration.from, migration.to));
  return 0;
}

} // namespace

const Command k_store_migrate = {
    "store migrate",
    "bring the store of an older sheaf to the format of this one",
    "Takes a moment: nothing is copied. It refuses while an older sheaf uses the store, and can be broken off and "
    "started again at any point. Older versions of sheaf cannot use the store afterwards.",
    {"", 0, 0},
    {},
    k_examples,
    migrate};

} // namespace sheaf::cli
