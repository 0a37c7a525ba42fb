// SPDX-License-Identifier: Apache-2.0
#pragma once

// The name of an image as people write it: "debian:12", "registry.example:5000/team/app@sha256:…". Pure. Grammar and
// defaults: distribution/reference (the "Reference" grammar of the CNCF distribution project), as docker has them.

#include "base/digest.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sheaf::oci {

struct Reference {
  /// Host and maybe port; "docker.io" unless said.
  std::string registry;
  /// Without the registry; "library/debian" for docker.io's "debian".
  std::string repository;
  /// "latest" if neither tag nor digest is given; empty for a digest alone.
  std::string tag;
  std::optional<Digest> digest;

  /// `invalid` names what is wrong; upper case letters, which docker refuses, come with the spelling to use.
  static Result<Reference> parse(std::string_view text);
  /// Everything spelled out: "docker.io/library/debian:12".
  std::string to_string() const;
  /// As short as `parse` allows: "debian:12"; the tag is always there.
  std::string familiar() const;
  bool operator==(const Reference&) const = default;
};

} // namespace sheaf::oci
