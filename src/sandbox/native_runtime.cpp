// SPDX-License-Identifier: Apache-2.0
#include "sandbox/helper.hpp"
#include "sandbox/runtime.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>

namespace sheaf::sandbox {
namespace {

using Json = nlohmann::json;

/// What the helper said on its status pipe: one JSON object.
Result<os::ExitStatus> parse_report(const std::string& text, const os::ExitStatus& helper) {
  if (text.empty()) {
    if (helper.signal != 0) {
      return Error(ErrorCode::cancelled, "the sandbox was " + helper.to_string());
    }
    return Error(ErrorCode::internal, "the sandbox helper ended without a report (" + helper.to_string() + ")");
  }
  const auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    return Error(ErrorCode::internal, "the sandbox helper sent an unreadable report");
  }
  if (json.contains("error")) {
    return Error(error_code_from(json.value("code", "internal")), json.value("error", ""))
        .with_hint(json.value("hint", ""));
  }
  return os::ExitStatus{json.value("exit", 0), json.value("signal", 0)};
}

class NativeRuntime final : public Runtime {
public:
  Result<os::ExitStatus> run(const SandboxSpec& spec, const Streams& streams, std::stop_token stop) override {
    SHEAF_TRY_ASSIGN(const auto message, os::memory_file(serialise(spec)));
    SHEAF_TRY_ASSIGN(auto report, os::Pipe::create());
    SHEAF_TRY_ASSIGN(const auto null, os::open("/dev/null", O_RDWR));
    const auto* command = std::get_if<RunCommand>(&spec.action);
    os::SpawnOptions options;
    options.argv = {os::own_program(), std::string(k_helper_argument)};
    options.descriptors = {{streams.input >= 0 ? streams.input : null.get(), 0},
                           {message.get(), k_spec_descriptor},
                           {report.write.get(), k_report_descriptor}};
    if (streams.output >= 0) {
      options.descriptors.emplace_back(streams.output, 1);
    }
    if (streams.error >= 0) {
      options.descriptors.emplace_back(streams.error, 2);
    }
    options.new_session = command == nullptr || !command->interactive;
    SHEAF_TRY_ASSIGN(auto child, os::Child::spawn(options));
    SHEAF_TRY(report.write.close());
    SHEAF_TRY_ASSIGN(const auto helper, child.wait(stop));
    SHEAF_TRY_ASSIGN(const auto text, os::read_all(report.read));
    if (stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    return parse_report(text, helper);
  }
};

} // namespace

std::unique_ptr<Runtime> native_runtime() { return std::make_unique<NativeRuntime>(); }

} // namespace sheaf::sandbox
