// SPDX-License-Identifier: Apache-2.0
#include "containerfile/file.hpp"

#include "containerfile/ast.hpp"
#include "containerfile/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace sheaf::containerfile {
namespace {

/// The frontends whose language this is.
bool is_usual_syntax(std::string_view image) {
  for (const std::string_view prefix : {"docker.io/", "docker/dockerfile"}) {
    if (image.starts_with(prefix)) {
      image.remove_prefix(prefix.size());
    } else if (prefix != "docker.io/") {
      return false;
    }
  }
  return image.empty() || image.front() == ':' || image.front() == '@';
}

/// Puts instructions into stages, and knows the rules between them.
class Assembler {
public:
  Assembler(std::shared_ptr<const SourceText> source, LexedFile lexed, Diagnostics& diagnostics)
      : m_settings{source, lexed.escape, lexed.extensions}, m_lexed(std::move(lexed)), m_diagnostics(diagnostics) {
    m_file.source = std::move(source);
    m_file.escape = m_lexed.escape;
    m_file.directives = std::move(m_lexed.directives);
    m_file.empty_continuations = std::move(m_lexed.empty_continuations);
    read_directives();
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
  void read_directives() {
    for (const auto& directive : m_file.directives) {
      if (directive.name == "check") {
        m_file.check = parse_check(m_file.source, directive.value, m_diagnostics);
      } else if (directive.name == "syntax" && !is_usual_syntax(directive.value.text)) {
        m_diagnostics.warning(m_file.source, directive.value.span, "syntax-ignored",
                              fmt::format("'{}' is not used: sheaf reads the file itself", directive.value.text),
                              "what only that program understands is an error here");
      }
    }
  }

  void missing_from(const std::vector<Node>& nodes) {
    const auto first =
        std::find_if(nodes.begin(), nodes.end(), [](const Node& node) { return node.keyword.text != "ARG"; });
    const auto end = m_file.source->text().size();
    m_diagnostics.error(m_file.source, first != nodes.end() ? first->keyword.span : Span{end, end}, "missing-from",
                        nodes.empty() ? "there is no instruction in this file" : "there is no FROM in this file",
                        "a Dockerfile starts with 'FROM IMAGE'");
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
      m_file.stages.emplace_back();
      if (checked.from) {
        m_file.stages.back().from = std::move(*checked.from);
      }
    }
    for (auto& instruction : checked.instructions) {
      m_file.stages.back().instructions.push_back(std::move(instruction));
    }
  }

  CheckSettings m_settings;
  LexedFile m_lexed;
  Diagnostics& m_diagnostics;
  File m_file;
};

} // namespace

std::optional<File> parse(std::shared_ptr<const SourceText> source, Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  auto lexed = lex(source, diagnostics);
  auto file = Assembler(std::move(source), std::move(lexed), diagnostics).run();
  return diagnostics.error_count() == errors_before ? std::optional(std::move(file)) : std::nullopt;
}

std::optional<Trigger> parse_trigger(std::string name, std::string text, Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  Trigger trigger;
  trigger.source = std::make_shared<SourceText>(std::move(name), std::move(text));
  auto lexed = lex(trigger.source, diagnostics);
  if (lexed.lines.size() != 1) {
    const auto size = trigger.source->text().size();
    diagnostics.error(trigger.source, {0, size}, "bad-trigger", "an ONBUILD of an image is one instruction, not this");
    return std::nullopt;
  }
  const auto node = parse_node(std::move(lexed.lines.front()));
  if (node.keyword.text == "FROM" || node.keyword.text == "ONBUILD" || node.keyword.text == "MAINTAINER") {
    diagnostics.error(trigger.source, node.keyword.span, "bad-trigger",
                      fmt::format("{} cannot be the ONBUILD of an image", node.keyword.text));
    return std::nullopt;
  }
  // An image has no say in extensions; its author had.
  trigger.instructions = check_node({trigger.source, lexed.escape, true}, node, diagnostics).instructions;
  return diagnostics.error_count() == errors_before ? std::optional(std::move(trigger)) : std::nullopt;
}

} // namespace sheaf::containerfile
