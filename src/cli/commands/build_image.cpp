// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/build_image.hpp"

#include "app/build_image.hpp"
#include "base/text.hpp"
#include "cli/image_options.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "os/file.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace sheaf::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// The options that only make sense for a project's layers.
Result<void> refuse_project_options(const Invocation& invocation) {
  for (const auto* option : {"directory", "agents", "layers", "base", "strict"}) {
    if (invocation.has(option)) {
      return Error(ErrorCode::invalid, fmt::format("'--{}' is for a project's layers, not for an image", option))
          .with_hint("'sheaf build' without a context and without -f or -t builds the project's layers");
    }
  }
  return {};
}

nlohmann::json to_json(const oci::Descriptor& descriptor) {
  nlohmann::json json{
      {"mediaType", descriptor.media_type}, {"digest", descriptor.digest.to_string()}, {"size", descriptor.size}};
  if (descriptor.platform) {
    json["platform"] = {{"os", descriptor.platform->os}, {"architecture", descriptor.platform->architecture}};
    if (!descriptor.platform->variant.empty()) {
      json["platform"]["variant"] = descriptor.platform->variant;
    }
  }
  return json;
}

/// With the names that BuildKit uses in its metadata file, so that scripts find them. An image that is only in the
/// store has no manifest: its id stands for it, as in docker's own store.
std::string metadata_of(const app::ImageBuilt& built) {
  nlohmann::json json{{"containerimage.config.digest", built.id.to_string()},
                      {"containerimage.digest", built.id.to_string()},
                      {"image.name", joined(built.tags, ",")},
                      {"sheaf.steps.run", built.steps_run},
                      {"sheaf.steps.reused", built.steps_reused},
                      {"sheaf.steps.from_caches", built.steps_from_caches}};
  if (built.written) {
    json["containerimage.digest"] = built.written->manifest.digest.to_string();
    json["containerimage.descriptor"] = to_json(built.written->manifest);
    json.erase("containerimage.config.digest");
    if (built.written->config) {
      json["containerimage.config.digest"] = built.written->config->digest.to_string();
    }
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// One line for all of them.
void tell_of_options_without_effect(const Invocation& invocation) {
  std::vector<std::string> given;
  for (const auto& option : k_options_without_effect) {
    if (invocation.has(option.name)) {
      given.push_back(fmt::format("--{}", option.name));
    }
  }
  if (!given.empty()) {
    invocation.events->emit(
        {EventKind::note, "options", fmt::format("{} of docker: no effect here", joined(given, ", "))});
  }
}

/// For the caller, who in a user namespace is not who writes it.
Result<void> write_for_caller(const std::string& path, const std::string& text) {
  SHEAF_TRY(os::write_file(path, text));
  return os::give_to_caller(path);
}

Result<int> report(Invocation& invocation, const app::ImageBuilt& built, Clock::time_point start) {
  if (const auto file = invocation.value("iidfile")) {
    SHEAF_TRY(write_for_caller(*file, built.id.to_string()).context("writing the image's id"));
  }
  if (const auto file = invocation.value("metadata-file")) {
    SHEAF_TRY(write_for_caller(*file, metadata_of(built)).context("writing the metadata"));
  }
  const auto took = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  const auto work = built.steps_run == 0 ? std::string("nothing to do")
                                         : fmt::format("{} steps run, {} reused", built.steps_run, built.steps_reused);
  invocation.events->emit(
      {EventKind::note, "build",
       fmt::format("{}{}{}, {} in {}", built.id.to_string().substr(0, 19), built.tags.empty() ? "" : "  ",
                   joined(built.tags, " "), work, human_milliseconds(took))});
  if (invocation.json()) {
    Invocation::print(metadata_of(built));
  } else if (invocation.has("quiet")) {
    Invocation::print(built.id.to_string() + "\n");
  }
  return 0;
}

} // namespace

bool is_image_build(const Invocation& invocation) {
  return !invocation.operands.empty() ||
         std::ranges::any_of(k_image_options, [&](const Option& option) { return invocation.has(option.name); }) ||
         std::ranges::any_of(k_options_without_effect,
                             [&](const Option& option) { return invocation.has(option.name); });
}

Result<int> build_image(Invocation& invocation) {
  const auto start = Clock::now();
  SHEAF_TRY(refuse_project_options(invocation));
  SHEAF_TRY_ASSIGN(const auto build, image_build_of(invocation));
  tell_of_options_without_effect(invocation);
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation, image_jobs()));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const app::Session session{store, *invocation.events, invocation.stop(), jobs};
  if (invocation.has("check") || invocation.has("print")) {
    SHEAF_TRY_ASSIGN(const auto context, app::open_context(build.where, store, invocation.stop()));
    SHEAF_TRY_ASSIGN(const auto planned, app::plan_image_build(build, context, session));
    if (invocation.has("print")) {
      Invocation::print(plan::to_json(planned.plan) + "\n");
    }
    return invocation.has("check") && planned.warnings > 0 ? 1 : 0;
  }
  SHEAF_TRY_ASSIGN(const auto built, app::build_image(build, session));
  return report(invocation, built, start);
}

} // namespace sheaf::cli
