// SPDX-License-Identifier: Apache-2.0
#include "containerfile/lint.hpp"

#include "base/text.hpp"
#include "containerfile/lint_report.hpp"
#include "containerfile/port.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace sheaf::containerfile {
namespace {

bool is_upper(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}
bool is_lower(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return result;
}

/// Every keyword of the stages, once each.
std::vector<const Word*> keywords(const File& file) {
  std::vector<const Word*> keywords;
  for (const auto& stage : file.stages) {
    keywords.push_back(&stage.from.origin.keyword);
    for (const auto& instruction : stage.instructions) {
      const auto& keyword = origin_of(instruction).keyword;
      if (keywords.back()->span != keyword.span) { // an ARG with several names is several
        keywords.push_back(&keyword);
      }
    }
  }
  return keywords;
}

void casing(const File& file, LintReport& report) {
  const auto all = keywords(file);
  const auto count = [&](bool (*has_case)(std::string_view)) {
    return std::count_if(all.begin(), all.end(), [&](const Word* keyword) { return has_case(keyword->text); });
  };
  const bool to_lower = count(is_lower) > count(is_upper);
  for (const auto* keyword : all) {
    if (!(to_lower ? is_lower(keyword->text) : is_upper(keyword->text))) {
      report.add("ConsistentInstructionCasing", keyword->span,
                 fmt::format("most instructions of this file are in {} case, '{}' is not", to_lower ? "lower" : "upper",
                             keyword->text));
    }
  }
}

void stage_names(const File& file, LintReport& report) {
  std::map<std::string, std::size_t, std::less<>> lines;
  for (const auto& stage : file.stages) {
    const auto& from = stage.from;
    if (!from.alias || !from.as_keyword) {
      continue;
    }
    const auto& alias = *from.alias;
    if (from.written_alias != alias.text) {
      report.add("StageNameCasing", alias.span,
                 fmt::format("the stage name '{}' is not in lower case", from.written_alias),
                 fmt::format("write '{}'", alias.text));
    }
    const auto& keyword = from.origin.keyword.text;
    const auto& as = from.as_keyword->text;
    if ((is_upper(keyword) && !is_upper(as)) || (is_lower(keyword) && !is_lower(as))) {
      report.add("FromAsCasing", from.as_keyword->span,
                 fmt::format("'{}' and '{}' are in different cases", keyword, as));
    }
    if (alias.text == "scratch" || alias.text == "context") {
      report.add("ReservedStageName", alias.span, fmt::format("'{}' has a meaning of its own", alias.text),
                 "give the stage another name");
    }
    const auto [first, is_new] = lines.emplace(alias.text, from.origin.line);
    if (!is_new) {
      report.add("DuplicateStageName", alias.span,
                 fmt::format("the stage on line {} is called '{}', too", first->second, alias.text),
                 "the later one is meant from here on");
    }
  }
}

void description(LintReport& report, std::string_view what, const std::vector<std::string>& names,
                 const std::vector<Word>& comments) {
  if (comments.empty() || names.empty()) {
    return;
  }
  const auto& last = comments.back();
  const auto first_word = last.text.substr(0, last.text.find(' '));
  if (std::find(names.begin(), names.end(), first_word) == names.end()) {
    report.add("InvalidDefinitionDescription", last.span,
               fmt::format("this comment does not describe the {} below it", what),
               fmt::format("write '# {} DESCRIPTION', or put an empty line below the comment",
                           names.size() == 1 ? names.front() : "NAME"));
  }
}

/// `args` and all that follow in the same instruction are looked at together.
template <class Next>
void argument_descriptions(LintReport& report, Next next) {
  std::vector<std::string> names;
  const Arg* first = nullptr;
  for (const Arg* arg = next(); first != nullptr || arg != nullptr; arg = next()) {
    if (first != nullptr && (arg == nullptr || arg->origin.span != first->origin.span)) {
      description(report, "ARG", names, first->comments);
      names.clear();
      first = nullptr;
    }
    if (arg == nullptr) {
      return;
    }
    first = first != nullptr ? first : arg;
    names.push_back(arg->name.text);
  }
}

void descriptions(const File& file, LintReport& report) {
  std::vector<const Arg*> args;
  for (const auto& arg : file.global_arguments) {
    args.push_back(&arg);
  }
  for (const auto& stage : file.stages) {
    if (stage.from.alias) {
      description(report, "stage", {stage.from.alias->text}, stage.from.comments);
    }
    for (const auto& instruction : stage.instructions) {
      if (const auto* arg = std::get_if<Arg>(&instruction)) {
        args.push_back(arg);
      }
    }
  }
  argument_descriptions(report, [&, at = std::size_t(0)]() mutable { return at < args.size() ? args[at++] : nullptr; });
}

/// One word of a command line, in the way of the shell, for hints.
std::string quoted_for_hint(std::string_view text) {
  const bool plain =
      std::none_of(text.begin(), text.end(), [](char c) { return is_blank(c) || c == '"' || c == '\''; });
  return plain ? std::string(text) : fmt::format("\"{}\"", text);
}

/// True if a part of `name` between '_' is one of `words`.
bool has_part(std::string_view name, const std::vector<std::string_view>& words) {
  const auto text = lower(name);
  const auto parts = split(text, '_');
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return std::find(words.begin(), words.end(), part) != words.end(); });
}

