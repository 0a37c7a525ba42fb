// SPDX-License-Identifier: Apache-2.0
#include "app/project_layer.hpp"

#include "app/layer_folders.hpp"
#include "base/text.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"
#include "plan/layer_files.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "context/ignore_patterns.hpp"
#include "context/selection.hpp"

namespace sheaf::app {
namespace {

namespace cat = catalogue;

/// The first that is there counts.
constexpr std::array k_ignore_names = {".sheafignore", ".dockerignore"};
/// A snippet may say what any layer may; its own directives would come too late.
constexpr std::string_view k_from = "# sheaf: extensions\nFROM ${BASE_IMAGE}\n";
constexpr std::size_t k_lines_of_from = 2;

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

/// Does the text say itself what it is built on, as the Containerfile of a layer does?
bool has_from(std::string_view text) {
  for (const auto line : split(text, '\n')) {
    const auto words = split(trim(line), ' ');
    const auto first = lower(words.front());
    if (first == "from") {
      return true;
    }
    if (!first.empty() && !first.starts_with('#') && first != "arg") {
      return false;
    }
  }
  return false;
}

class ProjectLayer {
public:
  ProjectLayer(Wanted& wanted, const Project& project, const ProjectFileLimits& limits)
      : m_wanted(wanted), m_project(project), m_limits(limits) {}

  Result<void> add() {
    const auto found = m_project.config.origins.find("snippet");
    m_origin = found != m_project.config.origins.end() ? found->second : "the settings";
    auto layer = std::make_shared<cat::LayerDefinition>();
    layer->name = cat::k_project_layer;
    layer->summary = "what the project adds";
    layer->kind = cat::Kind::project;
    layer->origin = cat::Origin::project;
    layer->folder = m_project.root;
    SHEAF_TRY_ASSIGN(layer->containerfile, text());
    resolve::StackEntry entry{layer.get(), {}, "snippet, " + m_origin};
    for (const auto& below : m_wanted.stack.entries) {
      if (below.layer->kind != cat::Kind::base) {
        entry.needs.push_back(below.layer->name);
      }
    }
    std::ranges::sort(entry.needs);
    m_wanted.stack.entries.push_back(std::move(entry));
    SHEAF_TRY_ASSIGN(layer->files, files().context(fmt::format("reading the files of the snippet ({})", m_origin)));
    m_wanted.own_layer = std::move(layer);
    return {};
  }

private:
  Result<std::shared_ptr<const SourceText>> text() {
    const auto& snippet = *m_project.config.snippet;
    if (snippet.form == cat::Snippet::Form::file) {
      return text_of_file(snippet.text);
    }
    SHEAF_TRY(find_place(snippet.text));
    return std::make_shared<const SourceText>(fmt::format("the snippet of {}", m_origin),
                                              containerfile_of_snippet(snippet.text));
  }

  /// Where the text stands in the settings, if its lines are lines of that file.
  Result<void> find_place(const std::string& text) {
    const auto colon = m_origin.rfind(':');
    const auto line = to_number<std::size_t>(m_origin.substr(colon + 1));
    if (colon == std::string::npos || !line) {
      return {};
    }
    const auto name = m_origin.substr(0, colon);
    SHEAF_TRY_ASSIGN(auto content, os::read_file(name.starts_with('/') ? name : m_project.root + "/" + name));
    auto source = std::make_shared<const SourceText>(name, std::move(content));
    const auto lines = lines_of(text);
    for (const auto first : {*line, *line + 1}) {
      bool is_here = !lines.empty();
      for (std::size_t i = 0; i < lines.size(); ++i) {
        is_here = is_here && source->line(first + i).ends_with(lines[i]);
      }
      if (is_here) {
        m_wanted.own_source = std::move(source);
        m_wanted.own_line = first;
        return {};
      }
    }
    return {};
  }

  Result<std::shared_ptr<const SourceText>> text_of_file(const std::string& file) {
    const bool is_users = !m_origin.starts_with("sheaf.yml");
    const auto folder = is_users ? user_config_folder() : m_project.root;
    m_wanted.own_inputs.push_back(folder + "/" + file);
    const auto doing = fmt::format("reading the snippet '{}' ({})", file, m_origin);
    SHEAF_TRY_ASSIGN(const auto path, os::real_path(folder + "/" + file).context(doing));
    // Whoever writes a project must not be shown, in a message, what else is on the machine.
    if (!is_users && !path.starts_with(m_project.root + "/")) {
      return Error(ErrorCode::denied, fmt::format("'{}' lies outside of the project", path))
          .with_context(std::string(doing));
    }
    SHEAF_TRY_ASSIGN(auto read, read_plain_file(path).context(doing));
    auto content = std::move(read).value_or("");
    auto text = containerfile_of_snippet(content);
    m_wanted.own_source = std::make_shared<const SourceText>(file, std::move(content));
    return std::make_shared<const SourceText>(file, std::move(text));
  }

  /// What the instructions name shows when they are planned; that files are missing does not matter then.
  Result<std::map<std::string, std::string>> files() {
    Diagnostics later;
    const auto plans = plan::plan_layers(m_wanted.stack, m_wanted.args, m_wanted.foundation, later);
    const auto patterns = plan::files_named_by(plans.back().steps);
    if (patterns.empty()) {
      return std::map<std::string, std::string>();
    }
    SHEAF_TRY_ASSIGN(m_root, os::open(m_project.root, O_RDONLY | O_DIRECTORY));
    SHEAF_TRY(read_ignore_file());
    for (const auto& pattern : patterns) {
      SHEAF_TRY(take(pattern));
    }
    return std::move(m_files);
  }

