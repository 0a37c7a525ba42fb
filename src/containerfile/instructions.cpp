// SPDX-License-Identifier: Apache-2.0
#include "containerfile/instructions.hpp"

namespace sheaf::containerfile {

const Origin& origin_of(const Instruction& instruction) {
  return std::visit([](const auto& one) -> const Origin& { return one.origin; }, instruction);
}

std::string_view display(const Instruction& instruction) { return origin_of(instruction).display(); }

} // namespace sheaf::containerfile