/// Walks the instructions of one stage; what it inherits from another stage is given.
class StageLint {
public:
  struct State {
    bool shell_set = false;
    bool directory_set = false;
  };
  StageLint(const LintSettings& settings, LintReport& report, State state)
      : m_settings(settings), m_report(report), m_state(state) {}

  State run(const Stage& stage) {
    for (const auto& instruction : stage.instructions) {
      std::visit([&](const auto& one) { visit(one); }, instruction);
    }
    return m_state;
  }

private:
  template <class Other>
  void visit(const Other& /*instruction*/) {}

  void visit(const Arg& arg) { secret_name("ARG", arg.name); }
  void visit(const Env& env) {
    for (const auto& pair : env.pairs) {
      secret_name("ENV", pair.name);
    }
    legacy("ENV", env.legacy, env.pairs);
  }
  void visit(const Label& label) { legacy("LABEL", label.legacy, label.pairs); }
  void visit(const Shell& /*shell*/) { m_state.shell_set = true; }
  void visit(const Cmd& cmd) {
    once("CMD", cmd.origin);
    json_form("CMD", cmd.origin, std::holds_alternative<ShellCommand>(cmd.command));
  }
  void visit(const Entrypoint& entrypoint) {
    once("ENTRYPOINT", entrypoint.origin);
    json_form("ENTRYPOINT", entrypoint.origin, std::holds_alternative<ShellCommand>(entrypoint.command));
  }
  void visit(const Healthcheck& health) { once("HEALTHCHECK", health.origin); }
  void visit(const Maintainer& maintainer) {
    m_report.add(
        "MaintainerDeprecated", maintainer.origin.span, "MAINTAINER is out of date",
        fmt::format("write 'LABEL org.opencontainers.image.authors={}'", quoted_for_hint(maintainer.name.text)));
  }
  void visit(const Workdir& workdir) {
    const auto& path = workdir.path.text;
    const bool absolute =
        path.starts_with('/') || path.starts_with('$') || path.starts_with("\"/") || path.starts_with("'/");
    if (!std::exchange(m_state.directory_set, true) && !absolute) {
      m_report.add("WorkdirRelativePath", workdir.path.span,
                   fmt::format("where '{}' is depends on the base image", path),
                   "start with an absolute path: 'WORKDIR /path'");
    }
  }
  void visit(const Copy& copy) {
    if (!copy.from) {
      ignored("COPY", copy.sources);
    }
  }
  void visit(const Add& add) { ignored("ADD", add.sources); }
  void visit(const Expose& expose) {
    for (const auto& word : expose.ports) {
      ports(word);
    }
  }

  void secret_name(std::string_view keyword, const Word& name) {
    static const std::vector<std::string_view> k_secret = {"apikey",   "auth",  "credential", "credentials", "key",
                                                           "password", "pword", "passwd",     "secret",      "token"};
    if (has_part(name.text, k_secret) && !has_part(name.text, {"public"})) {
      m_report.add("SecretsUsedInArgOrEnv", name.span,
                   fmt::format("'{}' looks like a secret, and {} stays in the image", name.text, keyword),
                   "use 'RUN --mount=type=secret,id=NAME,env=VARIABLE'");
    }
  }

