// SPDX-License-Identifier: Apache-2.0
#include "app/stack_image.hpp"

#include "base/text.hpp"
#include "os/file.hpp"
#include "plan/image_names.hpp"
#include "plan/platform.hpp"
#include "workspace/workspace.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::app {
namespace {

/// "layers/<hex>" of "<root>/layers/<hex>/tree".
Result<store::TreeRef> tree_of(const std::string& lower, const std::string& store_root) {
  constexpr std::string_view k_end = "/tree";
  const auto begin = store_root + "/";
  const auto hex = lower.size() > k_end.size() ? lower.substr(0, lower.size() - k_end.size()) : std::string();
  const auto digest = Digest::parse("sha256:" + hex.substr(std::min(hex.size(), hex.rfind('/') + 1)));
  if (!lower.starts_with(begin) || !lower.ends_with(k_end) || !digest) {
    return Error(ErrorCode::internal, fmt::format("'{}' is no tree of the store '{}'", lower, store_root));
  }
  return store::TreeRef{hex.substr(begin.size()), *digest};
}

std::string describe(const store::TreeRef& tree, const Environment& environment) {
  const auto is_it = [&tree](const StackLine& line) { return line.content_key == tree.content.to_string(); };
  const auto line = std::ranges::find_if(environment.stack, is_it);
  return line != environment.stack.end() ? fmt::format("sheaf layer {} ({})", line->name, line->kind)
                                         : fmt::format("sheaf join of {} layers", environment.stack.size());
}

std::vector<std::string> names_of(const Environment& environment, std::string_view kind) {
  std::vector<std::string> names;
  for (const auto& line : environment.stack) {
    if (kind.empty() || line.kind == kind) {
      names.push_back(line.name);
    }
  }
  return names;
}

/// The image that the base is made of, else the layer that it is.
std::string name_of_base(const Environment& environment) {
  const auto bases = names_of(environment, "base");
  return environment.base_image.empty() && !bases.empty() ? bases.front() : environment.base_image;
}

Digest identity_of(const Environment& environment) {
  Sha256 hash;
  for (const auto& line : environment.stack) {
    hash.field(line.content_key);
  }
  return hash.finish();
}

oci::ImageConfig config_of(const Environment& environment) {
  const auto& from = environment.config;
  oci::ImageConfig config;
  config.user = from.user;
  config.directory = workspace::k_project_path;
  for (const auto& [name, value] : from.environment) {
    oci::set_variable(config, name, value);
  }
  if (!from.entrypoint.empty()) {
    config.entrypoint = from.entrypoint;
  }
  if (!from.command.empty()) {
    config.command = from.command;
  }
  config.shell = from.shell;
  config.labels = from.labels;
  config.labels[label::k_identity] = identity_of(environment).to_string();
  config.labels[label::k_layers] = joined(names_of(environment, ""), ",");
  config.labels[label::k_agents] = joined(names_of(environment, "agent"), ",");
  return config;
}

std::int64_t created() {
  const auto text = os::environment("SOURCE_DATE_EPOCH");
  return text ? to_number<std::int64_t>(*text).value_or(0) : 0;
}

oci::Image empty_image() {
  const auto platform = plan::native_platform();
  oci::Image image;
  image.os = platform.os;
  image.architecture = platform.architecture;
  image.variant = platform.variant;
  return image;
}

Result<void> name(store::Store& store, const std::string& text, const Digest& id) {
  SHEAF_TRY_ASSIGN(const auto reference, oci::Reference::parse(text));
  return store.tag(reference, id);
}

} // namespace

Result<store::ImageRecord> image_of(const Environment& environment, const std::string& store_root) {
  store::ImageRecord record;
  record.image = empty_image();
  record.image.config = config_of(environment);
  record.created = created();
  for (const auto& lower : environment.lowers) {
    SHEAF_TRY_ASSIGN(auto tree, tree_of(lower, store_root));
    record.image.history.push_back({describe(tree, environment), "", false});
    record.trees.push_back(std::move(tree));
  }
  return record;
}

Result<StackImage> save_stack_image(const Environment& environment, store::Store& store,
                                    const std::optional<std::string>& level) {
  const auto doing = std::string("saving the image of the environment");
  SHEAF_TRY_ASSIGN(const auto record, image_of(environment, store.root()).context(doing));
  StackImage image;
  image.name = level ? plan::level_image_name(environment.project_name, *level)
                     : plan::project_image_name(environment.project_name, names_of(environment, "agent"));
  SHEAF_TRY_ASSIGN(image.id, store.save_image(record));
  SHEAF_TRY(name(store, image.name, image.id).context(doing));
  const auto bases = names_of(environment, "base");
  if (bases.size() == 1 && !record.trees.empty()) {
    store::ImageRecord base;
    base.image = empty_image();
    base.created = record.created;
    base.trees = {record.trees.front()};
    base.image.history = {record.image.history.front()};
    SHEAF_TRY_ASSIGN(const auto id, store.save_image(base).context(doing));
    SHEAF_TRY(name(store, plan::base_image_name(name_of_base(environment)), id).context(doing));
  }
  return image;
}

std::vector<std::string> agents_of(const Environment& environment) { return names_of(environment, "agent"); }

Result<StackImage> save_agents_image(const Environment& environment, store::Store& store) {
  const auto doing = std::string("saving the image of the agents");
  const auto bases = names_of(environment, "base");
  if (bases.size() != 1) {
    return Error(ErrorCode::internal, "an environment has one base").with_context(std::string(doing));
  }
  SHEAF_TRY_ASSIGN(const auto record, image_of(environment, store.root()).context(doing));
  StackImage image;
  image.name = plan::agents_image_name(name_of_base(environment), agents_of(environment));
  SHEAF_TRY_ASSIGN(image.id, store.save_image(record).context(doing));
  SHEAF_TRY(name(store, image.name, image.id).context(doing));
  return image;
}

} // namespace sheaf::app
