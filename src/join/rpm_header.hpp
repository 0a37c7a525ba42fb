// SPDX-License-Identifier: Apache-2.0
#pragma once

// One package of an rpm database: the header blob, as rpm keeps it. Read natively, so that no rpm library is needed.
// Used by the driver of rpm's database; format: docs/formats/rpm-and-apk.md.

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::join {

/// The tags the join needs to know. Source: rpm, include/rpm/rpmtag.h.
enum class RpmTag : std::uint32_t {
  signature_md5 = 261,
  header_sha1 = 269,
  name = 1000,
  version = 1001,
  release = 1002,
  epoch = 1003,
  build_time = 1006,
  install_time = 1008,
  licence = 1014,
  group = 1016,
  architecture = 1022,
  source_package = 1044,
  provides = 1047,
  requires_flags = 1048,
  requires_names = 1049,
  conflicts = 1054,
  triggers = 1066,
  obsoletes = 1090,
  base_names = 1117,
  directory_names = 1118,
  install_transaction = 1128,
  recommends = 5046,
  suggests = 5049,
  supplements = 5052,
  enhances = 5055,
  file_triggers = 5069,
  file_trigger_indexes = 5070,
  transaction_file_triggers = 5079,
  transaction_file_trigger_indexes = 5080,
};

/// A view of a header blob, which must outlive it; every entry is known to lie inside.
class RpmHeader {
public:
  /// `corrupt` with the byte offset if `blob` is no header; `unsupported` for a type of entry that rpm does not have.
  static Result<RpmHeader> parse(std::string_view blob);

  /// The strings of an entry; of a translated one only the first language, as rpm indexes it. Empty without the entry.
  std::vector<std::string_view> strings(RpmTag tag) const;
  /// The 32-bit numbers of an entry; empty without the entry or for another type.
  std::vector<std::uint32_t> numbers(RpmTag tag) const;
  /// The bytes of a binary entry; empty without the entry or for another type.
  std::string_view binary(RpmTag tag) const;
  /// The first string of an entry, empty without one.
  std::string_view string(RpmTag tag) const;

  /// "2.0-1", "3:2.0-1" with an epoch.
  std::string version() const;
  /// "bash.x86_64"; "gpg-pubkey", which has no architecture.
  std::string name_and_architecture() const;

private:
  friend Result<std::string> normalised(std::string_view blob);
  struct Entry {
    std::uint32_t tag = 0;
    std::uint32_t type = 0;
    /// Of the blob.
    std::size_t offset = 0;
    std::uint32_t count = 0;
    /// Of the data; 0 for a type this file has no use for.
    std::size_t size = 0;
  };
  const Entry* find(RpmTag tag) const;

  std::string_view m_blob;
  std::vector<Entry> m_entries;
};

/// The header with what says when it was installed (INSTALLTIME, INSTALLTID) set to the time the package was built:
/// one package, one value, whenever it is installed. Errors as `RpmHeader::parse`.
Result<std::string> normalised(std::string_view blob);

} // namespace sheaf::join
