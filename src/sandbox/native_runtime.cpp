// SPDX-License-Identifier: Apache-2.0
#include "sandbox/helper.hpp"
#include "sandbox/runtime.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <thread>

namespace sheaf::sandbox {
namespace {

using Json = nlohmann::json;

/// What the helper said on its status pipe: one JSON object a line.
class Report {
public:
  explicit Report(const OnStart& on_start) : m_on_start(on_start) {}

  /// Reads until the helper and all that it started have closed the pipe.
  void read(const os::Fd& pipe) {
    std::array<char, 4096> buffer{};
    std::string line;
    for (;;) {
      const auto got = ::read(pipe.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        return;
      }
      for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
        if (c == '\n') {
          take(line);
          line.clear();
        } else {
          line += c;
        }
      }
    }
  }

  Result<Outcome> outcome(const os::ExitStatus& helper) && {
    if (m_outcome) {
      return std::move(*m_outcome);
    }
    if (helper.signal != 0) {
      return Error(ErrorCode::cancelled, "the sandbox was " + helper.to_string());
    }
    return Error(ErrorCode::internal, "the sandbox helper ended without a report (" + helper.to_string() + ")");
  }

private:
  void take(const std::string& line) {
    const auto json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) {
      m_outcome = Error(ErrorCode::internal, "the sandbox helper sent an unreadable report");
    } else if (json.contains("start")) {
      if (m_on_start) {
        m_on_start(m_started);
      }
      ++m_started;
    } else if (json.contains("error")) {
      m_outcome = Error(error_code_from(json.value("code", "internal")), json.value("error", ""))
                      .with_hint(json.value("hint", ""));
    } else if (!m_outcome) { // a command that could not be started says why before its exit is seen
      m_outcome = Outcome{{json.value("exit", 0), json.value("signal", 0)}, m_started};
    }
  }

  const OnStart& m_on_start;
  std::size_t m_started = 0;
  std::optional<Result<Outcome>> m_outcome;
};

bool keeps_terminal(const SandboxSpec& spec) {
  const auto* commands = std::get_if<std::vector<RunCommand>>(&spec.action);
  return commands != nullptr && std::ranges::any_of(*commands, &RunCommand::interactive);
}

class NativeRuntime final : public Runtime {
public:
  Result<Outcome> run(const SandboxSpec& spec, const Streams& streams, std::stop_token stop,
                      const OnStart& on_start) override {
    SHEAF_TRY_ASSIGN(const auto message, os::memory_file(serialise(spec)));
    SHEAF_TRY_ASSIGN(auto pipe, os::Pipe::create());
    SHEAF_TRY_ASSIGN(const auto null, os::open("/dev/null", O_RDWR));
    os::SpawnOptions options;
    options.argv = {os::own_program(), std::string(k_helper_argument)};
    options.descriptors = {{streams.input >= 0 ? streams.input : null.get(), 0},
                           {message.get(), k_spec_descriptor},
                           {pipe.write.get(), k_report_descriptor}};
    if (streams.output >= 0) {
      options.descriptors.emplace_back(streams.output, 1);
    }
    if (streams.error >= 0) {
      options.descriptors.emplace_back(streams.error, 2);
    }
    options.new_session = !keeps_terminal(spec);
    SHEAF_TRY_ASSIGN(auto child, os::Child::spawn(options));
    SHEAF_TRY(pipe.write.close());
    Report report(on_start);
    std::jthread reader([&] { report.read(pipe.read); });
    const auto helper = child.wait(stop);
    reader.join();
    SHEAF_TRY(helper);
    if (stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    return std::move(report).outcome(*helper);
  }
};

} // namespace

std::unique_ptr<Runtime> native_runtime() { return std::make_unique<NativeRuntime>(); }

} // namespace sheaf::sandbox
