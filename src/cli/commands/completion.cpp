// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/all.hpp"
#include "cli/help.hpp"

#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array<std::string_view, 2> k_completion_examples = {
    "source <(sheaf completion bash)", "sheaf completion fish > ~/.config/fish/completions/sheaf.fish"};
constexpr std::array<std::string_view, 1> k_man_examples = {"sheaf man | man -l -"};

Result<int> completion(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto script, completion_script(invocation.operands.front()));
  Invocation::print(script);
  return 0;
}

Result<int> man(Invocation& /*invocation*/) {
  Invocation::print(man_page());
  return 0;
}

} // namespace

const Command k_completion = {
    "completion", "print the completion script of a shell", "", {"bash|zsh|fish", 1, 1}, {}, k_completion_examples,
    completion};

const Command k_man = {"man", "print the manual page in man(7) format", "", {"", 0, 0}, {}, k_man_examples, man};

} // namespace sheaf::cli
