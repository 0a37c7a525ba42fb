// SPDX-License-Identifier: Apache-2.0
#include "tracee.hpp"

#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <sstream>
#include <string_view>

namespace sheaf::faults {
namespace {

std::string link_text(const std::string& path) {
  std::array<char, PATH_MAX> text{};
  const auto size = readlink(path.c_str(), text.data(), text.size());
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

/// A string in the memory of another process, up to PATH_MAX bytes; empty if it cannot be read. It is read to the end
/// of each page, because the next one may be missing.
std::string string_at(pid_t tid, std::uint64_t address) {
  constexpr std::size_t k_page = 4096;
  std::string text;
  std::array<char, k_page> piece{};
  while (text.size() < PATH_MAX) {
    iovec here{piece.data(), k_page - address % k_page};
    iovec there{reinterpret_cast<void*>(address), here.iov_len};
    const auto got = process_vm_readv(tid, &here, 1, &there, 1, 0);
    if (got <= 0) {
      return {};
    }
    const std::string_view read(piece.data(), static_cast<std::size_t>(got));
    const auto end = read.find('\0');
    text += read.substr(0, end);
    if (end != std::string_view::npos) {
      return text;
    }
    address += static_cast<std::uint64_t>(got);
  }
  return text;
}

std::string descriptor_of(pid_t tid, std::uint64_t argument) {
  const int descriptor = static_cast<int>(argument);
  return link_text(descriptor == AT_FDCWD ? fmt::format("/proc/{}/cwd", tid)
                                          : fmt::format("/proc/{}/fd/{}", tid, descriptor));
}

} // namespace

Program program_at(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? Program{info.st_dev, info.st_ino} : Program{};
}

Program program_of(pid_t tid) { return program_at(fmt::format("/proc/{}/exe", tid)); }

pid_t process_of(pid_t tid) {
  const auto status = os::read_file(fmt::format("/proc/{}/status", tid));
  constexpr std::string_view k_field = "\nTgid:\t";
  const auto found = status ? status->find(k_field) : std::string::npos;
  pid_t process = -1;
  if (found != std::string::npos) {
    const char* begin = status->data() + found + k_field.size();
    std::from_chars(begin, status->data() + status->size(), process);
  }
  return process;
}

std::string command_line_of(pid_t pid) {
  auto line = os::read_file(fmt::format("/proc/{}/cmdline", pid)).value_or("");
  std::replace(line.begin(), line.end(), '\0', ' ');
  return line;
}

std::vector<pid_t> own_children() {
  std::istringstream list(os::read_file(fmt::format("/proc/self/task/{}/children", getpid())).value_or(""));
  std::vector<pid_t> children;
  for (pid_t child = 0; list >> child;) {
    children.push_back(child);
  }
  return children;
}

std::string target_of(pid_t tid, const Call& call, const Arguments& arguments) {
  std::string path;
  if (call.path != k_none) {
    path = string_at(tid, arguments[static_cast<std::size_t>(call.path)]);
    if (path.starts_with('/')) {
      return path;
    }
  }
  const std::string folder = call.descriptor != k_none
                                 ? descriptor_of(tid, arguments[static_cast<std::size_t>(call.descriptor)])
                                 : link_text(fmt::format("/proc/{}/cwd", tid));
  return path.empty() ? folder : folder + "/" + path;
}

} // namespace sheaf::faults
