// SPDX-License-Identifier: Apache-2.0
#include "app/build_image.hpp"

#include "app/emulation.hpp"
#include "app/image_bases.hpp"
#include "app/lint_file.hpp"
#include "app/network.hpp"
#include "app/shell_on_error.hpp"
#include "base/text.hpp"
#include "containerfile/file.hpp"
#include "containerfile/lint.hpp"
#include "oci/reference.hpp"
#include "os/file.hpp"
#include "plan/squash.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "context/ignore_patterns.hpp"

namespace sheaf::app {
namespace {

constexpr std::string_view k_image_scheme = "docker-image://";

/// Sorts the named contexts into folders and images.
Result<void> take_contexts(const ImageBuild& build, plan::ImageRequest& request, builder::ImageInputs& inputs) {
  for (const auto& [name, from] : build.contexts) {
    if (from.starts_with(k_image_scheme)) {
      request.image_contexts[name] = from.substr(k_image_scheme.size());
    } else if (from.starts_with(k_layout_scheme)) {
      request.image_contexts[name] = from;
    } else {
      SHEAF_TRY_ASSIGN(inputs.named_contexts[name],
                       open_named_context(from).context(fmt::format("reading '--build-context {}'", name)));
      request.folder_contexts.insert(name);
    }
  }
  return {};
}

Result<std::string> read_secret(const Lent& secret) {
  const auto doing = fmt::format("reading secret '{}'", secret.id);
  if (secret.path.empty()) {
    const auto value = os::environment(secret.variable);
    if (!value) {
      return Error(ErrorCode::not_found, fmt::format("the variable '{}' is not set", secret.variable))
          .with_context(std::string(doing));
    }
    return *value;
  }
  return os::read_file(secret.path).context(doing);
}

Result<void> lend(const ImageBuild& build, builder::ImageInputs& inputs) {
  for (const auto& secret : build.secrets) {
    if (!secret.path.empty() && !os::exists(secret.path)) { // also if no step asks for it, as docker has it
      return Error(ErrorCode::not_found, fmt::format("there is no file '{}' for secret '{}'", secret.path, secret.id))
          .with_hint("--secret id=ID,src=FILE or id=ID,env=VARIABLE");
    }
    inputs.secrets[secret.id] = [secret] { return read_secret(secret); };
  }
  for (const auto& agent : build.agents) {
    const auto socket = agent.path.empty() ? os::environment(agent.variable) : std::optional(agent.path);
    if (!socket) {
      return Error(ErrorCode::not_found, fmt::format("there is no ssh agent for '--ssh {}'", agent.id))
          .with_hint("SSH_AUTH_SOCK is not set: start an agent (eval $(ssh-agent); ssh-add), or give --ssh ID=SOCKET");
    }
    SHEAF_TRY_ASSIGN(inputs.ssh_agents[agent.id],
                     os::real_path(*socket).context(fmt::format("finding the ssh agent '{}'", agent.id)));
  }
  inputs.hosts = build.hosts;
  inputs.limits = build.limits;
  inputs.shared_memory = build.shared_memory;
  return {};
}

/// Of the build argument, else of our own environment, as buildx passes it on.
Result<std::optional<std::int64_t>> epoch_of(const plan::ImageRequest& request) {
  constexpr auto k_name = "SOURCE_DATE_EPOCH";
  const auto given = request.build_args.find(k_name);
  const auto text = given != request.build_args.end() ? given->second : os::environment(k_name);
  if (!text || text->empty()) {
    return std::optional<std::int64_t>();
  }
  const auto epoch = to_number<std::int64_t>(*text);
  if (!epoch || *epoch < 0) {
    return Error(ErrorCode::invalid, fmt::format("{} is '{}', which is no number of seconds", k_name, *text));
  }
  return epoch;
}

/// Emits the warnings. An error carries all mistakes of the file.
Result<std::size_t> settle(const Diagnostics& diagnostics, const std::string& file, EventSink& events) {
  std::size_t warnings = 0;
  for (const auto& one : diagnostics.all()) {
    if (one.severity == Severity::warning) {
      auto text = render(one);
      const std::string_view word = "warning: "; // the event says it as well
      if (const auto at = text.find(word); at != std::string::npos) {
        text.erase(at, word.size());
      }
      events.emit({EventKind::warning, "", std::move(text)});
      ++warnings;
    }
  }
  if (diagnostics.has_errors()) {
    return diagnostics.to_error(fmt::format("reading '{}'", file));
  }
  return warnings;
}

Result<std::vector<oci::Reference>> references(const std::vector<std::string>& tags) {
  std::vector<oci::Reference> result;
  for (const auto& tag : tags) {
    SHEAF_TRY_ASSIGN(auto reference, oci::Reference::parse(tag).context(fmt::format("reading '--tag {}'", tag)));
    if (reference.digest) {
      return Error(ErrorCode::invalid,
                   fmt::format("'--tag {}' has a digest, which only the image itself decides", tag));
    }
    result.push_back(std::move(reference));
  }
  return result;
}

/// Adds the images that the file names, and those of stages that only ONBUILD of another image needs.
Result<std::map<std::string, oci::Image>> find_bases(const containerfile::File& file, const std::string& file_name,
                                                     const plan::ImageRequest& request, Pull pull,
                                                     builder::ImageInputs& inputs, const Session& session) {
  std::map<std::string, oci::Image> images;
  for (;;) {
    Diagnostics diagnostics;
    auto names = plan::images_of(file, request, images, diagnostics);
    if (diagnostics.has_errors()) {
      return diagnostics.to_error(fmt::format("reading '{}'", file_name));
    }
    std::erase_if(names, [&](const auto& name) { return images.contains(name); });
    if (names.empty()) {
      return images;
    }
    SHEAF_TRY_ASSIGN(auto found, find_images(names, pull, session));
    for (const auto& [name, record] : found) {
      images.emplace(name, record.image);
    }
    inputs.images.merge(found);
  }
}

/// One image for each platform, in order, and what their steps gave.
struct Built {
  std::vector<store::ImageRecord> images;
  builder::BuiltImage all;
};

void add(builder::BuiltImage one, builder::BuiltImage& all) {
  all.steps_run += one.steps_run;
  all.steps_reused += one.steps_reused;
  all.steps_borrowed = one.steps_borrowed + all.steps_borrowed;
  all.steps.insert(all.steps.end(), one.steps.begin(), one.steps.end());
  all.record.trees.insert(all.record.trees.end(), one.record.trees.begin(), one.record.trees.end());
  all.selections.merge(one.selections);
}

Result<builder::BuiltImage> build_for(const ImageBuild& build, const BuildContext& context, StepCaches& caches,
                                      const Session& session) {
  SHEAF_TRY_ASSIGN(auto planned, plan_image_build(build, context, session));
  const auto runtime = sandbox::native_runtime();
  if (build.on_failure == OnFailure::shell) {
    planned.inputs.on_failure = [&](const sandbox::SandboxSpec& spec) {
      open_shell(spec, session.store, *runtime, session.events, session.stop);
    };
  }
  planned.inputs.runs_here = runs_here;
  planned.inputs.step_cache = caches.functions();
  return builder::build_image(planned.plan, planned.inputs, session.store, *runtime, session.events, session.stop);
}

Result<Built> build_all(const ImageBuild& build, const BuildContext& context, StepCaches& caches,
                        const Session& session) {
  Built built;
  auto one = build;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, build.platforms.size()); ++i) {
    if (i < build.platforms.size()) {
      one.request.platform = build.platforms[i];
    }
    const auto name = one.request.platform ? one.request.platform->to_string() : std::string();
    if (build.platforms.size() > 1) {
      session.events.emit({EventKind::note, "platform", name});
    }
    auto image = build_for(one, context, caches, session);
    if (!image) {
      return build.platforms.size() > 1 ? std::move(image).context("building for " + name).error()
                                        : std::move(image).error();
    }
    auto record = image->record;
    for (const auto& [key, value] : build.annotations) {
      record.annotations[key] = value;
    }
    built.images.push_back(std::move(record));
    add(std::move(*image), built.all);
  }
  return built;
}

