// SPDX-License-Identifier: Apache-2.0
// bench_floor WHAT RUNS ARGUMENT...: what a machine cannot do faster, done with nothing around it. Prints the
// microseconds of each run, one a line.
//
//   spawn RUNS PROGRAM              start a program and wait for it
//   sandbox RUNS PROGRAM LOWER TMP  the same in new namespaces, on an overlay of LOWER with an empty upper in TMP
//   overlay RUNS COUNT TMP          mount an overlay of COUNT lowers in a mount namespace of its own
//   walk RUNS DIRECTORY             stat every file below DIRECTORY
//   sha256 RUNS DIRECTORY           read and hash every file below DIRECTORY, one thread
//   write RUNS BYTES TMP            write a file of that size and bring it to the disk
//   copy RUNS DIRECTORY TMP         write every file below DIRECTORY anew, without waiting for the disk

#include "base/digest.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

constexpr std::size_t k_buffer = std::size_t(1) << 20;

[[noreturn]] void fail(const std::string& doing) {
  std::fprintf(stderr, "bench_floor: %s: %s\n", doing.c_str(), std::strerror(errno));
  _exit(1);
}

void sure(bool good, const std::string& doing) {
  if (!good) {
    fail(doing);
  }
}

void wait_for(pid_t child) {
  int status = 0;
  sure(waitpid(child, &status, 0) == child && status == 0, "the child failed");
}

void spawn(const Arguments& arguments) {
  std::string name = arguments.at(0);
  std::string word = "true";
  std::vector<char*> command{name.data(), word.data(), nullptr};
  pid_t child = -1;
  errno = posix_spawn(&child, name.c_str(), nullptr, nullptr, command.data(), environ);
  sure(errno == 0, "starting " + name);
  wait_for(child);
}

