// SPDX-License-Identifier: Apache-2.0
#include "recorder/tracee.hpp"

#include "os/fd.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace sheaf::durability {
namespace {

/// The content of a symbolic link of /proc, empty if it cannot be read.
std::string target_of(const std::string& link) {
  std::array<char, PATH_MAX> target{};
  const auto length = readlink(link.c_str(), target.data(), target.size());
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : std::string();
}

os::Fd memory_of(pid_t thread) {
  return os::Fd(::open(fmt::format("/proc/{}/mem", thread).c_str(), O_RDONLY | O_CLOEXEC));
}

} // namespace

std::string read_string(pid_t thread, std::uint64_t address) {
  const auto memory = memory_of(thread);
  std::string text;
  constexpr std::uint64_t k_page = 4096; // what follows the string's last page may not be there
  while (text.size() < PATH_MAX) {
    std::array<char, k_page> buffer{};
    const auto want = k_page - (address + text.size()) % k_page;
    const auto got = pread(memory.get(), buffer.data(), want, static_cast<off_t>(address + text.size()));
    if (got <= 0) {
      return text;
    }
    const std::string_view part(buffer.data(), static_cast<std::size_t>(got));
    text += part.substr(0, part.find('\0'));
    if (part.find('\0') != std::string_view::npos) {
      return text;
    }
  }
  return text;
}

std::uint64_t read_number(pid_t thread, std::uint64_t address) {
  const auto memory = memory_of(thread);
  std::uint64_t number = 0;
  return pread(memory.get(), &number, sizeof number, static_cast<off_t>(address)) == sizeof number ? number : 0;
}

std::string link_of(pid_t thread, int fd) { return fmt::format("/proc/{}/fd/{}", thread, fd); }

std::string file_of(pid_t thread, int fd) { return target_of(link_of(thread, fd)); }

std::uint64_t position_of(pid_t thread, int fd) {
  const auto text = os::read_file(fmt::format("/proc/{}/fdinfo/{}", thread, fd));
  constexpr std::string_view k_label = "pos:\t"; // the first line, proc(5)
  return text && text->starts_with(k_label) ? std::strtoull(text->c_str() + k_label.size(), nullptr, 10) : 0;
}

std::string absolute(pid_t thread, int directory, const std::string& path) {
  constexpr std::string_view k_own = "/proc/self/fd/";
  if (path.starts_with(k_own)) {
    return file_of(thread, std::atoi(path.c_str() + k_own.size()));
  }
  if (path.starts_with('/')) {
    return std::filesystem::path(path).lexically_normal().string();
  }
  const auto base = directory == AT_FDCWD ? target_of(fmt::format("/proc/{}/cwd", thread)) : file_of(thread, directory);
  return path.empty() ? base : (std::filesystem::path(base) / path).lexically_normal().string();
}

} // namespace sheaf::durability
