// SPDX-License-Identifier: Apache-2.0
// The build checks about variables, and about the platform that FROM names with them.
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "containerfile/expand.hpp"
#include "containerfile/lint_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace sheaf::containerfile {
namespace {

using Names = std::set<std::string, std::less<>>;
using Values = std::map<std::string, std::string, std::less<>>;

constexpr std::array<std::string_view, 8> k_platform_arguments = {"BUILDPLATFORM", "BUILDOS",        "BUILDARCH",
                                                                  "BUILDVARIANT",  "TARGETPLATFORM", "TARGETOS",
                                                                  "TARGETARCH",    "TARGETVARIANT"};
/// Set by the build in any stage, without an ARG.
const Names k_always = {"HTTP_PROXY",
                        "http_proxy",
                        "HTTPS_PROXY",
                        "https_proxy",
                        "FTP_PROXY",
                        "ftp_proxy",
                        "NO_PROXY",
                        "no_proxy",
                        "ALL_PROXY",
                        "all_proxy",
                        "PATH",
                        "BUILDKIT_SBOM_SCAN_CONTEXT",
                        "BUILDKIT_SBOM_SCAN_STAGE"};

/// True if the text uses `name` in a way that does not provide for its absence, as `${name:-default}` does.
bool is_relied_on(std::string_view text, std::string_view name) {
  const auto is_name_character = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  for (auto at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    auto rest = text.substr(at + 1);
    const bool braces = rest.starts_with('{');
    rest.remove_prefix(braces ? 1 : 0);
    if (!rest.starts_with(name) || (rest.size() > name.size() && is_name_character(rest[name.size()]))) {
      continue;
    }
    rest.remove_prefix(name.size());
    const bool provided_for =
        braces && !rest.empty() && std::string_view(":-+?").find(rest.front()) != std::string_view::npos;
    if (!provided_for) {
      return true;
    }
  }
  return false;
}

enum class Kind { word, content };

/// The variables that `text` relies on and that are not in `known`, in order, each once.
std::vector<std::string> missing_in(std::string_view text, Kind kind, char escape, const Names& known) {
  std::vector<std::string> missing;
  const Lookup note = [&](std::string_view name) -> std::optional<std::string> {
    const bool seen = std::find(missing.begin(), missing.end(), name) != missing.end();
    if (!seen && !known.contains(name) && is_relied_on(text, name)) {
      missing.emplace_back(name);
    }
    return "x"; // set, so that `${name?}` is no error
  };
  ignore(kind == Kind::content ? expand_content(text, note) : expand(text, note, escape), "looking for variables");
  return missing;
}

/// Calls `see` with every word whose variables are expanded.
template <class See>
struct Words {
  See see;

  void operator()(const Arg& arg) const { one(arg.default_value); }
  void operator()(const Env& env) const { pairs(env.pairs); }
  void operator()(const Label& label) const { pairs(label.pairs); }
  void operator()(const Run& run) const {
    for (const auto& mount : run.mounts) {
      for (const auto& option : mount.options) {
        one(option.value);
      }
    }
    one(run.network);
    one(run.security);
  }
  void operator()(const Copy& copy) const { transfer(copy); }
  void operator()(const Add& add) const {
    transfer(add);
    one(add.checksum);
  }
  void operator()(const Workdir& workdir) const { see(workdir.path, Kind::word); }
  void operator()(const User& user) const { see(user.user, Kind::word); }
  void operator()(const Volume& volume) const { all(volume.paths); }
  void operator()(const Expose& expose) const { all(expose.ports); }
  void operator()(const StopSignal& signal) const { see(signal.signal, Kind::word); }
  void operator()(const Fetch& fetch) const {
    see(fetch.source, Kind::word);
    see(fetch.destination, Kind::word);
    one(fetch.checksum);
  }
  void operator()(const Snapshot& snapshot) const { see(snapshot.path, Kind::word); }
  template <class Other>
  void operator()(const Other& /*instruction*/) const {}

