// SPDX-License-Identifier: Apache-2.0
#pragma once

// Talks to a registry: manifests and blobs in and out. Source: OCI distribution-spec 1.1; the token and scope documents
// of the distribution project.

#include "base/result.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "os/fd.hpp"
#include "registry/hosts.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::registry {

/// What a registry holds under a tag or digest, checked against its digest.
struct FetchedManifest {
  std::string text;
  std::string media_type;
  Digest digest;
};

/// What had to be done for a blob.
enum class PushOutcome { was_there, mounted, uploaded };

/// Takes bytes in order.
using Sink = std::function<Result<void>(std::string_view bytes)>;

/// Connections, tokens and what is known of hosts. Safe from several threads.
class Client {
public:
  explicit Client(Hosts hosts);
  Client(Client&&) noexcept;
  ~Client();

  /// By the reference's digest, else its tag; mirrors are asked first. `not_found`; `denied` says how to log in;
  /// `corrupt` if the digest is another; `network`.
  Result<FetchedManifest> manifest(const oci::Reference& image, std::stop_token stop);
  /// The digest behind a tag; nothing if there is none.
  Result<std::optional<Digest>> digest_of(const oci::Reference& image, std::stop_token stop);
  /// All bytes of a blob, in order; continues where a transfer broke. Size and digest are checked: `corrupt` comes
  /// after the bytes were given, so nothing of them may be kept then.
  Result<void> fetch_blob(const oci::Reference& image, const oci::Descriptor& blob, const Sink& sink,
                          std::stop_token stop);
  Result<bool> has_blob(const oci::Reference& image, const Digest& blob, std::stop_token stop);
  /// Sends the file from its beginning unless the registry has the blob, or can mount it from one of the repositories
  /// `from` of the same registry.
  Result<PushOutcome> push_blob(const oci::Reference& image, const oci::Descriptor& blob, const os::Fd& file,
                                const std::vector<std::string>& from, std::stop_token stop);
  /// Under the reference's tag, or by digest if it has none; gives the digest.
  Result<Digest> push_manifest(const oci::Reference& image, std::string_view text, std::string_view media_type,
                               std::stop_token stop);
  /// Manifests that refer to `subject`, by the referrers API or, where there is none, its tag schema.
  Result<std::vector<oci::Descriptor>> referrers(const oci::Reference& image, const Digest& subject,
                                                 std::stop_token stop);
  /// Adds a manifest with a subject; where there is no referrers API, the index of the tag schema is written too.
  Result<Digest> push_referrer(const oci::Reference& image, const oci::Manifest& manifest, std::stop_token stop);
  /// All of a repository, sorted.
  Result<std::vector<std::string>> tags(const oci::Reference& image, std::stop_token stop);
  /// Is the host reachable, and are the credentials good? For `sheaf login`.
  Result<void> check_login(const std::string& host, const Credential& credential, std::stop_token stop);

  /// Bytes of blobs received and sent so far.
  std::uint64_t bytes_received() const;
  std::uint64_t bytes_sent() const;

  /// What the parts of this class share (client_state.hpp).
  struct Impl;

private:
  std::unique_ptr<Impl> m_impl;
};

} // namespace sheaf::registry
