// SPDX-License-Identifier: Apache-2.0
#include "app/test_run.hpp"

#include "app/deadline.hpp"
#include "app/test_output.hpp"
#include "app/up.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "store/in_use.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

namespace sheaf::app {
namespace {

using Clock = std::chrono::steady_clock;

/// Counts up when the same test of the same content may end otherwise than before.
constexpr std::string_view k_key_version = "sheaf-test 1";

std::string record_path(const store::Store& store, const Digest& key) {
  return fmt::format("{}/tests/{}", store.root(), key.hex());
}

std::string why_failed(const Result<os::ExitStatus>& status, const OutputWatch& output, std::chrono::seconds limit) {
  if (!status) {
    return fmt::format("it did not end within {} s", limit.count());
  }
  if (!status->ok()) {
    return status->to_string();
  }
  return output.found() ? "" : k_not_expected;
}

} // namespace

Digest test_key(const TestPlace& place, const catalogue::LayerTest& test) {
  Sha256 hash;
  hash.field(k_key_version).field(place.join);
  for (const auto& line : place.environment.stack) {
    hash.field(line.name).field(line.content_key);
  }
  const auto& config = place.environment.config;
  hash.field("user").field(config.user);
  for (const auto& [name, value] : config.environment) {
    hash.field(name).field(value);
  }
  hash.field("identity");
  for (const auto& path : place.environment.scrubbed) {
    hash.field(path);
  }
  return hash.field("test").field(test.command).field(test.expect).finish();
}

bool passed_before(const store::Store& store, const Digest& key) {
  const auto path = record_path(store, key);
  store::mark_used(path);
  return os::exists(path);
}

Result<void> remember_passed(const store::Store& store, const Digest& key, const std::string& layer,
                             const catalogue::LayerTest& test, double milliseconds) {
  SHEAF_TRY(store.folder("tests"));
  const nlohmann::json record = {{"version", 1},
                                 {"layer", layer},
                                 {"command", test.command},
                                 {"expect", test.expect},
                                 {"milliseconds", milliseconds},
                                 {"created", std::time(nullptr)}};
  return store::write_file(store.root(), record_path(store, key),
                           record.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<workspace::RunRequest> test_surroundings(const Environment& environment, const store::Staging& staging) {
  SHEAF_TRY_ASSIGN(auto request, prepare_run(environment, staging));
  request.project = staging.file("workspace");
  SHEAF_TRY(os::make_directories(request.project));
  if (chown(request.project.c_str(), os::k_caller_id, os::k_caller_id) != 0) { // of 'dev', as the project's folder
    return Error::from_errno(errno, fmt::format("changing the owner of '{}'", request.project));
  }
  request.network = sandbox::Network::none;
  return request;
}

Result<TestResult> run_test(const TestPlace& place, const std::string& layer, const catalogue::LayerTest& test,
                            std::chrono::seconds limit, const Session& session, sandbox::Runtime& runtime) {
  const auto start = Clock::now();
  SHEAF_TRY_ASSIGN(const auto staging, session.store.stage());
  SHEAF_TRY_ASSIGN(auto request, test_surroundings(place.environment, staging));
  SHEAF_TRY_ASSIGN(const auto output, OutputReader::start(test.expect));
  request.argv = {"/bin/sh", "-c", test.command};
  request.streams = {-1, output->output(), output->output()};
  const Deadline deadline(limit, session.stop);
  const auto status = workspace::run(request, runtime, session.events, deadline.token());
  const auto& printed = output->finish();
  if (!status && (session.stop.stop_requested() || status.error().code() != ErrorCode::cancelled)) {
    return status.error();
  }
  TestResult result{layer, test, TestEnd::passed, why_failed(status, printed, limit), printed.tail(), 0};
  result.end = result.why.empty() ? TestEnd::passed : TestEnd::failed;
  result.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  return result;
}

} // namespace sheaf::app
