// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pinned downloads of a layer as build arguments: a Containerfile says `ARG KUBECTL_URL KUBECTL_SHA256` and fetches
// `--checksum=sha256:${KUBECTL_SHA256} ${KUBECTL_URL}`. Docs: docs/layers.md, "Downloads".

#include "base/diagnostics.hpp"
#include "catalogue/layer_definition.hpp"
#include "containerfile/file.hpp"
#include "plan/stage_setting.hpp"

#include <string>
#include <string_view>

namespace sheaf::plan {

/// NAME_VERSION, NAME_URL and NAME_SHA256 of each download whose file for `architecture` ("amd64") is known, in the
/// version that the argument of `chosen` asks for. A download that `file` declares one of these of, and which has no
/// file or no digest for it, is reported where it is declared ("unknown-download") and gets arguments that plan well.
BuildArguments download_arguments(const catalogue::LayerDefinition& definition, const BuildArguments& chosen,
                                  std::string_view architecture, const containerfile::File& file,
                                  Diagnostics& diagnostics);

} // namespace sheaf::plan
