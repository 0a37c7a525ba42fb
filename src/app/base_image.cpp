// SPDX-License-Identifier: Apache-2.0
#include "app/base_image.hpp"

#include "app/image_bases.hpp"
#include "app/pull_image.hpp"
#include "base/text.hpp"
#include "image/image_file.hpp"
#include "image/import.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sbom/packages.hpp"
#include "sbom/tree_stack.hpp"

namespace sheaf::app {
namespace {

using catalogue::Family;

constexpr const char* k_default_base = "base";

std::optional<std::string> origin_of(const Project& project, const std::string& key) {
  const auto found = project.config.origins.find(key);
  return found != project.config.origins.end() ? std::optional(found->second) : std::nullopt;
}

/// Relative names of files are meant from where they are written: the project's folder, or where the user is.
std::string with_whole_path(const std::string& name, const Project& project) {
  const auto path = name.starts_with(k_layout_scheme) ? name.substr(k_layout_scheme.size()) : std::string();
  const bool of_project = origin_of(project, "base").value_or("").starts_with("sheaf.yml");
  return path.empty() || path.starts_with('/') || !of_project
             ? name
             : fmt::format("{}{}/{}", k_layout_scheme, project.root, path);
}

Result<void> check_platform(const std::string& name, const oci::Image& image) {
  const auto native = image::native_platform();
  if (image.architecture.empty() || (image.os == native.os && image.architecture == native.architecture)) {
    return {};
  }
  return Error(ErrorCode::unsupported, fmt::format("the image '{}' is for {}/{}, and this machine is {}/{}", name,
                                                   image.os, image.architecture, native.os, native.architecture))
      .with_hint("name an image that has a variant for this machine");
}

/// What is known of the image before its files are.
plan::BaseImage known_as(const std::string& name, const store::ImageRecord& record) {
  plan::BaseImage image;
  image.name = name;
  image.digest = record.manifest.value_or(store::image_id(record)).to_string();
  image.config = record.image.config;
  image.created = record.created;
  return image;
}

/// The image as the store has it; nothing if it has not, or lost some of its trees.
Result<std::optional<store::ImageRecord>> in_store(const std::string& name, const Session& session) {
  auto record = find_image(name, Pull::never, session);
  if (!record && record.error().code() == ErrorCode::not_found) {
    return std::optional<store::ImageRecord>();
  }
  SHEAF_TRY(record);
  return session.store.trees_of(*record) ? std::optional(std::move(*record)) : std::nullopt;
}

bool is_of_registry(const std::string& name) {
  const auto reference = oci::Reference::parse(name);
  return reference && !name.starts_with(k_layout_scheme) && reference->registry != "localhost";
}

/// Looks without fetching: what the name stands for may be known by its digest alone then.
Result<plan::BaseImage> look(const std::string& name, std::optional<store::ImageRecord>& record, Pull when,
                             const Session& session) {
  SHEAF_TRY_ASSIGN(record, in_store(name, session));
  if (when == Pull::always && is_of_registry(name)) {
    SHEAF_TRY_ASSIGN(const auto digest, digest_in_registry(name, session));
    SHEAF_TRY_ASSIGN(record, find_pulled(digest, std::nullopt, session.store));
    if (!record) {
      plan::BaseImage image;
      image.name = name;
      image.digest = digest.to_string();
      return image;
    }
  }
  plan::BaseImage unknown;
  unknown.name = name;
  return record ? known_as(name, *record) : unknown;
}

Result<store::ImageRecord> pull(const std::string& name, const Session& session) {
  auto pulled = pull_image(name, {}, session);
  if (pulled) {
    return std::move(pulled->record);
  }
  auto error = std::move(pulled).error();
  return error.hint().empty() && error.code() == ErrorCode::not_found
             ? std::move(error).with_hint("the store has no image of this name either: 'sheaf image list' shows all")
             : std::move(error);
}

Result<plan::BaseImage> fetched(const std::string& name, std::optional<store::ImageRecord>& record, Pull when,
                                const Session& session) {
  if (!is_of_registry(name)) {
    SHEAF_TRY_ASSIGN(record, find_image(name, Pull::missing, session));
    return known_as(name, *record);
  }
  if (when != Pull::always) {
    SHEAF_TRY_ASSIGN(record, in_store(name, session)); // not if a part of it was lost
  }
  if (!record) {
    SHEAF_TRY_ASSIGN(record, pull(name, session));
  }
  return known_as(name, *record);
}

/// Adds what only the files of the image tell.
Result<void> add_trees(plan::Foundation& foundation, const store::ImageRecord& record, const Session& session) {
  auto& image = *foundation.image;
  SHEAF_TRY(check_platform(image.name, record.image));
  SHEAF_TRY_ASSIGN(image.trees, session.store.trees_of(record));
  if (image.trees.empty()) {
    return Error(ErrorCode::invalid, "the image has no files to build on");
  }
  if (foundation.family) { // the settings have the last word
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto root, sbom::TreeStack::open(image.trees));
  SHEAF_TRY_ASSIGN(const auto distribution, sbom::distribution_of(root));
  foundation.family = family_of(distribution);
  foundation.family_source = !distribution.title.empty() ? distribution.title
                             : !distribution.id.empty()  ? distribution.id
                                                         : "it has no os-release";
  return {};
}

Result<void> add_image(plan::Foundation& foundation, const std::string& name, Pull when, const Session& session,
                       Fetch fetch) {
  std::optional<store::ImageRecord> record;
  SHEAF_TRY_ASSIGN(foundation.image,
                   fetch == Fetch::yes ? fetched(name, record, when, session) : look(name, record, when, session));
  return record ? add_trees(foundation, *record, session) : Result<void>();
}

/// The image that the settings name.
Result<std::optional<std::string>> chosen_image(const Project& project) {
  const auto& base = project.config.base;
  if (!base || !catalogue::names_image(*base)) {
    return std::optional<std::string>();
  }
  if (auto mistake = catalogue::image_name_mistake(*base)) { // of an option; files were checked when they were read
    return std::move(*mistake).with_context(origin_of(project, "base").value_or("the base"));
  }
  return std::optional(with_whole_path(*base, project));
}

} // namespace

std::string base_layer(const Project& project) {
  const auto& base = project.config.base;
  return base && !catalogue::names_image(*base) ? *base : k_default_base;
}

Result<plan::Foundation> lay_foundation(const Project& project, const resolve::Stack& stack, const Session& session,
                                        Fetch fetch) {
  plan::Foundation foundation;
  const auto& base = *stack.entries.front().layer;
  foundation.family = project.config.family;
  if (foundation.family) {
    foundation.family_source = fmt::format("as {} says", origin_of(project, "family").value_or("'family'"));
  } else if (base.bootstrap) {
    foundation.family = Family::deb;
  }
  SHEAF_TRY_ASSIGN(const auto chosen, chosen_image(project));
  Diagnostics diagnostics;
  const auto name = plan::base_image_name(stack, project.config.args, chosen, project.config.family, diagnostics);
  if (diagnostics.has_errors()) {
    return diagnostics.to_error("reading the Containerfile of the base");
  }
  if (!name) {
    return foundation;
  }
  foundation.family = project.config.family;
  foundation.named_by = chosen ? plan::Foundation::NamedBy::settings : plan::Foundation::NamedBy::layer;
  const auto said = chosen ? origin_of(project, "base").value_or("the settings") : fmt::format("layer '{}'", base.name);
  SHEAF_TRY(add_image(foundation, *name, project.pull ? Pull::always : Pull::missing, session, fetch)
                .context(fmt::format("getting the base '{}' ({})", *name, said)));
  return foundation;
}

std::string describe(const plan::Foundation& foundation) {
  if (!foundation.image) {
    return "";
  }
  const auto& image = *foundation.image;
  const auto family =
      foundation.family ? std::string(catalogue::to_string(*foundation.family)) : std::string("family not known");
  const auto source = foundation.family_source.empty() ? "" : fmt::format(", {}", foundation.family_source);
  return fmt::format("{} is {} ({}{})", image.name, image.digest, family, source);
}

std::vector<std::string> image_inputs(const plan::Foundation& foundation, const Session& session) {
  if (!foundation.image) {
    return {};
  }
  const auto& name = foundation.image->name;
  if (name.starts_with(k_layout_scheme)) {
    const auto path = image::split_place(name.substr(k_layout_scheme.size())).path;
    return {path, path + "/index.json", path + "/manifest.json"};
  }
  const auto reference = oci::Reference::parse(name);
  return reference ? std::vector<std::string>{session.store.tag_file(*reference)} : std::vector<std::string>();
}

std::optional<Family> family_of(const sbom::Distribution& distribution) {
  static constexpr std::array<std::pair<std::string_view, Family>, 18> k_families = {{
      {"debian", Family::deb},
      {"ubuntu", Family::deb},
      {"raspbian", Family::deb},
      {"fedora", Family::rpm},
      {"rhel", Family::rpm},
      {"centos", Family::rpm},
      {"rocky", Family::rpm},
      {"ol", Family::rpm},
      {"almalinux", Family::rpm},
      {"amzn", Family::rpm},
      {"azurelinux", Family::rpm},
      {"mariner", Family::rpm},
      {"suse", Family::rpm},
      {"opensuse", Family::rpm},
      {"sles", Family::rpm},
      {"alpine", Family::apk},
      {"wolfi", Family::apk},
      {"chainguard", Family::apk},
  }};
  const auto words = distribution.id + " " + distribution.like;
  for (const auto word : split(words, ' ')) {
    const auto* found = std::ranges::find(k_families, word, &std::pair<std::string_view, Family>::first);
    if (found != k_families.end()) {
      return found->second;
    }
  }
  return std::nullopt;
}

} // namespace sheaf::app
