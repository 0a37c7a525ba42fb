// SPDX-License-Identifier: Apache-2.0
#include "sandbox/runtime.hpp"
#include "sandbox/zygote.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

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
      // Signals end this wait; from a thread in read(2) ThreadSanitizer keeps them.
      pollfd waiting{pipe.get(), POLLIN, 0};
      if (poll(&waiting, 1, -1) < 0 && errno == EINTR) {
        continue;
      }
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

  Result<Outcome> outcome() && {
    if (m_outcome) {
      return std::move(*m_outcome);
    }
    if (m_helper && m_helper->signal != 0) {
      return Error(ErrorCode::failed_step, "the sandbox was " + m_helper->to_string())
          .with_hint("somebody killed it, or the machine ran out of memory: 'dmesg' says so");
    }
    return Error(ErrorCode::internal, "the sandbox helper ended without a report");
  }

private:
  void take(const std::string& line) {
    try {
      take(Json::parse(line));
    } catch (const Json::exception&) { // no JSON, or other values than the helper writes
      m_outcome = Error(ErrorCode::internal, "the sandbox helper sent an unreadable report");
    }
  }

  void take(const Json& json) {
    if (json.contains("start")) {
      if (m_on_start) {
        m_on_start(m_started);
      }
      ++m_started;
    } else if (json.contains("ended")) {
      m_helper = os::ExitStatus{json.value("ended", 0), json.value("by", 0)};
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
  std::optional<os::ExitStatus> m_helper;
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
    const auto terminal = keeps_terminal(spec) ? Terminal::keep : Terminal::none;
    const Handover handover{message.get(),
                            pipe.write.get(),
                            {streams.input >= 0 ? streams.input : null.get(),
                             streams.output >= 0 ? streams.output : STDOUT_FILENO,
                             streams.error >= 0 ? streams.error : STDERR_FILENO}};
    const auto number = m_count.fetch_add(1);
    SHEAF_TRY_ASSIGN(const auto zygote, fork(number, handover, terminal));
    SHEAF_TRY(pipe.write.close());
    Report report(on_start);
    {
      const std::stop_callback end(stop, [&] { zygote->stop(number); });
      report.read(pipe.read);
    }
    if (stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    return std::move(report).outcome();
  }

private:
  /// The zygote that took it. One that somebody killed is replaced; its sandboxes died with it.
  Result<std::shared_ptr<const Zygote>> fork(std::uint64_t number, const Handover& handover, Terminal terminal) {
    const std::lock_guard lock(m_mutex);
    if (m_zygote && m_zygote->fork(number, handover, terminal)) {
      return m_zygote;
    }
    SHEAF_TRY_ASSIGN(auto zygote, Zygote::start());
    m_zygote = std::make_shared<const Zygote>(std::move(zygote));
    SHEAF_TRY(m_zygote->fork(number, handover, terminal));
    return m_zygote;
  }

  std::atomic<std::uint64_t> m_count = 0;
  std::mutex m_mutex;
  std::shared_ptr<const Zygote> m_zygote;
};

} // namespace

std::unique_ptr<Runtime> native_runtime() { return std::make_unique<NativeRuntime>(); }

} // namespace sheaf::sandbox
