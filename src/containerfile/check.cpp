// SPDX-License-Identifier: Apache-2.0
#include "containerfile/check.hpp"

#include "base/suggest.hpp"
#include "containerfile/expand.hpp"
#include "containerfile/flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace sheaf::containerfile {
namespace {

const std::array<std::string, 20> k_keywords = {
    "ADD",   "ARG",        "CMD",     "COPY", "ENTRYPOINT", "ENV",      "EXPOSE",     "FETCH", "FROM",   "HEALTHCHECK",
    "LABEL", "MAINTAINER", "ONBUILD", "RUN",  "SHELL",      "SNAPSHOT", "STOPSIGNAL", "USER",  "VOLUME", "WORKDIR"};
const std::array<std::string_view, 2> k_extensions = {"FETCH", "SNAPSHOT"};

/// One word of a command line, in the way of the shell, for hints.
std::string quoted_for_hint(std::string_view text) {
  const bool plain =
      std::none_of(text.begin(), text.end(), [](char c) { return is_blank(c) || c == '"' || c == '\''; });
  return plain ? std::string(text) : fmt::format("\"{}\"", text);
}

bool is_stage_name(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

bool same_keyword(std::string_view text, std::string_view upper_case) {
  return std::equal(text.begin(), text.end(), upper_case.begin(), upper_case.end(),
                    [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; });
}

class Checker {
public:
  Checker(const CheckSettings& settings, const Node& node, Diagnostics& diagnostics)
      : m_settings(settings), m_node(node), m_diagnostics(diagnostics), m_errors_before(diagnostics.error_count()) {}

  CheckedNode check() {
    const auto* rule = std::find_if(std::begin(k_rules), std::end(k_rules),
                                    [&](const Rule& candidate) { return candidate.keyword == m_node.keyword.text; });
    if (rule == std::end(k_rules)) {
      refuse_keyword();
      return {};
    }
    m_flags = check_flags(m_settings.source, m_node, m_diagnostics);
    (this->*rule->check)();
    return m_diagnostics.error_count() == m_errors_before ? std::move(m_result) : CheckedNode();
  }

private:
  struct Rule {
    std::string_view keyword;
    void (Checker::*check)();
  };
  static const std::array<Rule, 11> k_rules;

  // --- saying what is wrong

  void error(Span span, std::string rule, std::string message, std::string hint = {}) {
    m_diagnostics.error(m_settings.source, span, std::move(rule), std::move(message), std::move(hint));
  }

  void refuse_keyword() {
    const auto& keyword = m_node.keyword;
    const bool extension = std::find(k_extensions.begin(), k_extensions.end(), keyword.text) != k_extensions.end();
    if (extension && !m_settings.extensions) {
      error(keyword.span, "unknown-instruction", fmt::format("'{}' is no instruction of Docker", keyword.text),
            "sheaf knows it in files that say '# sheaf: extensions' at the top");
    } else if (std::find(k_keywords.begin(), k_keywords.end(), keyword.text) != k_keywords.end()) {
      error(keyword.span, "unsupported-instruction", fmt::format("'{}' is not supported yet", keyword.text),
            keyword.text == "MAINTAINER" ? "write 'LABEL org.opencontainers.image.authors=NAME'" : "");
    } else {
      const auto near = likely_keyword(m_node);
      error(
          keyword.span, "unknown-instruction",
          fmt::format("there is no instruction '{}'", m_node.line.text(split_instruction(m_node.line.text()).keyword)),
          near.empty() ? fmt::format("if it belongs to the line before, end that one with '{}'", m_settings.escape)
                       : fmt::format("did you mean '{}'?", near));
    }
  }

  bool missing_arguments(std::string_view what, std::string hint) {
    if (!m_node.arguments.text.empty()) {
      return false;
    }
    error(m_node.keyword.span, "missing-argument", fmt::format("{} needs {}", m_node.keyword.text, what),
          std::move(hint));
    return true;
  }

  /// Finds open quotes and braces before any variable is known: every variable is set, so nothing else can fail.
  void check_expansion(const Word& word) {
    const auto expanded = expand(
        word.text, [](std::string_view) { return std::optional<std::string>("x"); }, m_settings.escape);
    if (!expanded) {
      error(word.span, "bad-substitution", expanded.error().message());
    }
  }

  std::optional<Word> flag(std::string_view name) {
    const auto found = m_flags.find(name);
    return found != m_flags.end() ? std::optional(found->second) : std::nullopt;
  }

  std::optional<Word> expandable_flag(std::string_view name) {
    auto value = flag(name);
    if (value) {
      check_expansion(*value);
    }
    return value;
  }

  // --- pieces of instructions

  Origin origin() const {
    Origin origin{m_node.line.span(), 0, m_node.line.display()};
    origin.line = m_settings.source->position(origin.span.begin).line;
    origin.text.replace(0, m_node.keyword.text.size(), m_node.keyword.text);
    if (!m_node.line.heredocs.empty()) {
      origin.text += summary(m_node.line.heredocs.front().content());
    }
    return origin;
  }

  static std::string summary(std::string_view body) {
    const auto text = trimmed(body, {0, body.size()});
    const auto end = std::min(body.find('\n', text.begin), text.end);
    const auto first = trimmed(body, {text.begin, end});
    return first.empty() ? ""
                         : fmt::format(" ({}{})", body.substr(first.begin, first.size()), end < text.end ? "..." : "");
  }

  std::vector<Word> json_words() const {
    std::vector<Word> words;
    for (const auto& item : m_node.json.items) {
      words.push_back({item.text, m_node.line.span(item.range)});
    }
    return words;
  }

  /// True if the arguments are a JSON array. Arrays of other things are errors; what only looks like one is a warning
  /// that ends in `instead`.
  bool is_json(std::string_view instead) {
    const auto& json = m_node.json;
    if (json.form == ArrayForm::not_strings) {
      error(m_node.line.span(json.where), "json-form", json.problem);
    } else if (json.form == ArrayForm::broken) {
      m_diagnostics.warning(m_settings.source, m_node.line.span(json.where), "json-form",
                            fmt::format("{}, so {}", json.problem, instead));
    }
    return json.form == ArrayForm::array;
  }

  std::variant<ShellCommand, ExecCommand> command() {
    if (is_json("this is no JSON array and the shell runs it as text")) {
      return ExecCommand{json_words(), m_node.arguments.span};
    }
    return ShellCommand{m_node.arguments.text, m_node.arguments.span};
  }

  // --- instructions

  void check_from() {
    if (missing_arguments("an image", "write 'FROM IMAGE', or 'FROM scratch' to start empty")) {
      return;
    }
    From from;
    from.origin = origin();
    std::vector<Word> words;
    for (const auto& range : blank_separated(m_node.line.text(), m_node.arguments_range)) {
      words.push_back(m_node.line.word(range));
    }
    from.image = words[0];
    check_expansion(from.image);
    from.platform = expandable_flag("platform");
    from.alias = alias(words);
    m_result.from = std::move(from);
  }

  std::optional<Word> alias(const std::vector<Word>& words) {
    if (words.size() == 1) {
      return std::nullopt;
    }
    if (!same_keyword(words[1].text, "AS")) {
      error(words[1].span, "unexpected-argument", fmt::format("'AS NAME' is expected here, not '{}'", words[1].text));
      return std::nullopt;
    }
    if (words.size() == 2) {
      error(words[1].span, "missing-argument", "the name of the stage is missing after 'AS'");
      return std::nullopt;
    }
    if (words.size() > 3) {
      error({words[3].span.begin, words.back().span.end}, "unexpected-argument",
            "nothing may follow the name of the stage");
    }
    auto name = words[2];
    std::transform(name.text.begin(), name.text.end(), name.text.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    if (!is_stage_name(name.text)) {
      error(name.span, "bad-stage-name", fmt::format("'{}' cannot be the name of a stage", words[2].text),
            "a name is a letter, then letters, digits, '-', '_' and '.'");
    }
    return name;
  }

  void check_arg() {
    if (missing_arguments("a name", "write 'ARG NAME' or 'ARG NAME=DEFAULT'")) {
      return;
    }
    const auto split = quoted_words(m_node.line.text(), m_node.arguments_range, m_settings.escape);
    const auto whole = origin();
    for (const auto& range : split.words) {
      Arg arg;
      const auto several = split.words.size() > 1;
      arg.origin = several ? Origin{whole.span, whole.line, "ARG " + std::string(m_node.line.text(range))} : whole;
      const auto pair = name_and_value(range);
      arg.name = pair ? pair->name : m_node.line.word(range);
      if (pair) {
        check_expansion(pair->value);
        arg.default_value = pair->value;
      }
      m_result.instructions.emplace_back(std::move(arg));
    }
  }

  /// The two sides of a '='; nothing if there is none.
  std::optional<KeyValue> name_and_value(Range word) {
    const auto equals = m_node.line.text(word).find('=');
    if (equals == std::string_view::npos) {
      return std::nullopt;
    }
    const Range name{word.begin, word.begin + equals};
    if (name.empty()) {
      error(m_node.line.span(word), "missing-name", "the name in front of '=' is missing");
    }
    return KeyValue{m_node.line.word(name), m_node.line.word({name.end + 1, word.end})};
  }

  void check_env() {
    if (auto pairs = key_values(); !pairs.empty()) {
      m_result.instructions.emplace_back(Env{origin(), std::move(pairs)});
    }
  }

  void check_label() {
    if (auto pairs = key_values(); !pairs.empty()) {
      m_result.instructions.emplace_back(Label{origin(), std::move(pairs)});
    }
  }

  std::vector<KeyValue> key_values() {
    const auto& keyword = m_node.keyword.text;
    if (missing_arguments("a name and a value", fmt::format("write '{} NAME=VALUE'", keyword))) {
      return {};
    }
    const auto split = quoted_words(m_node.line.text(), m_node.arguments_range, m_settings.escape);
    std::vector<KeyValue> pairs;
    if (m_node.line.text(split.words.front()).find('=') == std::string_view::npos) {
      if (auto pair = legacy_pair(split.words)) {
        pairs.push_back(std::move(*pair));
      }
    } else {
      pairs = new_pairs(split.words);
    }
    for (const auto& pair : pairs) {
      check_expansion(pair.name);
      check_expansion(pair.value);
    }
    return pairs;
  }

  std::vector<KeyValue> new_pairs(const std::vector<Range>& words) {
    std::vector<KeyValue> pairs;
    for (const auto& range : words) {
      if (auto pair = name_and_value(range)) {
        pairs.push_back(std::move(*pair));
        continue;
      }
      const auto word = m_node.line.word(range);
      error(word.span, "missing-value", fmt::format("'{}' is no 'NAME=VALUE'", word.text),
            "a value with blanks has to be in quotes");
    }
    return pairs;
  }

  /// `ENV NAME the value`, of old.
  std::optional<KeyValue> legacy_pair(const std::vector<Range>& words) {
    const auto& keyword = m_node.keyword.text;
    const auto name = m_node.line.word(words.front());
    if (words.size() == 1) {
      error(name.span, "missing-value", fmt::format("{} '{}' has no value", keyword, name.text),
            fmt::format("write '{} {}=VALUE'", keyword, name.text));
      return std::nullopt;
    }
    const auto value = m_node.line.word({words[1].begin, m_node.arguments_range.end});
    m_diagnostics.warning(m_settings.source, m_node.arguments.span, "legacy-key-value",
                          fmt::format("'{} NAME VALUE' is the old way to write '{} NAME=VALUE'", keyword, keyword),
                          fmt::format("write '{} {}={}'", keyword, name.text, quoted_for_hint(value.text)));
    return KeyValue{name, value};
  }

  void check_run() {
    if (missing_arguments("a command", "")) {
      return;
    }
    Run run{origin(), ShellCommand{}, {}, {}, {}};
    if (!m_node.line.heredocs.empty()) {
      run.command = heredoc_command();
    } else {
      std::visit([&](auto&& value) { run.command = std::move(value); }, command());
    }
    if (const auto* exec = std::get_if<ExecCommand>(&run.command); exec != nullptr && exec->arguments.empty()) {
      error(exec->span, "missing-argument", "RUN needs a command, and this array is empty");
    }
    m_result.instructions.emplace_back(std::move(run));
  }

  /// As in BuildKit: a heredoc alone is the script itself; with a command, the shell gets all of it to make sense of.
  std::variant<ShellCommand, ExecCommand, ScriptCommand> heredoc_command() {
    const auto& heredocs = m_node.line.heredocs;
    const auto span = m_node.arguments.span;
    if (heredocs.size() == 1 && heredoc_marker(m_node.line.text(), m_node.arguments_range)) {
      auto content = heredocs.front().content();
      if (content.starts_with("#!")) {
        return ScriptCommand{std::move(content), span};
      }
      return ShellCommand{std::move(content), span};
    }
    auto text = m_node.arguments.text;
    for (const auto& heredoc : heredocs) {
      text += "\n" + heredoc.body + heredoc.name.text;
    }
    return ShellCommand{std::move(text), span};
  }

  void check_copy() {
    const auto* hint = "write 'COPY SOURCE... DESTINATION'";
    for (const auto& heredoc : m_node.line.heredocs) {
      error(heredoc.name.span, "unsupported-heredoc", "a heredoc in COPY is not supported yet");
    }
    if (missing_arguments("a source and a destination", hint)) {
      return;
    }
    auto words = copy_words();
    if (m_node.json.form == ArrayForm::not_strings) {
      return;
    }
    if (words.size() < 2) {
      error(m_node.arguments.span, "missing-argument",
            words.empty() ? "COPY needs a source and a destination" : "COPY has a source but no destination", hint);
      return;
    }
    for (const auto& word : words) {
      check_expansion(word);
    }
    Copy copy;
    copy.origin = origin();
    copy.destination = std::move(words.back());
    words.pop_back();
    copy.sources = std::move(words);
    copy.from = flag("from");
    copy.chown = expandable_flag("chown");
    copy.chmod = expandable_flag("chmod");
    check_mode(copy.chmod);
    m_result.instructions.emplace_back(std::move(copy));
  }

  std::vector<Word> copy_words() {
    if (is_json("this is no JSON array and its words are taken as paths")) {
      return json_words();
    }
    std::vector<Word> words;
    for (const auto& range : blank_separated(m_node.line.text(), m_node.arguments_range)) {
      words.push_back(m_node.line.word(range));
    }
    return words;
  }

  /// Numbers only: a mode like "u+x" is for the one who carries it out, a variable is not known yet.
  void check_mode(const std::optional<Word>& mode) {
    if (!mode || mode->text.empty() || mode->text.front() < '0' || mode->text.front() > '9' ||
        mode->text.find('$') != std::string::npos) {
      return;
    }
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    if (mode->text.size() > 5 || !std::all_of(mode->text.begin(), mode->text.end(), is_octal)) {
      error(mode->span, "bad-mode", fmt::format("'{}' is no octal mode", mode->text),
            "write '--chmod=755', for example");
    }
  }

  void check_workdir() {
    if (!missing_arguments("a directory", "write 'WORKDIR /path'")) {
      check_expansion(m_node.arguments);
      m_result.instructions.emplace_back(Workdir{origin(), m_node.arguments});
    }
  }

  void check_user() {
    if (!missing_arguments("a user", "write 'USER NAME' or 'USER UID:GID'")) {
      check_expansion(m_node.arguments);
      m_result.instructions.emplace_back(User{origin(), m_node.arguments});
    }
  }

  void check_cmd() {
    if (!missing_arguments("a command", "write 'CMD []' to take the inherited one away")) {
      m_result.instructions.emplace_back(Cmd{origin(), command()});
    }
  }

  void check_entrypoint() {
    if (!missing_arguments("a command", "write 'ENTRYPOINT []' to take the inherited one away")) {
      m_result.instructions.emplace_back(Entrypoint{origin(), command()});
    }
  }

  void check_shell() {
    const auto* hint = "write 'SHELL [\"/bin/sh\", \"-c\"]'";
    if (missing_arguments("a JSON array", hint)) {
      return;
    }
    const auto& json = m_node.json;
    if (json.form == ArrayForm::array && !json.items.empty()) {
      m_result.instructions.emplace_back(Shell{origin(), json_words()});
    } else if (json.form == ArrayForm::absent || json.form == ArrayForm::array) {
      error(m_node.arguments.span, json.form == ArrayForm::array ? "missing-argument" : "json-form",
            json.form == ArrayForm::array ? "the array is empty" : "SHELL needs a JSON array", hint);
    } else {
      error(m_node.line.span(json.where), "json-form", json.problem, hint);
    }
  }

  const CheckSettings& m_settings;
  const Node& m_node;
  Diagnostics& m_diagnostics;
  std::size_t m_errors_before;
  FlagValues m_flags;
  CheckedNode m_result;
};

const std::array<Checker::Rule, 11> Checker::k_rules = {{{"FROM", &Checker::check_from},
                                                         {"ARG", &Checker::check_arg},
                                                         {"ENV", &Checker::check_env},
                                                         {"LABEL", &Checker::check_label},
                                                         {"RUN", &Checker::check_run},
                                                         {"COPY", &Checker::check_copy},
                                                         {"WORKDIR", &Checker::check_workdir},
                                                         {"USER", &Checker::check_user},
                                                         {"CMD", &Checker::check_cmd},
                                                         {"ENTRYPOINT", &Checker::check_entrypoint},
                                                         {"SHELL", &Checker::check_shell}}};

} // namespace

CheckedNode check_node(const CheckSettings& settings, const Node& node, Diagnostics& diagnostics) {
  return Checker(settings, node, diagnostics).check();
}

std::string likely_keyword(const Node& node) {
  constexpr std::size_t k_longest = 20; // no slip of the finger is longer
  const auto& keyword = node.keyword.text;
  if (std::find(k_keywords.begin(), k_keywords.end(), keyword) != k_keywords.end()) {
    return keyword;
  }
  return keyword.size() > k_longest ? std::string() : nearest(keyword, k_keywords).value_or("");
}

} // namespace sheaf::containerfile