/// What the names stand for in the store.
const store::ImageRecord& image_for_here(const std::vector<store::ImageRecord>& images) {
  const auto native = plan::native_platform();
  const auto found =
      std::ranges::find_if(images, [&](const auto& image) { return image.image.architecture == native.architecture; });
  return found != images.end() ? *found : images.front();
}

} // namespace

Result<PlannedImage> plan_image_build(const ImageBuild& build, const BuildContext& context, const Session& session) {
  PlannedImage planned;
  auto request = build.request;
  SHEAF_TRY(take_contexts(build, request, planned.inputs));
  planned.inputs.context = context.folder;
  const auto& source = context.containerfile;
  Diagnostics diagnostics;
  const auto file = containerfile::parse(source, diagnostics);
  if (!file) {
    return diagnostics.to_error(fmt::format("reading '{}'", source->name()));
  }
  SHEAF_TRY_ASSIGN(const auto images, find_bases(*file, source->name(), request, build.pull, planned.inputs, session));
  lint_file(*file, request, context, images, diagnostics);
  auto plan = plan::plan_image(*file, request, images, diagnostics);
  SHEAF_TRY_ASSIGN(planned.warnings, settle(diagnostics, source->name(), session.events));
  planned.plan = std::move(*plan);
  if (build.squash) {
    plan::squash(planned.plan);
  }
  // ONBUILD of a base may read images that the file does not name.
  SHEAF_TRY_ASSIGN(auto more, find_images(plan::images_of(planned.plan), build.pull, session));
  planned.inputs.images.merge(more);
  SHEAF_TRY(lend(build, planned.inputs));
  planned.inputs.downloads = downloads();
  SHEAF_TRY_ASSIGN(planned.inputs.epoch, epoch_of(request));
  planned.inputs.jobs = session.jobs;
  return planned;
}

Result<ImageBuilt> build_image(const ImageBuild& build, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto tags, references(build.tags));
  for (const auto& output : build.outputs) {
    SHEAF_TRY(check_output(output, build.platforms.size()));
  }
  SHEAF_TRY_ASSIGN(const auto context, open_context(build.where, session.store, session.stop));
  SHEAF_TRY_ASSIGN(auto caches, StepCaches::open(build.cache_from, session));
  SHEAF_TRY_ASSIGN(const auto built, build_all(build, context, caches, session));
  const auto& all = built.all;
  ImageBuilt result{{}, image_for_here(built.images), {}, all.steps_run, all.steps_reused, all.steps_borrowed};
  for (const auto& image : built.images) {
    SHEAF_TRY(session.store.save_image(image));
  }
  result.id = store::image_id(result.record);
  for (const auto& tag : tags) {
    SHEAF_TRY(session.store.tag(tag, result.id));
    result.tags.push_back(tag.familiar());
  }
  std::vector<PushedImage> pushed;
  for (const auto& output : build.outputs) {
    SHEAF_TRY_ASSIGN(auto written, write_output(output, built.images, tags, session));
    if (written) {
      pushed.insert(pushed.end(), written->pushed.begin(), written->pushed.end());
      result.written = std::move(written);
    }
  }
  SHEAF_TRY(write_step_caches(build.cache_to, all, pushed, caches, session));
  return result;
}

} // namespace sheaf::app
