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

/// All attributes by the calls that list the names and read a value.
template <class List, class Get>
Result<std::map<std::string, std::string>> collect(const std::string& name, const List& list, const Get& get) {
  std::map<std::string, std::string> attributes;
  std::array<char, 4096> names{};
  const auto length = list(names.data(), names.size());
  if (length < 0) {
    if (errno == ENOTSUP) {
      return attributes;
    }
    return Error::from_errno(errno, fmt::format("listing the attributes of '{}'", name));
  }
  for (const char* at = names.data(); at < names.data() + length; at += std::strlen(at) + 1) {
    std::string value(65536, '\0');
    const auto size = get(at, value.data(), value.size());
    if (size < 0) {
      return Error::from_errno(errno, fmt::format("reading attribute '{}' of '{}'", at, name));
    }
    value.resize(static_cast<std::size_t>(size));
    attributes.emplace(at, std::move(value));
  }
  return attributes;
}

} // namespace

Result<std::map<std::string, std::string>> attributes_at(const Fd& directory, const std::string& name) {
  const auto path = path_in(directory, name);
  return collect(
      name, [&](char* to, std::size_t size) { return llistxattr(path.c_str(), to, size); },
      [&](const char* key, char* to, std::size_t size) { return lgetxattr(path.c_str(), key, to, size); });
}

Result<std::map<std::string, std::string>> attributes_of(const Fd& file, const std::string& name) {
  return collect(
      name, [&](char* to, std::size_t size) { return flistxattr(file.get(), to, size); },
      [&](const char* key, char* to, std::size_t size) { return fgetxattr(file.get(), key, to, size); });
}

Result<void> remove_attribute_at(const Fd& directory, const std::string& name, const std::string& attribute) {
  if (lremovexattr(path_in(directory, name).c_str(), attribute.c_str()) != 0 && errno != ENODATA && errno != ENOTSUP) {
    return Error::from_errno(errno, fmt::format("removing attribute '{}' of '{}'", attribute, name));
  }
  return {};
}

Result<void> set_attribute(const Fd& file, const std::string& attribute, const std::string& value) {
  if (fsetxattr(file.get(), attribute.c_str(), value.data(), value.size(), 0) != 0) {
    return Error::from_errno(errno, fmt::format("setting attribute '{}'", attribute));
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
