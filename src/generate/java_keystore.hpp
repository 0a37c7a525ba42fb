// SPDX-License-Identifier: Apache-2.0
#pragma once

// The trust store of Java as Debian's package ca-certificates-java keeps it: format JKS, one entry "debian:NAME.pem"
// per trusted certificate. Pure. Format: docs/formats/java-keystore.md.

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "generate/certificates.hpp"

namespace sheaf::generate {

/// Root-relative path of the store.
inline constexpr std::string_view k_keystore = "etc/ssl/certs/java/cacerts";

struct KeystoreEntry {
  /// Lower case.
  std::string alias;
  /// Kind, alias, date and content, as they lie in the file.
  std::string bytes;
  bool operator==(const KeystoreEntry&) const = default;
};

/// The entries of a JKS file, in its order. `corrupt` if it is none; the password is not needed to read them.
Result<std::vector<KeystoreEntry>> parse_keystore(std::string_view bytes);
/// A JKS file sealed with `password` (ASCII).
std::string print_keystore(const std::vector<KeystoreEntry>& entries, std::string_view password);

/// An entry for a certificate that is trusted since `epoch` (seconds since 1970).
KeystoreEntry trusted_entry(const std::string& alias, std::string_view der, std::int64_t epoch);
/// Is this one of the entries that follow from the trusted files?
bool is_derived(const KeystoreEntry& entry);

/// Do two JKS files hold the same entries, whatever their dates, order and seal? False if one is no such file.
bool same_entries(std::string_view first, std::string_view second);

/// What /etc/default/cacerts says.
struct KeystoreSettings {
  bool updates = true;
  std::string password = "changeit";
};
KeystoreSettings parse_keystore_settings(std::string_view text);

/// The store of all trusted files with a certificate that can be read, sorted by alias, and of the entries of `present`
/// that are somebody's own.
std::string make_keystore(const std::vector<TrustedFile>& files, const std::vector<KeystoreEntry>& present,
                          const KeystoreSettings& settings, std::int64_t epoch);

} // namespace sheaf::generate