  void one(const std::optional<Word>& word) const {
    if (word) {
      see(*word, Kind::word);
    }
  }
  void all(const std::vector<Word>& words) const {
    for (const auto& word : words) {
      see(word, Kind::word);
    }
  }
  void pairs(const std::vector<KeyValue>& pairs) const {
    for (const auto& pair : pairs) {
      see(pair.name, Kind::word);
      see(pair.value, Kind::word);
    }
  }
  template <class Transfer>
  void transfer(const Transfer& transfer) const {
    all(transfer.sources);
    see(transfer.destination, Kind::word);
    one(transfer.chown);
    one(transfer.chmod);
    all(transfer.excludes);
    for (const auto& file : transfer.inline_files) {
      if (file.expand) {
        see(Word{file.content, file.content_span}, Kind::content);
      }
    }
  }
};

template <class See>
Words(See) -> Words<See>;

/// The values of the ARGs in front of the first FROM: from `given`, else their defaults.
Values global_values(const File& file, const Values& given) {
  Values values;
  for (const auto name : k_platform_arguments) {
    values.emplace(name, "linux");
  }
  const Lookup lookup = [&](std::string_view name) {
    const auto found = values.find(name);
    return found != values.end() ? std::optional(found->second) : std::nullopt;
  };
  for (const auto& arg : file.global_arguments) {
    if (const auto found = given.find(arg.name.text); found != given.end()) {
      values.insert_or_assign(arg.name.text, found->second);
    } else if (arg.default_value) {
      if (auto value = expand(arg.default_value->text, lookup, file.escape)) {
        values.insert_or_assign(arg.name.text, std::move(*value));
      }
    }
  }
  return values;
}

std::optional<std::string> image_of(const From& from, const Values& values, char escape) {
  auto image = expand(
      from.image.text,
      [&](std::string_view name) {
        const auto found = values.find(name);
        return found != values.end() ? std::optional(found->second) : std::nullopt;
      },
      escape);
  return image ? std::optional(std::move(*image)) : std::nullopt;
}

/// "[host[:port]/]path[:tag][@digest]" as far as it can be told without the network (OCI distribution-spec, "Pulling
/// manifests").
bool is_image_name(std::string_view image) {
  const auto at = image.find('@');
  if (at != std::string_view::npos && (at + 1 == image.size() || image.find(':', at) == std::string_view::npos)) {
    return false;
  }
  image = image.substr(0, at);
  const auto slash = image.rfind('/');
  const auto colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
  const auto tag = colon == std::string_view::npos ? std::string_view("latest") : image.substr(colon + 1);
  image = image.substr(0, colon);
  const auto is_tag_character = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
  };
  if (tag.empty() || tag.front() == '.' || tag.front() == '-' ||
      !std::all_of(tag.begin(), tag.end(), is_tag_character)) {
    return false;
  }
  auto parts = split(image, '/');
  if (parts.size() > 1 && (parts[0] == "localhost" || parts[0].find_first_of(".:") != std::string_view::npos)) {
    parts.erase(parts.begin());
  }
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !part.empty() && is_letter(part.front()) && is_letter(part.back()) &&
           std::all_of(part.begin(), part.end(),
                       [&](char c) { return is_letter(c) || c == '.' || c == '_' || c == '-'; });
  });
}

class FromLint {
public:
  FromLint(const File& file, LintReport& report) : m_file(file), m_report(report), m_defaults(global_values(file, {})) {
    m_known.insert(k_platform_arguments.begin(), k_platform_arguments.end());
    for (const auto& arg : file.global_arguments) {
      m_known.insert(arg.name.text);
    }
  }

  void run() {
    for (const auto& stage : m_file.stages) {
      undefined(stage.from.image);
      default_image(stage.from);
      if (stage.from.platform) {
        undefined(*stage.from.platform);
        platform(stage.from);
      }
    }
  }

private:
  void undefined(const Word& word) {
    for (const auto& name : missing_in(word.text, Kind::word, m_file.escape, m_known)) {
      const std::vector<std::string> known(m_known.begin(), m_known.end());
      const auto near = did_you_mean(name, known);
      m_report.add("UndefinedArgInFrom", word.span,
                   fmt::format("no ARG in front of the first FROM declares '{}'", name),
                   near.empty() ? fmt::format("put 'ARG {}=DEFAULT' in front of the first FROM", name) : near);
    }
  }

  void default_image(const From& from) {
    if (from.image.text.find('$') == std::string::npos) {
      return;
    }
    const auto image = image_of(from, m_defaults, m_file.escape);
    if (image && !is_image_name(*image)) {
      m_report.add("InvalidDefaultArgInFrom", from.image.span,
                   image->empty() ? "without a build argument the name of this image is empty"
                                  : fmt::format("without a build argument this is '{}', which is no image", *image),
                   "give the ARG a default");
    }
  }

