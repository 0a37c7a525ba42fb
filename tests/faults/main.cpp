// SPDX-License-Identifier: Apache-2.0
#include "os/file.hpp"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <exception>
#include <fstream>
#include <iostream>

#include "supervisor.hpp"

namespace sheaf::faults {
namespace {

constexpr std::string_view k_usage =
    R"(usage: fault_run [OPTIONS] -- PROGRAM [ARGUMENT…]

Runs PROGRAM and breaks one of its file-system calls; prints nothing itself.

  --report FILE    what happened, as JSON
  --fault KIND     kill, ENOSPC, EDQUOT, EIO, EINTR or EMFILE; without it calls are counted
  --nth N          the N-th call that can fail so
  --onwards        and all later ones
  --skip-flushes   fsync and its kind do nothing
  --limit SECONDS  the time until PROGRAM counts as hanging (default 60)
  --trace FILE     each call that counts, one a line
  --user UID:GID   run PROGRAM as this account
)";

struct Options {
  Plan plan;
  std::string report;
  std::ofstream trace;
};

template <class Number>
Result<Number> number_in(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error(ErrorCode::invalid, "'" + std::string(text) + "' is not a number");
  }
  return number;
}

Result<Account> account_in(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) {
    return Error(ErrorCode::invalid, "'" + std::string(text) + "' is not UID:GID");
  }
  SHEAF_TRY_ASSIGN(const auto uid, number_in<uid_t>(text.substr(0, colon)));
  SHEAF_TRY_ASSIGN(const auto gid, number_in<gid_t>(text.substr(colon + 1)));
  return Account{uid, gid};
}

Result<void> set(Options& options, std::string_view name, const std::string& value) {
  auto& plan = options.plan;
  if (name == "--report") {
    options.report = value;
  } else if (name == "--trace") {
    options.trace.open(value);
    plan.trace = &options.trace;
  } else if (name == "--fault") {
    plan.fault = fault_from(value);
    if (!plan.fault) {
      return Error(ErrorCode::invalid, "there is no fault '" + value + "'");
    }
  } else if (name == "--nth") {
    SHEAF_TRY_ASSIGN(plan.nth, number_in<std::uint64_t>(value));
  } else if (name == "--limit") {
    SHEAF_TRY_ASSIGN(const auto seconds, number_in<int>(value));
    plan.limit = std::chrono::seconds(seconds);
  } else if (name == "--user") {
    SHEAF_TRY_ASSIGN(plan.account, account_in(value));
  } else {
    return Error(ErrorCode::invalid, "there is no option '" + std::string(name) + "'");
  }
  return {};
}

Result<void> parse(Options& options, const std::vector<std::string>& words) {
  options.plan.account = {getuid(), getgid()};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      options.plan.argv.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (words[i] == "--onwards") {
      options.plan.onwards = true;
    } else if (words[i] == "--skip-flushes") {
      options.plan.skip_flushes = true;
    } else if (i + 1 < words.size()) {
      SHEAF_TRY(set(options, words[i], words[i + 1]));
      ++i;
    } else {
      return Error(ErrorCode::invalid, "'" + words[i] + "' lacks its value");
    }
  }
  if (options.plan.argv.empty()) {
    return Error(ErrorCode::invalid, "no program is named").with_hint(std::string(k_usage));
  }
  return {};
}

std::string to_json(const Observed& observed) {
  nlohmann::json counts = nlohmann::json::object();
  for (const auto fault : k_faults) {
    counts[std::string(to_string(fault))] = observed.counts.at(static_cast<std::size_t>(fault));
  }
  nlohmann::json hit;
  if (observed.hit) {
    hit = {{"call", std::string(observed.hit->call)},
           {"target", observed.hit->target},
           {"process", observed.hit->in_helper ? "helper" : "main"}};
  }
  const nlohmann::json all = {{"counts", counts},           {"hit", hit},
                              {"code", observed.exit_code}, {"signal", observed.signal},
                              {"hung", observed.hung},      {"left", observed.left}};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<void> run(const std::vector<std::string>& words) {
  Options options;
  SHEAF_TRY(parse(options, words));
  SHEAF_TRY_ASSIGN(const auto observed, supervise(options.plan));
  return options.report.empty() ? Result<void>() : os::write_file(options.report, to_json(observed));
}

} // namespace
} // namespace sheaf::faults

/// 0 however the program ended, that is in the report; 2 if it could not be run.
int main(int count, char** words) {
  try {
    const auto result = sheaf::faults::run(std::vector<std::string>(words + 1, words + count));
    if (!result) {
      std::cerr << result.error().render() << '\n';
      return 2;
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 2;
  }
}
