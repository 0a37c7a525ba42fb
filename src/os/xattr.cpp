// SPDX-License-Identifier: Apache-2.0
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sheaf::os {
namespace {

/// There is no lgetxattrat(2) in our minimum kernel; the magic link of the directory gives a path that cannot be
/// swapped.
std::string path_in(const Fd& directory, const std::string& name) {
  return fmt::format("/proc/self/fd/{}/{}", directory.get(), name);
}

} // namespace

Result<std::map<std::string, std::string>> attributes_at(const Fd& directory, const std::string& name) {
  std::map<std::string, std::string> attributes;
  const auto path = path_in(directory, name);
  std::array<char, 4096> names{};
  const auto length = llistxattr(path.c_str(), names.data(), names.size());
  if (length < 0) {
    if (errno == ENOTSUP) {
      return attributes;
    }
    return Error::from_errno(errno, fmt::format("listing the attributes of '{}'", name));
  }
  for (const char* at = names.data(); at < names.data() + length; at += std::strlen(at) + 1) {
    std::string value(65536, '\0');
    const auto size = lgetxattr(path.c_str(), at, value.data(), value.size());
    if (size < 0) {
      return Error::from_errno(errno, fmt::format("reading attribute '{}' of '{}'", at, name));
    }
    value.resize(static_cast<std::size_t>(size));
    attributes.emplace(at, std::move(value));
  }
  return attributes;
}

Result<void> remove_attribute_at(const Fd& directory, const std::string& name, const std::string& attribute) {
  if (lremovexattr(path_in(directory, name).c_str(), attribute.c_str()) != 0 && errno != ENODATA && errno != ENOTSUP) {
    return Error::from_errno(errno, fmt::format("removing attribute '{}' of '{}'", attribute, name));
  }
  return {};
}

Result<void> set_attribute_at(const Fd& directory, const std::string& name, const std::string& attribute,
                              const std::string& value) {
  if (lsetxattr(path_in(directory, name).c_str(), attribute.c_str(), value.data(), value.size(), 0) != 0) {
    return Error::from_errno(errno, fmt::format("setting attribute '{}' of '{}'", attribute, name));
  }
  return {};
}

} // namespace sheaf::os