  void legacy(std::string_view keyword, bool is_legacy, const std::vector<KeyValue>& pairs) {
    if (!is_legacy) {
      return;
    }
    const auto& pair = pairs.front();
    m_report.add("LegacyKeyValueFormat", {pair.name.span.begin, pair.value.span.end},
                 fmt::format("'{} NAME VALUE' is the old way to write '{} NAME=VALUE'", keyword, keyword),
                 fmt::format("write '{} {}={}'", keyword, pair.name.text, quoted_for_hint(pair.value.text)));
  }

  void json_form(std::string_view keyword, const Origin& origin, bool is_shell) {
    if (is_shell && !m_state.shell_set) {
      m_report.add(
          "JSONArgsRecommended", origin.span,
          fmt::format("the shell that runs this {} does not pass signals on", keyword),
          fmt::format("write '{} [\"PROGRAM\", \"ARGUMENT\"]', or say with SHELL that the shell is meant", keyword));
    }
  }

  /// Only the last one of a stage counts.
  void once(std::string_view keyword, const Origin& origin) {
    const auto [earlier, is_first] = m_last.emplace(keyword, &origin);
    if (!is_first) {
      m_report.add("MultipleInstructionsDisallowed", earlier->second->span,
                   fmt::format("the {} on line {} replaces this one", keyword, origin.line), "keep only the last");
      earlier->second = &origin;
    }
  }

  void ignored(std::string_view keyword, const std::vector<Word>& sources) {
    for (const auto& source : sources) {
      std::string_view path = source.text;
      if (!m_settings.is_excluded || path.find_first_of("$:\"'\\") != std::string_view::npos) {
        continue;
      }
      while (path.starts_with('/') || path.starts_with("./")) {
        path.remove_prefix(path.starts_with('/') ? 1 : 2);
      }
      while (path.ends_with('/')) {
        path.remove_suffix(1);
      }
      // '.' is what is left of the context, however little that is.
      if (!path.empty() && path != "." && m_settings.is_excluded(path)) {
        m_report.add("CopyIgnoredFile", source.span,
                     fmt::format("{} finds no '{}': the ignore file leaves it out", keyword, path));
      }
    }
  }

  void ports(const Word& word) {
    const auto read = parse_ports(word.text);
    if (!read) {
      return; // a variable, or an error of its own
    }
    if (read->maps_host) {
      m_report.add("ExposeInvalidFormat", word.span,
                   fmt::format("'{}' names a place on the host, which EXPOSE leaves out", word.text),
                   fmt::format("write '{}'", read->first == read->last
                                                 ? fmt::format("{}/{}", read->first, read->protocol)
                                                 : fmt::format("{}-{}/{}", read->first, read->last, read->protocol)));
    }
    if (!is_lower(read->written_protocol)) {
      m_report.add("ExposeProtoCasing", word.span,
                   fmt::format("the protocol '{}' is not in lower case", read->written_protocol),
                   fmt::format("write '{}'", read->protocol));
    }
  }

  const LintSettings& m_settings;
  LintReport& m_report;
  State m_state;
  std::map<std::string_view, const Origin*> m_last;
};

void stages(const File& file, const LintSettings& settings, LintReport& report) {
  const auto parents = parent_stages(file, settings);
  std::vector<StageLint::State> states;
  for (std::size_t i = 0; i < file.stages.size(); ++i) {
    const auto inherited = parents[i] ? states[*parents[i]] : StageLint::State();
    states.push_back(StageLint(settings, report, inherited).run(file.stages[i]));
  }
}

} // namespace

void lint(const File& file, const LintSettings& settings, Diagnostics& diagnostics) {
  LintReport report(file, settings, diagnostics);
  for (const auto& place : file.empty_continuations) {
    report.add("NoEmptyContinuation", place,
               "this empty line is inside an instruction that the line before it continues",
               fmt::format("take the '{}' off the end of that line, or drop this one", file.escape));
  }
  casing(file, report);
  stage_names(file, report);
  descriptions(file, report);
  stages(file, settings, report);
  lint_variables(file, settings, report);
}

} // namespace sheaf::containerfile
