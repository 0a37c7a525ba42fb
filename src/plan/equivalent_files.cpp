// SPDX-License-Identifier: Apache-2.0
#include "plan/equivalent_files.hpp"

#include "base/text.hpp"
#include "plan/equivalent_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sheaf::plan {
namespace {

constexpr std::array k_file_names = {"L0.Dockerfile", "L1.cli.Dockerfile", "L2.Dockerfile"};
constexpr std::array k_titles = {"the base", "toolchains, tools and agents", "the project"};

/// Which of the three files a layer belongs to.
std::size_t level_of(const LayerPlan& plan) { return plan.kind == "base" ? 0 : plan.kind == "project" ? 2 : 1; }

bool uses_apt(const LayerPlan& plan) {
  return plan.bootstrap || std::ranges::any_of(plan.steps, [](const Step& step) {
           const auto* run = std::get_if<RunStep>(&step.action);
           return run != nullptr && std::ranges::any_of(run->argv, [](const std::string& word) {
                    return word.find("apt-get ") != std::string::npos || word.find("apt ") != std::string::npos;
                  });
         });
}

class EquivalentFiles {
public:
  EquivalentFiles(const std::vector<LayerPlan>& plans, const EquivalentNames& names,
                  const std::map<std::string, std::string>& environment)
      : m_plans(plans), m_bases{names.base, names.agents_base, names.project_base}, m_environment(environment) {}

  Result<std::map<std::string, std::string>> run() {
    for (std::size_t level = 0; level < k_file_names.size(); ++level) {
      SHEAF_TRY_ASSIGN(m_files[k_file_names.at(level)], file(level));
    }
    return std::move(m_files);
  }

private:
  Result<std::string> file(std::size_t level) {
    auto text = fmt::format("# {0}: made by 'sheaf generate', which writes it anew. To build it, in this folder:\n"
                            "#   docker build -f {1} --build-arg BASE_IMAGE={2} .\n"
                            "# podman and buildah take the same words.\n"
                            "ARG BASE_IMAGE={2}\n",
                            k_titles.at(level), k_file_names.at(level), m_bases.at(level));
    std::string from = "${BASE_IMAGE}";
    bool has_lists = false;
    for (const auto& plan : m_plans) {
      if (level_of(plan) == level) {
        SHEAF_TRY_ASSIGN(const auto instructions, stage(plan, from, has_lists));
        text += instructions;
        from = "layer-" + plan.name;
      }
      if (level_of(plan) <= level) {
        m_said.push_back(&plan.config);
      }
    }
    text += from.starts_with("$") ? fmt::format("\nFROM {}\n", from) : "\n";
    if (has_lists) {
      text += become_root() + "RUN rm -rf /var/lib/apt/lists/*\n";
    }
    SHEAF_TRY_ASSIGN(const auto end, ending(level));
    m_said.clear();
    return text + end;
  }

  Result<std::string> stage(const LayerPlan& plan, const std::string& from, bool& has_lists) {
    if (plan.kind == "base") {
      begin_with(plan);
    }
    auto text =
        fmt::format("\n# {} '{}': {}\nFROM {} AS layer-{}\n", plan.kind, plan.name, plan.reason, from, plan.name);
    if (uses_apt(plan)) {
      text += "ARG DEBIAN_FRONTEND=noninteractive\n";
      text += has_lists ? "" : become_root() + sources_of(plan) + "RUN apt-get update\n";
      has_lists = true;
    }
    if (plan.bootstrap && !plan.bootstrap->packages.empty()) {
      text += fmt::format("RUN apt-get install -y --no-install-recommends {}\n", joined(plan.bootstrap->packages, " "));
    }
    EquivalentStage stage(plan, start_of(plan), m_image, m_files);
    SHEAF_TRY_ASSIGN(const auto instructions, stage.instructions());
    return text + instructions;
  }

  /// A plain Debian has 'main' alone.
  static std::string sources_of(const LayerPlan& plan) {
    const bool is_plain = !plan.bootstrap || plan.bootstrap->components.empty() ||
                          plan.bootstrap->components == std::vector<std::string>{"main"};
    return is_plain
               ? ""
               : fmt::format("RUN echo 'deb {} {} {}' > /etc/apt/sources.list.d/sheaf.list\n",
                             plan.bootstrap->mirror.empty() ? "http://deb.debian.org/debian" : plan.bootstrap->mirror,
                             plan.bootstrap->suite, joined(plan.bootstrap->components, " "));
  }

  /// What is known of the image that a base starts from: whoever builds chooses which Debian a bootstrap becomes.
  void begin_with(const LayerPlan& base) {
    if (base.image) {
      const auto& config = base.image->config;
      m_image.user = config.user.empty() ? "root" : config.user;
      m_image.directory = config.directory.empty() ? "/" : config.directory;
    } else if (!base.bootstrap) {
      m_image.user = "root";
      m_image.directory = "/";
    }
  }

  std::map<std::string, std::string> start_of(const LayerPlan& plan) {
    if (plan.image) {
      std::map<std::string, std::string> variables = {{"PATH", k_default_path}};
      for (const auto& [name, value] : plan.image->config.environment) {
        variables[name] = value;
      }
      m_image.environment = variables;
      return variables;
    }
    std::vector<const ConfigDelta*> below;
    for (const auto& other : m_plans) {
      if (std::ranges::count(plan.closure, other.name) > 0) {
        below.push_back(&other.config);
      }
    }
    auto variables = compose_environment(below);
    if (plan.kind == "base") {
      m_image.environment = variables;
    }
    return variables;
  }

  std::string become_root() {
    const bool is_root = m_image.user == "root";
    m_image.user = "root";
    return is_root ? "" : user_text("root");
  }

  /// How the image starts: what the layers so far say of it, and for the last file what the project adds.
  Result<std::string> ending(std::size_t level) {
    const auto config = compose_config(m_said);
    const bool is_last = level + 1 == k_file_names.size();
    std::string text;
    for (const auto& [name, value] : is_last ? m_environment : std::map<std::string, std::string>()) {
      SHEAF_TRY_ASSIGN(const auto pair, pair_text(name, value));
      text += fmt::format("ENV {}\n", pair);
    }
    text += user_text(config.user) + directory_text(is_last ? "/workspace" : config.directory);
    m_image.user = config.user.empty() ? "root" : config.user;
    m_image.directory = config.directory.empty() ? "/" : config.directory;
    m_image.has_own_shell = !config.shell.empty();
    text += config.shell.empty() ? "" : fmt::format("SHELL {}\n", json_words(config.shell));
    if (level != 1) {
      text += fmt::format("ENTRYPOINT {}\n", json_words(config.entrypoint));
      text += config.command.empty() ? "" : fmt::format("CMD {}\n", json_words(config.command));
    }
    return text;
  }

  const std::vector<LayerPlan>& m_plans;
  std::array<std::string, 3> m_bases;
  const std::map<std::string, std::string>& m_environment;
  std::map<std::string, std::string> m_files;
  ImageSoFar m_image;
  std::vector<const ConfigDelta*> m_said;
};

} // namespace

Result<std::map<std::string, std::string>> equivalent_files(const std::vector<LayerPlan>& plans,
                                                            const EquivalentNames& names,
                                                            const std::map<std::string, std::string>& environment) {
  return EquivalentFiles(plans, names, environment).run();
}

} // namespace sheaf::plan
