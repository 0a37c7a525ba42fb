// SPDX-License-Identifier: Apache-2.0
#include "plan/foundation.hpp"

#include "base/text.hpp"
#include "containerfile/file.hpp"
#include "oci/reference.hpp"
#include "plan/global_arguments.hpp"
#include "plan/stage_words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::plan {
namespace {

using catalogue::Family;
using catalogue::LayerDefinition;

std::string families_of(const LayerDefinition& definition) {
  std::vector<std::string> names;
  for (const auto& [family, file] : definition.families) {
    names.emplace_back(catalogue::to_string(family));
  }
  return joined(names, ", ");
}

/// "the base 'alpine:3.20'", "the base 'debian-slim'"
std::string name_of_base(const resolve::Stack& stack, const Foundation& foundation) {
  return fmt::format("the base '{}'", foundation.image ? foundation.image->name : stack.entries.front().layer->name);
}

/// Reports what is wrong with the image that a base's FROM names; true if nothing is.
bool is_good(const std::string& name, const LayerDefinition& base, Span span, StageWords& words) {
  if (base.bootstrap) {
    words.error(span, "two-roots",
                fmt::format("'{}' is bootstrapped, so that it cannot be made from '{}' as well", base.name, name),
                "remove 'bootstrap' from its layer.yml, or write 'FROM ${BASE_IMAGE}'");
    return false;
  }
  if (const auto reference = oci::Reference::parse(name); !reference) {
    words.error(span, "bad-image", reference.error().message(), reference.error().hint());
    return false;
  }
  return true;
}

} // namespace

std::shared_ptr<const SourceText> containerfile_of(const LayerDefinition& definition, std::optional<Family> family) {
  const auto variant = definition.families.find(family.value_or(Family::deb));
  const auto file =
      variant != definition.families.end() ? definition.files.find(variant->second) : definition.files.end();
  if (file == definition.files.end()) {
    return definition.containerfile;
  }
  return std::make_shared<SourceText>(definition.folder + "/" + file->first, file->second);
}

BuildArguments build_args(const LayerDefinition& definition, const ArgValues& values) {
  BuildArguments result;
  const auto given = values.find(definition.name);
  for (const auto& [name, arg] : definition.args) {
    const auto found = given != values.end() ? given->second.find(name) : decltype(given->second.end()){};
    if (given != values.end() && found != given->second.end()) {
      result[catalogue::build_arg_name(name)] = found->second;
    } else if (arg.default_value) {
      result[catalogue::build_arg_name(name)] = *arg.default_value;
    }
  }
  return result;
}

std::optional<std::string> base_image_name(const resolve::Stack& stack, const ArgValues& args,
                                           const std::optional<std::string>& chosen, std::optional<Family> family,
                                           Diagnostics& diagnostics) {
  if (chosen) {
    return chosen;
  }
  const auto& base = *stack.entries.front().layer;
  const auto source = containerfile_of(base, family);
  Diagnostics elsewhere; // whoever plans the layer reports them
  const auto file = source ? containerfile::parse(source, elsewhere) : std::nullopt;
  if (!file) {
    return std::nullopt;
  }
  const auto globals = global_arguments(*file, build_args(base, args), native_platform(), {}, elsewhere);
  StageWords words(file->source, file->escape, globals, diagnostics);
  const auto& from = file->stages.front().from.image;
  auto name = words.expand(from);
  if (name.empty() || name == "scratch" || !is_good(name, base, from.span, words)) {
    return std::nullopt;
  }
  return name;
}

bool fits(const LayerDefinition& definition, const Foundation& foundation) {
  if (definition.families.empty()) {
    return true;
  }
  if (!foundation.family) {
    return !foundation.image || !foundation.image->is_here();
  }
  return definition.families.contains(*foundation.family);
}

bool is_plain(const LayerDefinition& base, const Foundation& foundation) {
  return foundation.image && foundation.named_by == Foundation::NamedBy::settings && !fits(base, foundation);
}

void check_family(const resolve::StackEntry& entry, const resolve::Stack& stack, const Foundation& foundation,
                  Diagnostics& diagnostics) {
  const auto& layer = *entry.layer;
  const bool is_plain_base = &entry == &stack.entries.front() && is_plain(layer, foundation);
  if (fits(layer, foundation) || is_plain_base) {
    return;
  }
  const auto from = foundation.family_source.empty() ? "" : fmt::format(" ({})", foundation.family_source);
  const auto base = name_of_base(stack, foundation);
  const auto is = foundation.family ? fmt::format("{} is {}{}", base, catalogue::to_string(*foundation.family), from)
                                    : fmt::format("the family of {} is not known{}", base, from);
  const auto hint = foundation.family ? fmt::format("choose another base, or leave '{}' out (it is there because: {})",
                                                    layer.name, entry.reason)
                                      : std::string("say it in sheaf.yml with 'family: deb', 'rpm' or 'apk'");
  diagnostics.add({Severity::error,
                   "wrong-family",
                   fmt::format("layer '{}' is for {}, but {}", layer.name, families_of(layer), is),
                   nullptr,
                   {},
                   hint});
}

} // namespace sheaf::plan