  Result<void> read_ignore_file() {
    for (const auto* name : k_ignore_names) {
      m_wanted.own_inputs.push_back(fmt::format("{}/{}", m_project.root, name));
      SHEAF_TRY_ASSIGN(auto text, read_plain_file(m_wanted.own_inputs.back()));
      if (text) {
        Diagnostics diagnostics;
        m_ignore = context::IgnorePatterns::parse(std::make_shared<SourceText>(name, std::move(*text)), diagnostics);
        return diagnostics.has_errors() ? Result<void>(diagnostics.to_error(fmt::format("reading '{}'", name)))
                                        : Result<void>();
      }
    }
    return {};
  }

  Result<void> take(const std::string& pattern) {
    watch(pattern);
    auto selected = context::select(m_root, {{pattern}, {}, pattern.find("/./") != std::string::npos}, &m_ignore);
    if (!selected && selected.error().code() == ErrorCode::not_found) {
      return {}; // reported where it is written
    }
    SHEAF_TRY(selected);
    for (const auto& source : *selected) {
      for (const auto& entry : source.entries) {
        SHEAF_TRY(take_entry(entry, pattern));
      }
    }
    return {};
  }

  Result<void> take_entry(const context::SelectedEntry& entry, const std::string& pattern) {
    m_wanted.own_inputs.push_back(m_project.root + "/" + entry.source);
    if (entry.type == DT_DIR) {
      return {};
    }
    if (entry.type != DT_REG || !plan::names_file(pattern, entry.source)) {
      return Error(ErrorCode::invalid, fmt::format("'{}' is no plain file, or is reached by a link", entry.source))
          .with_hint("a layer is made of plain files: name what is needed, or leave the rest out in '.sheafignore'");
    }
    if (m_files.contains(entry.source)) {
      return {};
    }
    SHEAF_TRY_ASSIGN(const auto file, os::open_beneath(m_root, entry.source, O_RDONLY | O_NONBLOCK));
    SHEAF_TRY_ASSIGN(const auto status, os::stat_of(file));
    m_bytes += static_cast<std::uint64_t>(status.st_size);
    if (m_bytes > m_limits.bytes || m_files.size() >= m_limits.files) {
      return Error(ErrorCode::invalid, fmt::format("its instructions take more than {} files or {} of the project",
                                                   m_limits.files, human_bytes(m_limits.bytes)))
          .with_hint("name what is needed in COPY, or leave the rest out in '.sheafignore': the project itself is at "
                     "/workspace");
    }
    SHEAF_TRY_ASSIGN(m_files[entry.source], os::read_all(file).context(fmt::format("reading '{}'", entry.source)));
    return {};
  }

  /// The part of a pattern that is a path: what it matches changes with that folder.
  void watch(const std::string& pattern) {
    auto path = pattern.substr(0, pattern.find_first_of("*?["));
    if (path.size() < pattern.size()) {
      path.resize(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
    }
    m_wanted.own_inputs.push_back(m_project.root + "/" + path);
  }

  Wanted& m_wanted;
  const Project& m_project;
  const ProjectFileLimits& m_limits;
  std::string m_origin;
  os::Fd m_root;
  context::IgnorePatterns m_ignore;
  std::map<std::string, std::string> m_files;
  std::uint64_t m_bytes = 0;
};

} // namespace

std::string containerfile_of_snippet(const std::string& snippet) {
  return has_from(snippet) ? snippet : std::string(k_from) + snippet;
}

Diagnostics placed_in(const Diagnostics& diagnostics, const SourceText& inner,
                      const std::shared_ptr<const SourceText>& outer, std::size_t first) {
  const bool is_added = inner.text().starts_with(k_from) && !outer->text().starts_with(k_from);
  const auto place = [&](std::size_t offset) {
    auto position = inner.position(offset);
    const auto text = inner.line(position.line);
    position.line = std::max(position.line + first - (is_added ? k_lines_of_from + 1 : 1), first);
    const auto whole = outer->line(position.line);
    position.column += whole.size() > text.size() && whole.ends_with(text) ? whole.size() - text.size() : 0;
    return outer->offset(position);
  };
  Diagnostics placed;
  for (auto diagnostic : diagnostics.all()) {
    if (diagnostic.source.get() == &inner) {
      diagnostic.span = {place(diagnostic.span.begin), place(diagnostic.span.end)};
      diagnostic.source = outer;
    }
    placed.add(std::move(diagnostic));
  }
  return placed;
}

Diagnostics in_place(const Diagnostics& diagnostics, const Wanted& wanted) {
  const auto* inner = wanted.own_layer != nullptr ? wanted.own_layer->containerfile.get() : nullptr;
  return inner != nullptr && wanted.own_source != nullptr
             ? placed_in(diagnostics, *inner, wanted.own_source, wanted.own_line)
             : diagnostics;
}

Result<void> add_project_layer(Wanted& wanted, const Project& project, const ProjectFileLimits& limits) {
  return project.config.snippet ? ProjectLayer(wanted, project, limits).add() : Result<void>();
}

} // namespace sheaf::app
