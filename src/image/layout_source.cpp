// SPDX-License-Identifier: Apache-2.0
#include "image/layout_source.hpp"

#include "os/fd.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace sheaf::image {
namespace {

constexpr std::uint64_t k_largest_manifest = std::uint64_t{4} << 20U;

std::string blob_path(const Digest& digest) { return "blobs/sha256/" + digest.hex(); }

class LayoutSource final : public ImageSource {
public:
  LayoutSource(std::string name, std::string directory, ManifestText top)
      : m_name(std::move(name)), m_directory(std::move(directory)), m_top(std::move(top)) {}

  std::string name() const override { return m_name; }
  Result<ManifestText> top(std::stop_token /*stop*/) override { return m_top; }
  Result<ManifestText> manifest(const oci::Descriptor& wanted, std::stop_token stop) override {
    return read_manifest(m_directory, wanted, stop);
  }
  Result<void> blob(const oci::Descriptor& wanted, const Sink& sink, std::stop_token stop) override {
    SHEAF_TRY_ASSIGN(const auto directory, os::open(m_directory, O_RDONLY | O_DIRECTORY));
    return read_blob(directory, blob_path(wanted.digest), wanted, sink, stop);
  }

private:
  std::string m_name;
  std::string m_directory;
  ManifestText m_top;
};

} // namespace

std::unique_ptr<ImageSource> layout_source(std::string name, std::string directory, ManifestText top) {
  return std::make_unique<LayoutSource>(std::move(name), std::move(directory), std::move(top));
}

Result<os::Fd> open_file_of(const os::Fd& directory, const std::string& path) {
  SHEAF_TRY_ASSIGN(auto file, os::open_in_root(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(file));
  return S_ISREG(info.st_mode) ? Result<os::Fd>(std::move(file))
                               : Error(ErrorCode::corrupt, fmt::format("'{}' is no file", path));
}

Result<void> read_blob(const os::Fd& directory, const std::string& path, const oci::Descriptor& wanted,
                       const Sink& sink, const std::stop_token& stop) {
  const auto doing = fmt::format("reading blob {}", wanted.digest.to_string());
  SHEAF_TRY_ASSIGN(const auto file, open_file_of(directory, path).context(doing));
  Sha256 hash;
  std::uint64_t size = 0;
  std::string buffer(std::size_t{1} << 18U, '\0');
  for (;;) {
    if (stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Error::from_errno(errno, doing);
    }
    if (got == 0) {
      break;
    }
    const auto bytes = std::string_view(buffer).substr(0, static_cast<std::size_t>(got));
    size += bytes.size();
    hash.update(bytes);
    if (size > wanted.size) {
      break;
    }
    SHEAF_TRY(sink(bytes));
  }
  if (size != wanted.size || hash.finish() != wanted.digest) {
    return Error(ErrorCode::corrupt, "its content has another digest or size").with_context(std::string(doing));
  }
  return {};
}

Result<std::string> read_text(const std::string& directory, const std::string& path) {
  SHEAF_TRY_ASSIGN(const auto root, os::open(directory, O_RDONLY | O_DIRECTORY));
  SHEAF_TRY_ASSIGN(const auto file, open_file_of(root, path));
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(file));
  if (static_cast<std::uint64_t>(info.st_size) > k_largest_manifest) {
    return Error(ErrorCode::corrupt, fmt::format("'{}' has {} bytes", path, info.st_size));
  }
  return os::read_all(file);
}

Result<ManifestText> read_manifest(const std::string& directory, const oci::Descriptor& wanted,
                                   const std::stop_token& stop) {
  if (wanted.size > k_largest_manifest) {
    return Error(ErrorCode::corrupt, fmt::format("manifest {} is too large", wanted.digest.to_string()));
  }
  SHEAF_TRY_ASSIGN(const auto root, os::open(directory, O_RDONLY | O_DIRECTORY));
  ManifestText text;
  text.media_type = wanted.media_type;
  text.digest = wanted.digest;
  const Sink keep = [&](std::string_view bytes) -> Result<void> {
    text.text += bytes;
    return {};
  };
  SHEAF_TRY(read_blob(root, blob_path(wanted.digest), wanted, keep, stop));
  return text;
}

} // namespace sheaf::image