/// As fork(2), into new namespaces.
pid_t fork_into(unsigned long namespaces) {
  const auto child = static_cast<pid_t>(syscall(SYS_clone, namespaces | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  sure(child >= 0, "new namespaces");
  if (child == 0) {
    sure(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "making mounts private");
  }
  return child;
}

void sandbox(const Arguments& arguments) {
  const std::string place = fs::path(arguments.at(2)) / "sandbox";
  for (const auto* part : {"/upper", "/work", "/root"}) {
    fs::create_directories(place + part);
  }
  const pid_t child = fork_into(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC);
  if (child == 0) {
    const auto options =
        "volatile,lowerdir=" + arguments.at(1) + ",upperdir=" + place + "/upper,workdir=" + place + "/work";
    const auto root = place + "/root";
    sure(mount("overlay", root.c_str(), "overlay", 0, options.c_str()) == 0, "mounting an overlay");
    sure(chroot(root.c_str()) == 0 && chdir("/") == 0, "changing the root");
    execl(arguments.at(0).c_str(), arguments.at(0).c_str(), "true", nullptr);
    fail("starting " + arguments.at(0));
  }
  wait_for(child);
  fs::remove_all(place);
}

void overlay(const Arguments& arguments) {
  const fs::path place = fs::path(arguments.at(1)) / "overlay";
  std::string lowers;
  for (int i = 0; i < std::stoi(arguments.at(0)); ++i) {
    fs::create_directories(place / std::to_string(i));
    lowers += (i == 0 ? "" : ":") + std::to_string(i);
  }
  fs::create_directories(place / "root");
  const pid_t child = fork_into(CLONE_NEWNS);
  if (child == 0) {
    sure(chdir(place.c_str()) == 0, "changing the directory"); // relative names: the options have one page
    sure(mount("overlay", "root", "overlay", MS_RDONLY, ("lowerdir=" + lowers).c_str()) == 0, "mounting an overlay");
    _exit(0);
  }
  wait_for(child);
}

/// Relative to the folder's descriptor: a path from the root costs a walk of its own for each file.
std::uint64_t walk_folder(int folder) {
  std::uint64_t total = 0;
  DIR* entries = fdopendir(folder);
  sure(entries != nullptr, "opening a directory");
  while (const auto* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") {
      continue;
    }
    struct stat info {};
    sure(fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0, "stat");
    total += static_cast<std::uint64_t>(info.st_size);
    if (S_ISDIR(info.st_mode)) {
      total += walk_folder(openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
  }
  closedir(entries);
  return total;
}

void walk(const Arguments& arguments) {
  sure(walk_folder(open(arguments.at(0).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) > 0,
       "there is nothing to walk over");
}

int open_file(const fs::path& path, int flags) {
  const int file = open(path.c_str(), flags | O_CLOEXEC, 0644);
  sure(file >= 0, "opening " + path.string());
  return file;
}

void write_all(int file, const char* bytes, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const auto now = write(file, bytes + done, size - done);
    sure(now > 0, "writing");
    done += static_cast<std::size_t>(now);
  }
}

void read_all(const fs::path& path, const std::function<void(const char*, std::size_t)>& take) {
  static std::vector<char> buffer(k_buffer);
  const int file = open_file(path, O_RDONLY);
  for (;;) {
    const auto got = read(file, buffer.data(), buffer.size());
    sure(got >= 0, "reading " + path.string());
    if (got == 0) {
      break;
    }
    take(buffer.data(), static_cast<std::size_t>(got));
  }
  close(file);
}

void sha256(const Arguments& arguments) {
  for (const auto& entry : fs::recursive_directory_iterator(arguments.at(0))) {
    if (entry.is_regular_file() && !entry.is_symlink()) {
      sheaf::Sha256 hash;
      read_all(entry.path(), [&hash](const char* bytes, std::size_t size) { hash.update({bytes, size}); });
      hash.finish();
    }
  }
}

void write_file(const Arguments& arguments) {
  const std::vector<char> buffer(k_buffer, 'x');
  const fs::path path = fs::path(arguments.at(1)) / "written";
  const int file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  for (auto left = std::stoull(arguments.at(0)); left > 0;) {
    const auto now = std::min<std::size_t>(left, buffer.size());
    write_all(file, buffer.data(), now);
    left -= now;
  }
  sure(fdatasync(file) == 0 && close(file) == 0, "bringing the file to the disk");
}

void copy(const Arguments& arguments) {
  const fs::path from = arguments.at(0);
  // Another folder each time: ext4 is slow at making files for seconds after many were removed.
  static int count = 0;
  const fs::path to = fs::path(arguments.at(1)) / "copied" / std::to_string(count++);
  fs::create_directories(to);
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const auto target = to / entry.path().lexically_relative(from);
    if (entry.is_directory()) {
      fs::create_directories(target);
    } else if (entry.is_regular_file()) {
      const int file = open_file(target, O_WRONLY | O_CREAT | O_TRUNC);
      read_all(entry.path(), [file](const char* bytes, std::size_t size) { write_all(file, bytes, size); });
      sure(close(file) == 0, "closing a file");
    }
  }
}

/// What a run left is removed outside of the time.
void tidy(const std::string& what, const Arguments& arguments) {
  if (what == "write") {
    fs::remove(fs::path(arguments.at(1)) / "written");
  } else if (what == "overlay") {
    fs::remove_all(fs::path(arguments.at(1)) / "overlay");
  }
}

} // namespace

int main(int argc, char** argv) {
  const std::map<std::string, void (*)(const Arguments&)> floors = {
      {"spawn", spawn},   {"sandbox", sandbox},  {"overlay", overlay}, {"walk", walk},
      {"sha256", sha256}, {"write", write_file}, {"copy", copy}};
  const auto floor = argc > 3 ? floors.find(argv[1]) : floors.end();
  if (floor == floors.end()) {
    std::fprintf(stderr, "usage: bench_floor WHAT RUNS ARGUMENT...\n");
    return 2;
  }
  const Arguments arguments(argv + 3, argv + argc);
  for (int run = 0; run < std::stoi(argv[2]); ++run) {
    const auto begin = std::chrono::steady_clock::now();
    floor->second(arguments);
    const auto took = std::chrono::steady_clock::now() - begin;
    std::printf("%ld\n", static_cast<long>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
    tidy(floor->first, arguments);
  }
  return 0;
}
