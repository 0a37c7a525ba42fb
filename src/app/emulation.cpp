// SPDX-License-Identifier: Apache-2.0
#include "app/emulation.hpp"

#include "base/text.hpp"
#include "os/file.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace sheaf::app {
namespace {

constexpr std::string_view k_folder = "/proc/sys/fs/binfmt_misc";

struct Machine {
  std::string_view architecture;
  /// EI_DATA and e_machine as they stand in a file, in hex.
  std::string_view data;
  std::string_view machine;
};
constexpr std::array k_machines = {Machine{"amd64", "01", "3e00"},    Machine{"386", "01", "0300"},
                                   Machine{"arm64", "01", "b700"},    Machine{"arm", "01", "2800"},
                                   Machine{"riscv64", "01", "f300"},  Machine{"ppc64le", "01", "1500"},
                                   Machine{"s390x", "02", "0016"},    Machine{"loong64", "01", "0201"},
                                   Machine{"mips64le", "01", "0800"}, Machine{"mips64", "02", "0008"}};

std::string_view value_of(std::string_view entry, std::string_view name) {
  for (const auto line : lines_of(entry)) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ') {
      return line.substr(name.size() + 1);
    }
  }
  return {};
}

} // namespace

bool emulates(std::string_view entry, std::string_view architecture) {
  const auto* const machine = std::ranges::find(k_machines, architecture, &Machine::architecture);
  const auto magic = value_of(entry, "magic");
  constexpr std::size_t k_data_at = 10;    // hex digits: byte 5
  constexpr std::size_t k_machine_at = 36; // byte 18
  return machine != k_machines.end() && entry.starts_with("enabled") && value_of(entry, "offset") == "0" &&
         value_of(entry, "flags:").find('F') != std::string_view::npos && magic.starts_with("7f454c46") &&
         magic.size() >= k_machine_at + 4 && magic.substr(k_data_at, 2) == machine->data &&
         magic.substr(k_machine_at, 4) == machine->machine;
}

bool runs_here(const plan::Platform& platform) {
  const auto native = plan::native_platform();
  if (platform.architecture == native.architecture ||
      (native.architecture == "amd64" && platform.architecture == "386")) {
    return true;
  }
  const auto status = os::read_file(std::string(k_folder) + "/status");
  const auto entries = os::list_directory(std::string(k_folder));
  if (!status || !status->starts_with("enabled") || !entries) {
    return false;
  }
  return std::ranges::any_of(*entries, [&](const auto& entry) {
    const auto text = entry.name == "status" || entry.name == "register"
                          ? std::optional<std::string>()
                          : os::read_file_if_exists(std::string(k_folder) + "/" + entry.name).value_or(std::nullopt);
    return text && emulates(*text, platform.architecture);
  });
}

} // namespace sheaf::app
