// SPDX-License-Identifier: Apache-2.0
#include "plan/equivalent_stage.hpp"

#include "base/text.hpp"
#include "plan/layer_files.hpp"
#include "plan/remote_source.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace sheaf::plan {
namespace {

/// Where downloads are put until they are checked.
constexpr std::string_view k_place = "/.sheaf-download";

/// Dockerfiles expand variables in the words of COPY, ADD, USER and WORKDIR.
std::string literal(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += c == '$' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return result;
}

std::string shell_word(const std::string& text) { return shell_join(std::vector<std::string>{text}); }

/// A file may be meant as a pattern: what is special in it stays so.
std::string pattern_in(const std::string& layer, const std::string& path) {
  return fmt::format("layers/{}/{}", layer, path == "." ? std::string() : path);
}

/// The lines of a long command, broken behind "&&" and where it was broken when it was written: other builders join
/// lines as they are, so the command stays the same.
std::string broken(const std::string& command) {
  constexpr std::size_t k_long = 100;
  constexpr std::string_view k_indent = "    ";
  if (command.size() <= k_long) {
    return command;
  }
  std::string result;
  for (std::size_t at = 0; at < command.size(); ++at) {
    const auto rest = std::string_view(command).substr(at);
    const auto next = rest.find_first_not_of(' ');
    const bool is_comment = next == std::string_view::npos || rest[next] == '#'; // such a line would be left out
    const bool is_indented = at > 0 && command[at - 1] == ' ' && rest.starts_with(k_indent) && next == k_indent.size();
    const bool follows_and = next == 0 && std::string_view(command).substr(0, at).ends_with(" && ");
    result += !is_comment && (is_indented || follows_and) ? "\\\n" : "";
    result += command[at];
  }
  return result;
}

bool fits_shell_form(const std::vector<std::string>& argv) {
  if (argv.size() != 3 || argv[0] != "/bin/sh" || argv[1] != "-c" || argv[2].empty()) {
    return false;
  }
  const auto& text = argv[2];
  const bool starts_plain = std::string_view("[-<#\\ \t").find(text.front()) == std::string_view::npos;
  return starts_plain && text.back() != '\\' && text.find('\n') == std::string::npos &&
         text.find("<<") == std::string::npos;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

} // namespace

std::string json_words(const std::vector<std::string>& words) {
  return nlohmann::json(words).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::string> pair_text(const std::string& name, const std::string& value) {
  if (value.find('\n') != std::string::npos) {
    return Error(ErrorCode::unsupported,
                 fmt::format("the value of '{}' has a line break, which no Dockerfile can say", name));
  }
  std::string quoted;
  for (const char c : value) {
    quoted += c == '"' || c == '\\' || c == '$' ? std::string("\\") + c : std::string(1, c);
  }
  return fmt::format("{}=\"{}\"", name, quoted);
}

std::string user_text(const std::string& user) {
  return fmt::format("USER {}\n", user.empty() ? "root" : literal(user));
}

std::string directory_text(const std::string& directory) {
  return fmt::format("WORKDIR {}\n", directory.empty() ? "/" : literal(directory));
}

std::string run_text(const std::vector<std::string>& argv, const std::string& options) {
  return fmt::format("RUN {}{}\n", options, fits_shell_form(argv) ? broken(argv[2]) : json_words(argv));
}

Error EquivalentStage::unsupported(const Step& step, const std::string& what) const {
  return Error(ErrorCode::unsupported,
               fmt::format("layer '{}', line {}: {} cannot be said for every builder", m_plan.name, step.line, what))
      .with_hint("write it another way, or build the image with 'sheaf build'");
}

Result<std::string> EquivalentStage::instructions() {
  keep_files();
  for (const auto& step : m_plan.steps) {
    SHEAF_TRY(add(step));
  }
  for (const auto& [name, value] : m_plan.config.environment) {
    SHEAF_TRY(set_variable(name, value));
  }
  for (const auto& [name, value] : m_plan.config.labels) {
    SHEAF_TRY_ASSIGN(const auto pair, pair_text(name, value));
    m_text += fmt::format("LABEL {}\n", pair);
  }
  return m_text;
}

void EquivalentStage::keep_files() {
  for (const auto& [path, content] : m_plan.files) {
    if (std::ranges::any_of(m_plan.steps, [&path = path](const Step& step) { return reads_file(step, path); })) {
      m_files[fmt::format("layers/{}/{}", m_plan.name, path)] = content;
    }
  }
}

Result<void> EquivalentStage::add(const Step& step) {
  return std::visit([&](const auto& action) { return this->add(action, step); }, step.action);
}

void EquivalentStage::become(const std::string& user) {
  const auto name = user.empty() ? std::string("root") : user;
  if (m_image.user != name) {
    m_text += user_text(name);
    m_image.user = name;
  }
}

void EquivalentStage::go_to(const std::string& directory) {
  const auto path = directory.empty() ? std::string("/") : directory;
  if (m_image.directory != path) {
    m_text += directory_text(path);
    m_image.directory = path;
  }
}

Result<void> EquivalentStage::set_variable(const std::string& name, const std::string& value) {
  ConfigDelta before;
  before.environment = m_image.environment;
  ConfigDelta change;
  change.environment[name] = value;
  const auto after = compose_environment({&before, &change}).at(name);
  const auto known = m_image.environment.find(name);
  if (known == m_image.environment.end() || known->second != after) {
    SHEAF_TRY_ASSIGN(const auto pair, pair_text(name, after));
    m_text += fmt::format("ENV {}\n", pair);
    m_image.environment[name] = after;
  }
  return {};
}

/// ENV for what stays, ARG for what is the build's alone.
Result<void> EquivalentStage::set_variables(const RunStep& run) {
  for (const auto& [name, value] : run.environment) {
    const auto start = m_start.find(name);
    if ((start != m_start.end() && start->second == value) || std::ranges::count(run.not_in_key, name) > 0) {
      continue;
    }
    m_start.erase(name);
    if (m_plan.config.environment.contains(name)) {
      SHEAF_TRY(set_variable(name, value));
    } else if (const auto known = m_arguments.find(name); known == m_arguments.end() || known->second != value) {
      SHEAF_TRY_ASSIGN(const auto pair, pair_text(name, value));
      m_text += fmt::format("ARG {}\n", pair);
      m_arguments[name] = value;
    }
  }
  return {};
}

Result<std::string> EquivalentStage::mounts_of(const RunStep& run, const Step& step) const {
  std::string options;
  for (const auto& mount : run.mounts) {
    if (const auto* bind = std::get_if<BindMountSource>(&mount.what);
        bind != nullptr && bind->from.kind == Source::Kind::context) {
      options += fmt::format("--mount=type=bind,source=layers/{}{},target={}{} ", m_plan.name, bind->path, mount.target,
                             bind->writable ? ",rw" : "");
    } else if (const auto* cache = std::get_if<CacheMount>(&mount.what);
               cache != nullptr && cache->from.kind == Source::Kind::nothing) {
      options += fmt::format("--mount=type=cache,id={},target={},uid={},gid={},mode={:04o} ", cache->id, mount.target,
                             cache->uid, cache->gid, cache->mode);
    } else if (std::holds_alternative<TmpfsMount>(mount.what)) {
      options += fmt::format("--mount=type=tmpfs,target={} ", mount.target);
    } else {
      return unsupported(step, fmt::format("the mount at '{}'", mount.target));
    }
  }
  return options + (run.network == Network::none ? "--network=none " : "");
}

Result<void> EquivalentStage::add(const RunStep& run, const Step& step) {
  SHEAF_TRY(set_variables(run));
  SHEAF_TRY_ASSIGN(const auto options, mounts_of(run, step));
  if (run.script) {
    return add_script(run, options);
  }
  become(run.user);
  go_to(run.directory);
  m_text +=
      m_image.has_own_shell ? fmt::format("RUN {}{}\n", options, json_words(run.argv)) : run_text(run.argv, options);
  return {};
}

Result<void> EquivalentStage::add_script(const RunStep& run, const std::string& options) {
  const auto name = fmt::format("script-{}", ++m_extra);
  const auto place = fmt::format("{}/{}", k_place, name);
  m_files[fmt::format("layers/{}/.sheaf/{}", m_plan.name, name)] = *run.script;
  m_text += fmt::format("COPY layers/{}/.sheaf/{} {}\n", m_plan.name, name, place);
  become(run.user);
  go_to(run.directory);
  m_text += run_text({place}, options);
  become("");
  m_text += fmt::format("RUN rm -r {}\n", k_place);
  return {};
}

Result<void> EquivalentStage::add(const CopyStep& copy, const Step& step) {
  if (copy.parents || !copy.excludes.empty() || copy.from.kind != Source::Kind::context) {
    return unsupported(step, copy.parents ? "COPY --parents" : "COPY --exclude");
  }
  std::vector<std::string> words;
  for (const auto& source : copy.sources) {
    if (const auto* path = std::get_if<PathSource>(&source)) {
      words.push_back(literal(pattern_in(m_plan.name, path->path)));
    } else if (const auto* text = std::get_if<InlineSource>(&source)) {
      const auto file = fmt::format("layers/{}/.sheaf/{}/{}", m_plan.name, ++m_extra, text->name);
      m_files[file] = text->content;
      words.push_back(literal(file));
    } else if (const auto* http = std::get_if<HttpSource>(&source)) {
      SHEAF_TRY(add_download(copy, *http));
    } else {
      SHEAF_TRY(add_repository(copy, std::get<GitSource>(source)));
    }
  }
  if (words.empty()) {
    return {};
  }
  if (copy.unpack == Unpack::always) {
    return unsupported(step, "ADD --unpack of a file");
  }
  words.push_back(literal(copy.destination));
  std::string flags = copy.owner.empty() ? "" : fmt::format("--chown={} ", copy.owner);
  flags += copy.mode.empty() ? "" : fmt::format("--chmod={} ", copy.mode);
  const bool is_plain = std::ranges::all_of(
      words, [](const std::string& word) { return word.find_first_of(" \t\"'[") == std::string::npos; });
  m_text += fmt::format("{} {}{}\n", copy.unpack == Unpack::local_archives ? "ADD" : "COPY", flags,
                        is_plain ? joined(words, " ") : json_words(words));
  return {};
}

/// A command that moves `from` to where `copy` says, as root.
void EquivalentStage::place(const CopyStep& copy, const std::string& from, const std::string& name,
                            const std::string& mode) {
  const bool is_folder = copy.destination.ends_with('/');
  const auto target = is_folder ? copy.destination + name : copy.destination;
  m_text += fmt::format("    mkdir -p {0} && chown {1} {2} && chmod {3} {2} && mv {2} {4} && rm -r {5}\n",
                        shell_word(directory_of(target)), copy.owner.empty() ? "0:0" : shell_word(copy.owner),
                        shell_word(from), shell_word(mode), shell_word(target), k_place);
}

Result<void> EquivalentStage::add_download(const CopyStep& copy, const HttpSource& source) {
  const auto name = file_name_of(source.url);
  const auto file = fmt::format("{}/{}", k_place, name.empty() ? "file" : name);
  constexpr std::string_view k_algorithm = "sha256:";
  m_text += fmt::format("ADD {}\n", json_words({literal(source.url), literal(file)}));
  become("");
  m_text += fmt::format("RUN echo {} | sha256sum -c - && \\\n",
                        shell_word(fmt::format("{}  {}", source.checksum.substr(k_algorithm.size()), file)));
  if (copy.unpack != Unpack::always) {
    place(copy, file, name, copy.mode.empty() ? "0600" : copy.mode);
    return {};
  }
  const auto target = shell_word(copy.destination);
  m_text +=
      fmt::format("    mkdir -p {0} && tar -xf {1} -C {0}{2} && rm -r {3}\n", target, shell_word(file),
                  copy.owner.empty() ? "" : fmt::format(" && chown -R {} {}", shell_word(copy.owner), target), k_place);
  return {};
}

Result<void> EquivalentStage::add_repository(const CopyStep& copy, const GitSource& source) {
  const auto commit = source.checksum.empty() ? source.ref : source.checksum;
  const auto folder = source.folder.empty() ? std::string() : "/" + source.folder;
  const auto target = shell_word(copy.destination);
  become("");
  m_text += fmt::format(
      "RUN git init -q {0} && git -C {0} fetch -q --depth 1 {1} {2} && \\\n"
      "    git -C {0} checkout -q FETCH_HEAD && git -C {0} submodule -q update --init --recursive && \\\n"
      "    {3}chown -R {4} {0} && mkdir -p {5} && cp -a {6}/. {5} && rm -rf {0}\n",
      k_place, shell_word(source.url), shell_word(commit),
      source.keep_git_directory ? "" : fmt::format("rm -rf {}/.git && ", k_place),
      copy.owner.empty() ? "0:0" : shell_word(copy.owner), target, shell_word(std::string(k_place) + folder));
  return {};
}

Result<void> EquivalentStage::add(const MakeDirectoryStep& make, const Step& /*step*/) {
  become(make.user);
  go_to(make.path);
  return {};
}

/// What other builders keep anyway.
Result<void> EquivalentStage::add(const SnapshotStep& snapshot, const Step& /*step*/) {
  m_text += fmt::format("# SNAPSHOT {}\n", snapshot.path);
  return {};
}

} // namespace sheaf::plan
