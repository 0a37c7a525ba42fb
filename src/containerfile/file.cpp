// SPDX-License-Identifier: Apache-2.0
#include "containerfile/file.hpp"

#include "containerfile/ast.hpp"
#include "containerfile/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

namespace sheaf::containerfile {
namespace {

/// Puts instructions into stages, and knows the rules between them.
class Assembler {
public:
  Assembler(std::shared_ptr<const SourceText> source, LexedFile lexed, Diagnostics& diagnostics)
      : m_settings{source, lexed.escape, lexed.extensions}, m_lexed(std::move(lexed)), m_diagnostics(diagnostics) {
    m_file.source = std::move(source);
    m_file.escape = m_lexed.escape;
    m_file.directives = std::move(m_lexed.directives);
  }

  File run() {
    std::vector<Node> nodes;
    for (auto& line : m_lexed.lines) {
      nodes.push_back(parse_node(std::move(line)));
    }
    // A mistyped FROM opens a stage, too, so that what follows it is not called misplaced.
    const auto first_from =
        std::find_if(nodes.begin(), nodes.end(), [](const Node& node) { return likely_keyword(node) == "FROM"; });
    if (first_from == nodes.end()) {
      missing_from(nodes);
    }
    for (auto node = nodes.begin(); node != nodes.end(); ++node) {
      auto checked = check_node(m_settings, *node, m_diagnostics);
      if (node < first_from) {
        add_global(*node, checked, first_from != nodes.end());
      } else {
        add_to_stage(*node, checked);
      }
    }
    return std::move(m_file);
  }

private:
  void missing_from(const std::vector<Node>& nodes) {
    const auto first =
        std::find_if(nodes.begin(), nodes.end(), [](const Node& node) { return node.keyword.text != "ARG"; });
    const auto end = m_file.source->text().size();
    m_diagnostics.error(m_file.source, first != nodes.end() ? first->keyword.span : Span{end, end}, "missing-from",
                        nodes.empty() ? "there is no instruction in this file" : "there is no FROM in this file",
                        "it starts with 'FROM IMAGE'");
  }

  void add_global(const Node& node, CheckedNode& checked, bool from_follows) {
    for (auto& instruction : checked.instructions) {
      if (auto* arg = std::get_if<Arg>(&instruction)) {
        m_file.global_arguments.push_back(std::move(*arg));
      }
    }
    // Without any FROM that was said once; a mistake in the keyword was said, too.
    if (node.keyword.text != "ARG" && from_follows && likely_keyword(node) == node.keyword.text) {
      m_diagnostics.error(m_file.source, node.keyword.span, "before-from",
                          fmt::format("{} stands before the first FROM", node.keyword.text), "only ARG may");
    }
  }

  void add_to_stage(const Node& node, CheckedNode& checked) {
    if (likely_keyword(node) == "FROM") {
      m_commands.clear();
      m_file.stages.emplace_back();
      if (checked.from) {
        check_name(*checked.from);
        m_file.stages.back().from = std::move(*checked.from);
      }
    }
    for (auto& instruction : checked.instructions) {
      warn_if_repeated(instruction);
      m_file.stages.back().instructions.push_back(std::move(instruction));
    }
  }

  void check_name(const From& from) {
    if (!from.alias) {
      return;
    }
    const auto [first, is_new] = m_names.emplace(from.alias->text, from.origin.line);
    if (!is_new) {
      m_diagnostics.error(m_file.source, from.alias->span, "duplicate-stage",
                          fmt::format("the stage on line {} is called '{}' already", first->second, first->first));
    }
    if (from.alias->text == "scratch") {
      m_diagnostics.warning(m_file.source, from.alias->span, "reserved-stage-name",
                            "'scratch' is the empty image; 'FROM scratch' does not mean this stage");
    }
  }

  /// Only the last CMD and the last ENTRYPOINT of a stage count.
  void warn_if_repeated(const Instruction& instruction) {
    if (!std::holds_alternative<Cmd>(instruction) && !std::holds_alternative<Entrypoint>(instruction)) {
      return;
    }
    const auto& origin = origin_of(instruction);
    const auto [earlier, is_first] = m_commands.emplace(instruction.index(), origin.line);
    if (!is_first) {
      m_diagnostics.warning(m_file.source, origin.span, "repeated-instruction",
                            fmt::format("this replaces the one on line {}", earlier->second));
      earlier->second = origin.line;
    }
  }

  CheckSettings m_settings;
  LexedFile m_lexed;
  Diagnostics& m_diagnostics;
  File m_file;
  /// Stage name -> line.
  std::map<std::string, std::size_t> m_names;
  /// Of the current stage: kind of instruction -> line.
  std::map<std::size_t, std::size_t> m_commands;
};

} // namespace

std::optional<File> parse(std::shared_ptr<const SourceText> source, Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  auto lexed = lex(source, diagnostics);
  auto file = Assembler(std::move(source), std::move(lexed), diagnostics).run();
  return diagnostics.error_count() == errors_before ? std::optional(std::move(file)) : std::nullopt;
}

} // namespace sheaf::containerfile
