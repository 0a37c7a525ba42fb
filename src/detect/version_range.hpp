// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which versions a project's file allows: one notation for what npm (semver ranges), Python (PEP 440), Cargo, Go, asdf
// and jenv write. A version is known up to some part ("3.11" stands for any 3.11.x), and what is not known does not
// speak against it. Pure; used by `resolve/`.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::detect {

/// The numbers of a version, for example {3, 11}.
using VersionNumbers = std::vector<std::uint32_t>;

/// One version without what some tools put in front: "v20.11.0", "go1.22" and "temurin-17.0.6+10" are "20.11.0", "1.22"
/// and "17.0.6". A sign of a pre-release stays ("1.22rc1"). Nothing if `text` is a range or a name.
std::optional<std::string> plain_version(std::string_view text);

class VersionRange {
public:
  /// Nothing if `text` is no range: a name such as "lts/iron", "stable" or "system".
  ///   range      = all { "||" all }         all = { test [","] } | version " - " version
  ///   test       = [ ">=" | ">" | "<=" | "<" | "=" | "==" | "===" | "!=" | "^" | "~" | "~=" ] version
  /// "1.2", "1.2.x" and "1.2.*" stand for all that start so, "*" and "" for all.
  static std::optional<VersionRange> parse(std::string_view text);

  /// May a version that starts with these numbers be one that is allowed?
  bool allows(const VersionNumbers& version) const;
  /// As above; false if `version` is none.
  bool allows(std::string_view version) const;
  /// The least that is allowed by the first alternative, empty if it has no lower end.
  VersionNumbers least() const;

private:
  enum class Op : std::uint8_t { at_least, above, at_most, below, starts_with, is_not, starts_not_with };
  struct Test {
    Op op = Op::starts_with;
    VersionNumbers version;
  };
  using All = std::vector<Test>;
  class Parser;

  static bool holds(const Test& test, const VersionNumbers& version);

  std::vector<All> m_alternatives;
};

/// "3.11"; empty for none.
std::string to_string(const VersionNumbers& version);

/// Do the two ranges surely have no version in common? Told by their least versions; false if one is not understood.
bool disagree(std::string_view first, std::string_view second);

} // namespace sheaf::detect
