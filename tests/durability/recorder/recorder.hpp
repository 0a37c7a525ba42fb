// SPDX-License-Identifier: Apache-2.0
#pragma once

// What was done to a folder, as lines of JSON in the order in which it was done. The format: ../README.md.

#include "base/result.hpp"

#include <nlohmann/json.hpp>

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "recorder/calls.hpp"
#include "recorder/snapshot.hpp"

namespace sheaf::durability {

/// A call that a thread is about to make or has just made.
struct Pending {
  pid_t thread = 0;
  const Call* call = nullptr;
  std::array<std::uint64_t, 6> arguments{};
  /// Absolute; of `link` and `move` the old name.
  std::string path;
  /// Absolute; the new name of `link` and `move`.
  std::string to;
  /// What is known before the call is made.
  nlohmann::json event;
};

/// Told of every call in two parts. Calls must come one at a time, so that the order of the lines is that of their
/// effects.
class Recorder {
public:
  /// `root` is a real path; `record` is the file of the lines.
  static Result<Recorder> create(const std::string& root, const std::string& record, Objects objects);

  /// Nothing if the call has to do neither with the folder nor with what this process printed on its own output.
  std::optional<Pending> look_at(pid_t thread, std::uint64_t number, const std::array<std::uint64_t, 6>& arguments);
  Result<void> before(Pending& pending);
  /// `result` is what the call returned; a failed call leaves no line.
  Result<void> after(Pending& pending, std::int64_t result);
  /// The last line: how the program ended.
  Result<void> end(int exit_code);

private:
  Recorder(std::string root, std::ofstream record, Objects objects);
  bool is_inside(const std::string& path) const;
  bool is_staged(const std::string& path) const;
  std::string inside(const std::string& path) const;
  bool is_output(pid_t thread, int fd) const;
  static bool opens_to_change(const Pending& pending);
  Result<void> write(nlohmann::json event);
  Result<void> describe(Pending& pending, std::int64_t result);
  Result<void> add_data(Pending& pending, std::int64_t result);
  static void add_state(Pending& pending);

  std::string m_root;
  dev_t m_device = 0;
  std::ofstream m_record;
  Objects m_objects;
  std::array<std::string, 2> m_outputs; ///< what stdout and stderr lead to, as links of /proc say
  int m_count = 0;
};

} // namespace sheaf::durability
