// SPDX-License-Identifier: Apache-2.0
#pragma once

// The trusted certificates of a root: the bundle, the links by name and the links by hash that Debian's
// `update-ca-certificates --fresh` leaves in /etc/ssl/certs, made without running it. Reads the root, writes nothing.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::generate {

/// A certificate file that the root trusts.
struct TrustedFile {
  /// Absolute path in the root, as the link to it says.
  std::string path;
  std::string content;
  /// "NAME.pem": its link in /etc/ssl/certs.
  std::string link_name() const;
};

/// The files that /etc/ca-certificates.conf names, in its order, then those of the local administrator, sorted.
/// A named file that is not there is left out, as the tool does.
Result<std::vector<TrustedFile>> trusted_files(const os::Fd& root);

/// All contents one after another, each ending with a newline.
std::string make_bundle(const std::vector<TrustedFile>& files);

/// "NAME.pem" to the file it links to. Of two files with one name the later one wins.
std::map<std::string, TrustedFile> links_by_name(const std::vector<TrustedFile>& files);

/// "<subject hash>.<n>" to file name, as `openssl rehash` makes for a folder with these files (name to content): only
/// *.pem, *.crt, *.cer and *.crl with exactly one certificate or revocation list. Equal hashes are numbered by name.
std::map<std::string, std::string> links_by_hash(const std::map<std::string, std::string>& files);

/// DER of the first certificate of a PEM or DER file; nothing if there is none.
std::optional<std::string> first_certificate(std::string_view content);

/// What /etc/ssl/certs shall hold besides other people's files.
struct CertificateFolder {
  std::string bundle;
  /// Name to link text.
  std::map<std::string, std::string> links;
  /// The links of this kind that are there now, name to link text; what is not among `links` is stale.
  std::map<std::string, std::string> present;
};
Result<CertificateFolder> make_certificate_folder(const os::Fd& root);

} // namespace sheaf::generate
