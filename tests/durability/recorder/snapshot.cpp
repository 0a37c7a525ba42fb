// SPDX-License-Identifier: Apache-2.0
#include "recorder/snapshot.hpp"

#include "base/digest.hpp"
#include "os/file.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <functional>

namespace sheaf::durability {
namespace {

using Json = nlohmann::json;

/// One entry, by the directory it is in.
struct Entry {
  const os::Fd& directory;
  const std::string& name;
  const std::string& path;
  const struct stat& info;
};
using Visit = std::function<Result<void>(const Entry&)>;

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

/// Folders before what is in them. What vanishes meanwhile is passed over: other threads work in folders of their own.
Result<void> walk(const os::Fd& directory, const std::string& name, const std::string& path, const Visit& visit) {
  struct stat info {};
  if (fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Result<void>() : Result<void>(Error::from_errno(errno, "looking at '" + path + "'"));
  }
  SHEAF_TRY(visit({directory, name, path, info}));
  if (!S_ISDIR(info.st_mode)) {
    return {};
  }
  const auto inner = os::open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!inner) {
    return inner.error().code() == ErrorCode::not_found ? Result<void>() : Result<void>(inner.error());
  }
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(*inner));
  for (const auto& entry : entries) {
    SHEAF_TRY(walk(*inner, entry.name, path.empty() ? entry.name : path + "/" + entry.name, visit));
  }
  return {};
}

Result<void> walk(const std::string& path, const Visit& visit) {
  const auto slash = path.rfind('/');
  SHEAF_TRY_ASSIGN(const auto parent, os::open(path.substr(0, slash + 1), O_RDONLY | O_DIRECTORY));
  return walk(parent, path.substr(slash + 1), "", visit);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

/// Every byte as the character of that number, so that any name can stand in JSON.
std::string as_latin1(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x80) {
      text += byte;
    } else {
      text += static_cast<char>(0xC0U | value >> 6U);
      text += static_cast<char>(0x80U | (value & 0x3FU));
    }
  }
  return text;
}

Result<Json> picture_of(const Entry& entry, const Objects& objects) {
  const auto& info = entry.info;
  Json json = {{"path", as_latin1(entry.path)},
               {"ino", info.st_ino},
               {"mode", info.st_mode},
               {"uid", info.st_uid},
               {"gid", info.st_gid},
               {"size", info.st_size},
               {"mtime", nanoseconds(info.st_mtim)},
               {"ctime", nanoseconds(info.st_ctim)}};
  if (S_ISLNK(info.st_mode)) {
    SHEAF_TRY_ASSIGN(const auto target, os::read_link_at(entry.directory, entry.name));
    json["target"] = as_latin1(target);
  } else if (S_ISREG(info.st_mode)) {
    SHEAF_TRY_ASSIGN(const auto file, os::open_at(entry.directory, entry.name, O_RDONLY | O_NOFOLLOW));
    SHEAF_TRY_ASSIGN(const auto content, os::read_all(file));
    SHEAF_TRY_ASSIGN(json["data"], objects.put(content));
  } else if (!S_ISDIR(info.st_mode)) {
    json["device"] = info.st_rdev;
  }
  SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_at(entry.directory, entry.name));
  for (const auto& [name, value] : attributes) {
    json["attributes"][name] = hex(value);
  }
  return json;
}

} // namespace

Result<std::string> Objects::put(std::string_view content) const {
  auto name = Digest::of(content).hex();
  const auto path = m_folder + "/" + name;
  if (!os::exists(path)) {
    SHEAF_TRY(os::write_file(path, content));
  }
  return name;
}

Result<Json> picture_of(const std::string& path, const Objects& objects) {
  auto list = Json::array();
  SHEAF_TRY(walk(path, [&](const Entry& entry) -> Result<void> {
    SHEAF_TRY_ASSIGN(auto json, picture_of(entry, objects));
    list.push_back(std::move(json));
    return {};
  }));
  return list;
}

Result<Json> states_of(const std::string& path) {
  auto list = Json::array();
  SHEAF_TRY(walk(path, [&](const Entry& entry) -> Result<void> {
    list.push_back({entry.info.st_ino, nanoseconds(entry.info.st_ctim)});
    return {};
  }));
  return list;
}

} // namespace sheaf::durability
