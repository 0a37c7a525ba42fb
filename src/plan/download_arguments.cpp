// SPDX-License-Identifier: Apache-2.0
#include "plan/download_arguments.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace sheaf::plan {
namespace {

using catalogue::Artefact;
using catalogue::LayerDefinition;

/// Where one of an artefact's arguments is first declared; nothing if none is.
std::optional<Span> declared_at(const containerfile::File& file, const std::string& prefix) {
  const std::array<std::string, 3> names = {prefix + "_URL", prefix + "_SHA256", prefix + "_VERSION"};
  for (const auto& stage : file.stages) {
    for (const auto& instruction : stage.instructions) {
      const auto* arg = std::get_if<containerfile::Arg>(&instruction);
      if (arg != nullptr && std::ranges::find(names, arg->name.text) != names.end()) {
        return arg->name.span;
      }
    }
  }
  return std::nullopt;
}

struct Mistake {
  std::string message;
  std::string hint;
};

std::string versions_of(const Artefact& artefact) {
  std::vector<std::string> versions = {artefact.current.version};
  for (const auto& pin : artefact.others) {
    versions.push_back(pin.version);
  }
  return joined(versions, ", ");
}

/// Why there is no file to download; nothing if there is one.
std::optional<Mistake> mistake_of(const LayerDefinition& definition, const Artefact& artefact,
                                  const catalogue::Pin* pin, const std::string& wanted, std::string_view architecture) {
  const auto what = fmt::format("of '{}', which layer '{}' downloads,", artefact.name, definition.name);
  if (pin == nullptr) {
    return Mistake{fmt::format("{} no version {} is pinned", what, wanted),
                   fmt::format("there are {}; write another one under 'also' of '{}'", versions_of(artefact),
                               definition.downloads.source->name())};
  }
  const std::string arch(architecture);
  if (!artefact.architectures.contains(arch)) {
    return Mistake{fmt::format("{} there is no file for {}", what, architecture),
                   "leave the layer out on this machine"};
  }
  if (!pin->sha256.contains(arch)) {
    return Mistake{
        fmt::format("{} no checksum of version {} for {} is known", what, pin->version, architecture),
        fmt::format("run 'sheaf layer update {}', which takes the one that upstream publishes", definition.name)};
  }
  return std::nullopt;
}

/// What the layer's argument says; empty if nothing does.
std::string wanted_version(const Artefact& artefact, const BuildArguments& chosen) {
  const auto found = chosen.find(catalogue::build_arg_name(artefact.argument));
  return artefact.argument.empty() || found == chosen.end() ? std::string() : found->second;
}

} // namespace

BuildArguments download_arguments(const LayerDefinition& definition, const BuildArguments& chosen,
                                  std::string_view architecture, const containerfile::File& file,
                                  Diagnostics& diagnostics) {
  // Not the digest of any file; a layer whose plan has it is not built, for its absence was reported.
  const std::string no_digest(64, '0');
  BuildArguments arguments;
  for (const auto& artefact : definition.downloads.artefacts) {
    const auto prefix = catalogue::build_arg_name(artefact.name);
    const auto place = declared_at(file, prefix);
    if (!place) {
      continue;
    }
    const auto wanted = wanted_version(artefact, chosen);
    const auto* found = catalogue::find_pin(artefact, wanted);
    if (auto mistake = mistake_of(definition, artefact, found, wanted, architecture)) {
      diagnostics.error(file.source, *place, "unknown-download", std::move(mistake->message), std::move(mistake->hint));
    }
    const auto& pin = found != nullptr ? *found : artefact.current;
    const auto digest = pin.sha256.find(std::string(architecture));
    arguments[prefix + "_VERSION"] = pin.version;
    arguments[prefix + "_URL"] = catalogue::fill_in(artefact.url, artefact, pin.version, architecture);
    arguments[prefix + "_SHA256"] = digest != pin.sha256.end() ? digest->second : no_digest;
  }
  return arguments;
}

} // namespace sheaf::plan
