// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the stack of a project stands on: finds the image of its base in the store or fetches it, and reads which family
// of distributions it belongs to (docs/decisions/0017-a-base-may-be-an-image.md).

#include "app/project.hpp"
#include "plan/foundation.hpp"

#include <optional>
#include <string>
#include <vector>

#include "sbom/package.hpp"

namespace sheaf::app {

struct Session;

/// May an image be brought into the store?
enum class Fetch {
  yes,
  no, ///< what is not there is planned as far as that goes; a registry may be asked for a digest
};

/// The layer that the stack's base is: the one that the settings name, or the built-in one, put on the image they name.
std::string base_layer(const Project& project);

/// Finds the image that the settings or the base's FROM name; with `project.pull` its registry is asked what the name
/// stands for now. `not_found`, `denied`, `network`, `corrupt` as pulls have them; `unsupported` for an image that is
/// made for other machines; `invalid` for a name that is none.
Result<plan::Foundation> lay_foundation(const Project& project, const resolve::Stack& stack, const Session& session,
                                        Fetch fetch);

/// One line for people: the image, its digest and its family; empty if the base is no image.
std::string describe(const plan::Foundation& foundation);

/// Files that tell whether the image's name still stands for it, without looking at more.
std::vector<std::string> image_inputs(const plan::Foundation& foundation, const Session& session);

/// The family of a distribution, by its ID and ID_LIKE (os-release(5)); nothing if none is known.
std::optional<catalogue::Family> family_of(const sbom::Distribution& distribution);

} // namespace sheaf::app