  void platform(const From& from) {
    const auto& text = from.platform->text;
    if (text == "$TARGETPLATFORM" || text == "${TARGETPLATFORM}") {
      m_report.add("RedundantTargetPlatform", from.platform->span,
                   fmt::format("'{}' is the platform that FROM takes anyway", text), "drop '--platform'");
      return;
    }
    // A stage that is named after its platform means it.
    const auto parts = split(text, '/');
    const bool named = from.alias && std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
                         return !part.empty() && from.alias->text.find(part) != std::string::npos;
                       });
    if (text.find('$') == std::string::npos && !named) {
      m_report.add("FromPlatformFlagConstDisallowed", from.platform->span,
                   fmt::format("'{}' is the same whatever platform is built for", text),
                   "write '--platform=$BUILDPLATFORM', or drop it");
    }
  }

  const File& m_file;
  LintReport& m_report;
  Values m_defaults;
  Names m_known;
};

/// The variables of one stage as it goes on.
struct Scope {
  Names names;
  /// False if the base image is not known: any name may be set then.
  bool complete = false;
};

class ScopeLint {
public:
  ScopeLint(const File& file, LintReport& report) : m_file(file), m_report(report) {
    for (const auto& arg : file.global_arguments) {
      m_global.insert(arg.name.text);
    }
  }

  void run(const Stage& stage, Scope& scope) {
    for (const auto& instruction : stage.instructions) {
      if (scope.complete) {
        check(instruction, scope.names);
      }
      if (const auto* arg = std::get_if<Arg>(&instruction)) {
        scope.names.insert(arg->name.text);
      } else if (const auto* env = std::get_if<Env>(&instruction)) {
        for (const auto& pair : env->pairs) {
          scope.names.insert(pair.name.text);
        }
      }
    }
  }

private:
  void check(const Instruction& instruction, const Names& known) {
    Names reported;
    const auto see = [&](const Word& word, Kind kind) {
      for (const auto& name : missing_in(word.text, kind, m_file.escape, known)) {
        if (reported.insert(name).second) {
          const auto span = kind == Kind::content ? origin_of(instruction).span : word.span;
          m_report.add("UndefinedVar", span, fmt::format("the variable '{}' is not set here", name), hint(name, known));
        }
      }
    };
    std::visit(Words{see}, instruction);
  }

  std::string hint(const std::string& name, const Names& known) const {
    const auto* const platform = std::find(k_platform_arguments.begin(), k_platform_arguments.end(), name);
    if (m_global.contains(name) || platform != k_platform_arguments.end()) {
      return fmt::format("a stage sees it after 'ARG {}' of its own", name);
    }
    const std::vector<std::string> candidates(known.begin(), known.end());
    return did_you_mean(name, candidates);
  }

  const File& m_file;
  LintReport& m_report;
  Names m_global;
};

Scope first_scope(const File& file, const LintSettings& settings, std::size_t stage) {
  Scope scope{k_always, false};
  if (file.stages[stage].from.image.text == "scratch") {
    scope.complete = true;
  } else if (const auto names = settings.base_variables ? settings.base_variables(stage) : std::nullopt) {
    scope.names.insert(names->begin(), names->end());
    scope.complete = true;
  }
  return scope;
}

} // namespace

std::vector<std::optional<std::size_t>> parent_stages(const File& file, const LintSettings& settings) {
  const auto values = global_values(file, settings.build_arguments);
  std::map<std::string, std::size_t, std::less<>> names;
  std::vector<std::optional<std::size_t>> parents;
  for (std::size_t i = 0; i < file.stages.size(); ++i) {
    const auto& from = file.stages[i].from;
    auto image = image_of(from, values, file.escape).value_or("");
    std::transform(image.begin(), image.end(), image.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    const auto found = names.find(image);
    const bool is_stage = found != names.end() && image != "scratch"; // that is empty, whatever stages are called
    parents.push_back(is_stage ? std::optional(found->second) : std::nullopt);
    if (from.alias) {
      names.insert_or_assign(from.alias->text, i);
    }
  }
  return parents;
}

void lint_variables(const File& file, const LintSettings& settings, LintReport& report) {
  FromLint(file, report).run();
  const auto parents = parent_stages(file, settings);
  ScopeLint scopes(file, report);
  std::vector<Scope> ends;
  for (std::size_t i = 0; i < file.stages.size(); ++i) {
    // ARGs, too, are seen by the stages on top of a stage.
    auto scope = parents[i] ? ends[*parents[i]] : first_scope(file, settings, i);
    scopes.run(file.stages[i], scope);
    ends.push_back(std::move(scope));
  }
}

} // namespace sheaf::containerfile
