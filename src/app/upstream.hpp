// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks upstream projects for the newest version of a file and for its checksums. Nothing of what they say is believed
// further than that: a checksum must be one, of that very file, and the same one for a version that is pinned already.

#include "catalogue/artefact.hpp"
#include "net/http_client.hpp"

#include <map>
#include <stop_token>
#include <string>

namespace sheaf::app {

enum class DownloadFiles { no, yes };

class Upstream {
public:
  /// With DownloadFiles::yes each file is downloaded, and must have the checksum that is published; one without
  /// published checksums gets its own.
  Upstream(DownloadFiles download, std::stop_token stop) : m_download(download), m_stop(std::move(stop)) {}

  /// The newest version with the digests of all its architectures. The pinned version if upstream offers none newer,
  /// or `latest` is not said. `network`, `not_found` if a server does not answer; `corrupt` for answers that make no
  /// sense, files with another checksum than is published, and published checksums that differ from the pinned ones;
  /// `unsupported` if no checksums are published and nothing is downloaded.
  Result<catalogue::Pin> newest(const catalogue::Artefact& artefact);

private:
  /// A release of GitHub's.
  struct Release {
    std::string tag;
    /// By the name of the file.
    std::map<std::string, std::string> digests;
  };

  Result<std::string> text_at(const std::string& url);
  Result<Release> release(const std::string& repository, const std::string& which);
  Result<std::string> version(const catalogue::Artefact& artefact);
  Result<std::string> published(const catalogue::Artefact& artefact, const std::string& version,
                                const std::string& arch);
  Result<std::string> digest_of_file(const std::string& url);
  Result<std::string> digest(const catalogue::Artefact& artefact, const std::string& version, const std::string& arch);

  net::HttpClient m_client;
  DownloadFiles m_download;
  std::stop_token m_stop;
  /// What was read already, by URL.
  std::map<std::string, std::string> m_texts;
};

} // namespace sheaf::app
