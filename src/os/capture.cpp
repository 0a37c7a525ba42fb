// SPDX-License-Identifier: Apache-2.0
#include "os/capture.hpp"

#include <unistd.h>

#include <cerrno>

namespace sheaf::os {
namespace {

Result<std::string> read_from_start(const Fd& fd) {
  if (lseek(fd.get(), 0, SEEK_SET) < 0) {
    return Error::from_errno(errno, "reading what a program printed");
  }
  return read_all(fd);
}

} // namespace

Result<Captured> capture(SpawnOptions options, std::stop_token stop, std::string_view input) {
  // Files in memory, not pipes: nobody has to read while the program runs.
  SHEAF_TRY_ASSIGN(const Fd given, memory_file(input));
  SHEAF_TRY_ASSIGN(const Fd output, memory_file(""));
  SHEAF_TRY_ASSIGN(const Fd errors, memory_file(""));
  options.descriptors.emplace_back(given.get(), STDIN_FILENO);
  options.descriptors.emplace_back(output.get(), STDOUT_FILENO);
  options.descriptors.emplace_back(errors.get(), STDERR_FILENO);
  SHEAF_TRY_ASSIGN(auto child, Child::spawn(options));
  Captured captured;
  SHEAF_TRY_ASSIGN(captured.status, child.wait(stop));
  if (stop.stop_requested()) {
    return Error(ErrorCode::cancelled, "stopped");
  }
  SHEAF_TRY_ASSIGN(captured.output, read_from_start(output));
  SHEAF_TRY_ASSIGN(captured.errors, read_from_start(errors));
  return captured;
}

} // namespace sheaf::os
