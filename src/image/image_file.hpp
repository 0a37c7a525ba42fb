// SPDX-License-Identifier: Apache-2.0
#pragma once

// Images in files of the user: an OCI layout or a docker archive (docker save, podman save), each as a directory or as
// a tar, packed or not. Which one it is, is seen from what it holds. Source: OCI image-spec, image-layout.md; Docker
// image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".

#include "image/image_source.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::image {

class ImageFile {
public:
  /// Unpacks a tar into a staging folder of the store, which lives as long as this object. `invalid` if it is neither
  /// a layout nor a docker archive.
  static Result<ImageFile> open(const std::string& path, store::Store& store);

  struct Entry {
    /// As written there: "docker.io/library/app:1", or a tag alone ("1"); may be empty.
    std::vector<std::string> names;
    Digest digest;
  };
  /// In the order of the file. Entries of one name for several platforms are one.
  const std::vector<Entry>& entries() const { return m_entries; }
  /// The image called so (a name or its tag alone, or a digest); without a name the only one. `not_found`, or `invalid`
  /// if there are several, with their names. This object must outlive the source.
  Result<std::unique_ptr<ImageSource>> source(const std::string& name) const;
  Result<std::unique_ptr<ImageSource>> source(const Entry& entry) const;

private:
  enum class Kind { layout, docker };
  ImageFile(std::string path, std::string directory, Kind kind)
      : m_path(std::move(path)), m_directory(std::move(directory)), m_kind(kind) {}
  Result<void> read_entries();

  /// For messages.
  std::string m_path;
  /// Where the files are: the path itself or a folder of `m_staging`.
  std::string m_directory;
  Kind m_kind;
  std::optional<store::Staging> m_staging;
  std::vector<Entry> m_entries;
};

/// "PATH", "PATH:NAME" or "PATH@DIGEST", as in oci-layout://…: a path that exists is taken as a whole.
struct Place {
  std::string path;
  std::string name;
};
Place split_place(std::string_view text);

} // namespace sheaf::image
