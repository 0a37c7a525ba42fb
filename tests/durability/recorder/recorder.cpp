// SPDX-License-Identifier: Apache-2.0
#include "recorder/recorder.hpp"

#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "recorder/tracee.hpp"

namespace sheaf::durability {
namespace {

using Json = nlohmann::json;

std::uint64_t argument(const Pending& pending, int number) {
  return pending.arguments.at(static_cast<std::size_t>(number));
}

int as_fd(const Pending& pending, int number) { return static_cast<int>(argument(pending, number)); }

/// The path of an argument; an absent one (utimensat(2) of a descriptor) is the directory itself.
std::string path_of(const Pending& pending, int path, int directory) {
  const auto at = directory == k_none ? AT_FDCWD : as_fd(pending, directory);
  return absolute(pending.thread, at, read_string(pending.thread, argument(pending, path)));
}

std::optional<struct stat> look(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 ? std::optional(info) : std::nullopt;
}

/// A part of an open file, whatever its name is by now.
Result<std::string> read_range(const std::string& link, std::uint64_t offset, std::uint64_t length) {
  SHEAF_TRY_ASSIGN(const auto file, os::open(link, O_RDONLY));
  std::string bytes(length, '\0');
  const auto got = pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (got < 0 || static_cast<std::uint64_t>(got) != length) {
    return Error::from_errno(errno, fmt::format("reading back {} bytes of '{}'", length, link));
  }
  return bytes;
}

std::string_view word(Kind kind) {
  switch (kind) {
  case Kind::open:
    return "open";
  case Kind::make:
    return "make";
  case Kind::link:
    return "link";
  case Kind::move:
    return "move";
  case Kind::remove:
    return "remove";
  case Kind::data:
  case Kind::range:
    return "write";
  case Kind::size:
    return "content";
  case Kind::meta:
    return "meta";
  case Kind::flush:
    return "flush";
  case Kind::flush_all:
    return "flush all";
  }
  return "";
}

} // namespace

Result<Recorder> Recorder::create(const std::string& root, const std::string& record, Objects objects) {
  std::ofstream file(record);
  const auto info = look(root);
  if (!file || !info) {
    return Error::from_errno(errno, fmt::format("recording what happens to '{}' in '{}'", root, record));
  }
  Recorder recorder(root, std::move(file), std::move(objects));
  recorder.m_device = info->st_dev;
  return recorder;
}

Recorder::Recorder(std::string root, std::ofstream record, Objects objects)
    : m_root(std::move(root)),
      m_record(std::move(record)),
      m_objects(std::move(objects)),
      m_outputs({file_of(getpid(), STDOUT_FILENO), file_of(getpid(), STDERR_FILENO)}) {}

bool Recorder::is_inside(const std::string& path) const { return path == m_root || path.starts_with(m_root + "/"); }
bool Recorder::is_staged(const std::string& path) const { return path.starts_with(m_root + "/tmp/"); }
std::string Recorder::inside(const std::string& path) const {
  return is_inside(path) ? path.substr(std::min(path.size(), m_root.size() + 1)) : "../" + path;
}

bool Recorder::is_output(pid_t thread, int fd) const {
  const auto file = file_of(thread, fd);
  return (fd == STDOUT_FILENO && file == m_outputs[0]) || (fd == STDERR_FILENO && file == m_outputs[1]);
}

bool Recorder::opens_to_change(const Pending& pending) {
  if (pending.call->extra == k_none) {
    return true; // creat(2)
  }
  auto flags = argument(pending, pending.call->extra);
  if (pending.call->name == "openat2") {
    flags = read_number(pending.thread, flags); // the first member of struct open_how
  }
  const auto info = look(pending.path);
  const bool waits = info && S_ISFIFO(info->st_mode); // for the other end, while all others wait for it
  return (flags & (O_CREAT | O_TRUNC)) != 0 && !waits;
}

std::optional<Pending> Recorder::look_at(pid_t thread, std::uint64_t number,
                                         const std::array<std::uint64_t, 6>& arguments) {
  Pending pending{thread, call_of(number), arguments, {}, {}, Json::object()};
  if (pending.call == nullptr) {
    return std::nullopt;
  }
  const auto& call = *pending.call;
  if (call.path != k_none) {
    pending.path = path_of(pending, call.path, call.directory);
  } else if (call.fd != k_none) {
    pending.path = file_of(thread, as_fd(pending, call.fd));
  }
  if (call.to != k_none) {
    pending.to = path_of(pending, call.to, call.to_directory);
  }
  if (call.kind == Kind::flush_all) {
    struct stat info {};
    const bool elsewhere = call.fd != k_none && stat(link_of(thread, as_fd(pending, call.fd)).c_str(), &info) == 0 &&
                           info.st_dev != m_device;
    return elsewhere ? std::nullopt : std::optional(std::move(pending));
  }
  if (call.kind == Kind::data && is_output(thread, as_fd(pending, call.fd))) {
    pending.event["call"] = "said";
    return pending;
  }
  const bool concerns = is_inside(pending.path) || (call.to != k_none && is_inside(pending.to));
  return concerns && (call.kind != Kind::open || opens_to_change(pending)) ? std::optional(std::move(pending))
                                                                           : std::nullopt;
}

Result<void> Recorder::before(Pending& pending) {
  const auto kind = pending.call->kind;
  const auto info = look(pending.path);
  if (kind == Kind::open) {
    pending.event["made"] = !info;
  } else if (kind == Kind::remove && info) {
    pending.event["ino"] = info->st_ino;
  } else if (kind == Kind::link || kind == Kind::move) {
    const bool from_place = is_inside(pending.path) && !is_staged(pending.path);
    if (is_inside(pending.to) && !is_staged(pending.to) && !from_place) {
      SHEAF_TRY_ASSIGN(pending.event["tree"], picture_of(pending.path, m_objects));
    }
  } else if (kind == Kind::flush_all) { // before it: what changes while it runs may be on the disk or not
    SHEAF_TRY_ASSIGN(pending.event["states"], states_of(m_root));
  }
  return {};
}

Result<void> Recorder::after(Pending& pending, std::int64_t result) {
  if (result < 0) {
    return {};
  }
  auto& event = pending.event;
  if (event.contains("call")) { // said
    event["fd"] = as_fd(pending, pending.call->fd);
    event["text"] = read_string(pending.thread, pending.arguments[1]).substr(0, static_cast<std::size_t>(result));
    return write(std::move(event));
  }
  event["call"] = word(pending.call->kind);
  SHEAF_TRY(describe(pending, result).context(fmt::format("recording {} of '{}'", pending.call->name, pending.path)));
  return write(std::move(event));
}

Result<void> Recorder::describe(Pending& pending, std::int64_t result) {
  auto& event = pending.event;
  const auto& call = *pending.call;
  if (call.kind == Kind::flush_all) {
    return {};
  }
  event["path"] = inside(pending.path);
  if (call.to != k_none) {
    event["to"] = inside(pending.to);
    event["flags"] = call.extra != k_none ? argument(pending, call.extra) : 0;
    return {};
  }
  if (call.kind != Kind::remove) {
    add_state(pending);
  }
  const bool has_data = call.kind == Kind::data || call.kind == Kind::range || call.kind == Kind::size;
  return has_data ? add_data(pending, result) : Result<void>();
}

/// What the file or folder is now. Flags of an open that emptied a file are told by its size.
void Recorder::add_state(Pending& pending) {
  const auto& call = *pending.call;
  struct stat info {};
  const bool is_there = call.fd != k_none ? stat(link_of(pending.thread, as_fd(pending, call.fd)).c_str(), &info) == 0
                                          : lstat(pending.path.c_str(), &info) == 0;
  if (is_there) {
    pending.event.update({{"ino", info.st_ino},
                          {"mode", info.st_mode},
                          {"uid", info.st_uid},
                          {"gid", info.st_gid},
                          {"size", info.st_size},
                          {"ctime", std::int64_t{info.st_ctim.tv_sec} * 1'000'000'000 + info.st_ctim.tv_nsec}});
  }
}

/// What was written, or all that is in the file now; of a staged file only how much.
Result<void> Recorder::add_data(Pending& pending, std::int64_t result) {
  auto& event = pending.event;
  const auto& call = *pending.call;
  const auto link = call.fd != k_none ? link_of(pending.thread, as_fd(pending, call.fd)) : pending.path;
  const bool all = call.kind == Kind::size;
  const auto length = all ? event.value("size", std::uint64_t{0}) : static_cast<std::uint64_t>(result);
  std::uint64_t offset = 0;
  if (call.kind == Kind::range) {
    offset = argument(pending, call.extra);
  } else if (!all) {
    offset = position_of(pending.thread, as_fd(pending, call.fd)) - length;
  }
  event["offset"] = offset;
  event["length"] = length;
  if (!is_staged(pending.path)) {
    SHEAF_TRY_ASSIGN(const auto bytes, read_range(link, offset, length));
    SHEAF_TRY_ASSIGN(event["data"], m_objects.put(bytes));
  }
  return {};
}

Result<void> Recorder::end(int exit_code) {
  SHEAF_TRY(write({{"call", "end"}, {"code", exit_code}}));
  m_record.flush();
  return m_record ? Result<void>() : Error(ErrorCode::internal, "writing the record");
}

Result<void> Recorder::write(Json event) {
  event["n"] = m_count++;
  m_record << event.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  return m_record ? Result<void>() : Error(ErrorCode::internal, "writing the record");
}

} // namespace sheaf::durability
