// SPDX-License-Identifier: Apache-2.0
// The words of --cache-from and --cache-to.
#include "app/attributes.hpp"
#include "app/image_output.hpp"
#include "app/step_caches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sheaf::app {
namespace {

using Kind = StepCachePlace::Kind;
enum class Direction { from, to };

constexpr std::string_view k_hint = "type=registry,ref=HOST/REPOSITORY:TAG or type=local,src=DIRECTORY (--cache-to: "
                                    "dest=DIRECTORY, type=inline, mode=min|max)";

/// Said by BuildKit for its own forms; ours has one.
constexpr std::array<std::string_view, 5> k_without_effect = {"oci-mediatypes", "image-manifest", "force-compression",
                                                              "compression-level", "name"};

std::string option_of(Direction direction) { return direction == Direction::from ? "--cache-from" : "--cache-to"; }

Error bad(Direction direction, std::string_view what) {
  return Error(ErrorCode::invalid, fmt::format("'{}': {}", option_of(direction), what)).with_hint(std::string(k_hint));
}

Result<void> check_name(Direction direction, const std::string& name) {
  const auto reference = oci::Reference::parse(name);
  if (!reference) {
    return bad(direction, fmt::format("'{}' is no name of an image: {}", name, reference.error().message()));
  }
  if (reference->digest && direction == Direction::to) {
    return bad(direction, fmt::format("'{}' has a digest, which only the cache itself decides", name));
  }
  return {};
}

Result<Kind> kind_of(Direction direction, const std::string& type) {
  if (type == "registry") {
    return Kind::registry;
  }
  if (type == "local") {
    return Kind::directory;
  }
  if (type == "inline" && direction == Direction::to) {
    return Kind::beside;
  }
  if (type == "inline") {
    return bad(direction, "what type=inline put beside an image is read with type=registry,ref=IMAGE");
  }
  return Error(ErrorCode::unsupported,
               fmt::format("'{}': caches of type '{}' are not known here; registry, local and inline are",
                           option_of(direction), type))
      .with_hint(std::string(k_hint));
}

Result<bool> truth(Direction direction, const std::string& name, const std::string& value) {
  if (value != "true" && value != "false") {
    return bad(direction, fmt::format("'{}={}' is neither true nor false", name, value));
  }
  return value == "true";
}

/// What only makes sense for what is written.
Result<bool> take_of_target(const std::string& name, const std::string& value, StepCachePlace& place) {
  if (name == "mode") {
    if (value != "min" && value != "max") {
      return bad(Direction::to, fmt::format("'mode={}' is neither min nor max", value));
    }
    place.all_stages = value == "max";
  } else if (name == "ignore-error") {
    SHEAF_TRY_ASSIGN(place.may_fail, truth(Direction::to, name, value));
  } else if (name == "compression") {
    SHEAF_TRY_ASSIGN(place.compression, parse_compression(value));
  } else {
    return std::ranges::find(k_without_effect, name) != k_without_effect.end();
  }
  return true;
}

Result<void> take(Direction direction, const std::string& name, const std::string& value, StepCachePlace& place) {
  const std::string_view folder = direction == Direction::from ? "src" : "dest";
  const bool is_registry = place.kind == Kind::registry;
  const bool is_directory = place.kind == Kind::directory;
  if ((name == "ref" && is_registry) || (name == folder && is_directory)) {
    place.place = value;
  } else if (is_directory && (name == "tag" || (name == "digest" && direction == Direction::from))) {
    place.tag = value;
  } else {
    const auto taken = direction == Direction::to ? take_of_target(name, value, place) : Result<bool>(false);
    SHEAF_TRY(taken);
    if (!*taken) {
      return bad(direction, fmt::format("there is no attribute '{}' for this type", name));
    }
  }
  return {};
}

Result<StepCachePlace> place_of(Direction direction, const std::vector<Attribute>& attributes) {
  const auto type = std::ranges::find(attributes, "type", &Attribute::name);
  StepCachePlace place;
  SHEAF_TRY_ASSIGN(place.kind, kind_of(direction, type != attributes.end() ? type->value.value_or("") : "registry"));
  for (const auto& [name, value] : attributes) {
    if (name != "type") {
      SHEAF_TRY(take(direction, name, value.value_or(""), place));
    }
  }
  if (place.kind != Kind::beside && place.place.empty()) {
    return bad(direction, place.kind == Kind::registry   ? "a cache in a registry needs 'ref='"
                          : direction == Direction::from ? "a cache in a directory needs 'src='"
                                                         : "a cache in a directory needs 'dest='");
  }
  if (place.kind == Kind::registry) {
    SHEAF_TRY(check_name(direction, place.place));
  }
  return place;
}

Result<std::vector<StepCachePlace>> parse(Direction direction, std::string_view text) {
  SHEAF_TRY_ASSIGN(const auto attributes, parse_attributes(text));
  std::vector<StepCachePlace> places;
  if (!attributes.empty() && std::ranges::none_of(attributes, [](const auto& one) { return one.value.has_value(); })) {
    for (const auto& name : attributes) { // names alone, as docker has it
      SHEAF_TRY(check_name(direction, name.name));
      places.push_back({Kind::registry, name.name});
    }
    return places;
  }
  SHEAF_TRY_ASSIGN(auto place, place_of(direction, attributes));
  places.push_back(std::move(place));
  return places;
}

} // namespace

std::string StepCachePlace::name() const { return kind == Kind::beside ? "inline" : place; }

Result<std::vector<StepCachePlace>> parse_cache_from(std::string_view text) { return parse(Direction::from, text); }

Result<std::vector<StepCachePlace>> parse_cache_to(std::string_view text) { return parse(Direction::to, text); }

} // namespace sheaf::app
