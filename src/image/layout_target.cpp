// SPDX-License-Identifier: Apache-2.0
#include "image/layout_target.hpp"

#include "image/layout_index.hpp"
#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "os/new_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

namespace sheaf::image {
namespace {

/// As a clone where the file system can.
Result<void> copy_file(const os::Fd& from, const os::Fd& to, std::uint64_t size) {
  loff_t at = 0;
  while (static_cast<std::uint64_t>(at) < size) {
    const auto copied = copy_file_range(from.get(), &at, to.get(), nullptr, size - static_cast<std::uint64_t>(at), 0);
    if (copied < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS) && at == 0) {
      if (lseek(from.get(), 0, SEEK_SET) != 0) {
        return Error::from_errno(errno, "reading a blob");
      }
      std::string buffer(std::size_t{1} << 18U, '\0');
      for (;;) {
        const auto got = ::read(from.get(), buffer.data(), buffer.size());
        if (got < 0 && errno != EINTR) {
          return Error::from_errno(errno, "reading a blob");
        }
        if (got == 0) {
          return {};
        }
        SHEAF_TRY(os::write_all(to, std::string_view(buffer).substr(0, got > 0 ? static_cast<std::size_t>(got) : 0)));
      }
    }
    if (copied < 0 && errno != EINTR) {
      return Error::from_errno(errno, "copying a blob");
    }
    if (copied == 0) {
      return Error(ErrorCode::corrupt, "a blob is shorter than was said");
    }
  }
  return {};
}

class LayoutDirectory final : public ImageTarget {
public:
  LayoutDirectory(std::string path, std::vector<std::string> names)
      : m_path(std::move(path)), m_names(std::move(names)) {}

  Result<void> prepare() {
    SHEAF_TRY(os::make_directories(m_path + "/blobs/sha256"));
    if (!os::exists(m_path + "/oci-layout")) {
      SHEAF_TRY(os::write_file(m_path + "/oci-layout", k_layout_file));
    }
    return {};
  }

  std::string name() const override { return fmt::format("the OCI layout '{}'", m_path); }

  Result<bool> has(const oci::Descriptor& blob, std::stop_token /*stop*/) override {
    const auto stamp = os::stamp(path_of(blob.digest));
    return stamp && stamp->size == blob.size;
  }

  Result<void> put_blob(const oci::Descriptor& blob, const os::Fd& file, std::stop_token /*stop*/) override {
    // Several threads or processes may write the same blob.
    SHEAF_TRY_ASSIGN(auto made, os::NewFile::create(path_of(blob.digest), 0644));
    SHEAF_TRY(copy_file(file, made.fd(), blob.size).context("writing " + name()));
    return made.appear();
  }

  Result<void> put_manifest(const oci::Descriptor& manifest, std::string_view text, Place place,
                            std::stop_token /*stop*/) override {
    SHEAF_TRY(os::write_file(path_of(manifest.digest), text));
    if (place == Place::named) {
      const std::scoped_lock lock(m_mutex);
      m_named.push_back(manifest);
    }
    return {};
  }

  /// Entries of other images stay; two that finish at the same time wait for each other.
  Result<void> finish() override {
    SHEAF_TRY_ASSIGN(const auto lock, os::open(m_path, O_RDONLY | O_DIRECTORY));
    while (flock(lock.get(), LOCK_EX) != 0) {
      if (errno != EINTR) {
        return Error::from_errno(errno, fmt::format("locking '{}'", m_path));
      }
    }
    SHEAF_TRY_ASSIGN(auto index, read_index());
    for (const auto& manifest : m_named) {
      add_named(index, manifest, m_names);
    }
    SHEAF_TRY(give_all_to_caller().context("writing " + name())); // before the index says that it is complete
    const auto path = m_path + "/index.json";
    return write_index(path, oci::serialise(index)).context("writing " + name());
  }

private:
  /// With its owner from the first moment: whoever sees it takes the layout for complete.
  static Result<void> write_index(const std::string& path, std::string_view text) {
    SHEAF_TRY_ASSIGN(auto made, os::NewFile::create(path, 0644));
    SHEAF_TRY(os::write_all(made.fd(), text));
    SHEAF_TRY(os::give_to_caller(made.fd()));
    return made.appear();
  }

  Result<void> give_all_to_caller() const {
    for (const auto* folder : {"", "/blobs", "/blobs/sha256"}) {
      SHEAF_TRY(os::give_to_caller(m_path + folder));
      SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(m_path + folder));
      for (const auto& entry : entries) {
        SHEAF_TRY(os::give_to_caller(fmt::format("{}{}/{}", m_path, folder, entry.name)));
      }
    }
    return {};
  }

  std::string path_of(const Digest& digest) const { return fmt::format("{}/blobs/sha256/{}", m_path, digest.hex()); }

  Result<oci::Index> read_index() const {
    SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(m_path + "/index.json"));
    if (!text) {
      return oci::Index();
    }
    SHEAF_TRY_ASSIGN(auto parsed, oci::parse_manifest(*text, oci::media_type::k_index).context("adding to " + name()));
    auto* const index = std::get_if<oci::Index>(&parsed);
    return index != nullptr ? Result<oci::Index>(std::move(*index))
                            : Error(ErrorCode::corrupt, fmt::format("'{}/index.json' is no index", m_path));
  }

  std::string m_path;
  std::vector<std::string> m_names;
  std::mutex m_mutex; ///< guards m_named
  std::vector<oci::Descriptor> m_named;
};

} // namespace

Result<std::unique_ptr<ImageTarget>> open_layout_directory(const std::string& path, std::vector<std::string> names) {
  auto target = std::make_unique<LayoutDirectory>(path, std::move(names));
  SHEAF_TRY(target->prepare().context(fmt::format("writing the OCI layout '{}'", path)));
  return std::unique_ptr<ImageTarget>(std::move(target));
}

} // namespace sheaf::image
