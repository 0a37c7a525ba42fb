// SPDX-License-Identifier: Apache-2.0
// The program: hidden helper modes first, then the command line, the command, the exit code.

#include "base/printable.hpp"
#include "cli/command.hpp"
#include "cli/help.hpp"
#include "cli/interrupt.hpp"
#include "cli/parser.hpp"
#include "os/file.hpp"
#include "sandbox/contained.hpp"
#include "sandbox/helper.hpp"
#include "sandbox/zygote.hpp"
#include "store/store.hpp"
#include "ui/renderer.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <utility>

namespace {

using namespace sheaf; // NOLINT(google-build-using-namespace): this file is the program, nobody includes it

Result<ui::RenderSettings> render_settings(const cli::Parsed& parsed) {
  ui::RenderSettings settings;
  const auto found = parsed.options.find("progress");
  auto style = found != parsed.options.end() ? found->second : "auto";
  if (style == "quiet") { // as docker calls it
    settings.verbosity = ui::Verbosity::quiet;
    style = "auto";
  }
  if (style == "rawjson") { // of buildx: lines for programs, though not with the same fields
    style = "json";
  }
  const bool terminal = style == "tty" || (style == "auto" && isatty(STDERR_FILENO) == 1);
  if (style != "auto" && style != "tty" && style != "plain" && style != "json") {
    return Error(ErrorCode::invalid, fmt::format("'--progress {}' is not a style", style))
        .with_hint("one of auto, plain, tty, json and quiet");
  }
  settings.style = style == "json" ? ui::Style::json : terminal ? ui::Style::terminal : ui::Style::plain;
  settings.colour = terminal && !os::environment("NO_COLOR") && os::environment("TERM") != "dumb";
  if (parsed.options.contains("quiet")) {
    settings.verbosity = ui::Verbosity::quiet;
  } else if (parsed.options.contains("verbose")) {
    settings.verbosity = ui::Verbosity::verbose;
  }
  return settings;
}

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) {
    return path;
  }
  const auto here = os::real_path(".");
  return here ? *here + "/" + path : path;
}

/// A file of the store that cannot be read, is none or is missing: whatever it is, one command looks after it.
Result<int> advised(Result<int> result, const std::string& store_root) {
  if (result || result.error().summary().find(store_root + "/") == std::string::npos) {
    return result;
  }
  switch (result.error().code()) {
  case ErrorCode::not_found:
  case ErrorCode::invalid:
  case ErrorCode::corrupt:
  case ErrorCode::denied:
    return std::move(result).hint("'sheaf fsck --repair' looks for damage in the store and mends what it can");
  default:
    return result;
  }
}

Result<int> run(const std::vector<std::string>& words) {
  SHEAF_TRY_ASSIGN(const auto parsed, cli::parse(words));
  cli::Invocation invocation;
  if (parsed.command == nullptr || parsed.options.contains("help")) {
    cli::Invocation::print(parsed.command == nullptr ? cli::program_help() : cli::command_help(*parsed.command));
    return 0;
  }
  SHEAF_TRY_ASSIGN(const auto settings, render_settings(parsed));
  const auto renderer = ui::make_renderer(settings, STDERR_FILENO);
  invocation.options = parsed.options;
  invocation.lists = parsed.lists;
  invocation.operands = parsed.operands;
  if (invocation.value("root") == "") {
    return Error(ErrorCode::invalid, "'--root' is empty").with_hint("is a variable of the shell not set?");
  }
  invocation.store_root = absolute(invocation.value("root").value_or(store::default_root()));
  invocation.events = renderer.get();
  cli::Interrupts interrupts;
  invocation.interrupts = &interrupts;
  SHEAF_TRY_ASSIGN(const auto code, advised(parsed.command->run(invocation), invocation.store_root));
  SHEAF_TRY(cli::Invocation::printed());
  return code;
}

/// With advice on what any command may meet, unless somebody gave better.
Error advised(Error error) {
  if (error.code() == ErrorCode::no_space && error.hint().empty()) {
    return std::move(error).with_hint("'sheaf df' shows what the store takes, 'sheaf gc' removes what nothing uses");
  }
  return error;
}

/// So that none of our files gets the number of a stream that the caller closed: programs inside would be given it. The
/// other way round than the stream is used, as if it were closed still.
void fill_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) < 0) {
      [[maybe_unused]] const int filled = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

} // namespace

int main(int argc, char** argv) {
  fill_standard_streams();
  // What a layer holds must not depend on who builds it: COPY, WORKDIR and the roots of trees are made by us and our
  // helpers. Here, before there are threads, and nowhere else; files of the user are made by commands, which have a
  // mask of their own.
  umask(022);
  if (argc > 1 && argv[1] == sheaf::sandbox::k_helper_argument) {
    return sheaf::sandbox::zygote_main();
  }
  if (argc > 1 && argv[1] == sheaf::sandbox::k_contained_argument) {
    return sheaf::sandbox::contained_main(argv + 2);
  }
  if (argc > 1 && argv[1] == sheaf::sandbox::k_tied_argument) {
    return sheaf::sandbox::tied_main(argv + 2);
  }
  try {
    const auto result = run({argv + 1, argv + argc});
    if (result) {
      return *result;
    }
    std::fprintf(stderr, "%s\n", printable(advised(result.error()).render(), Colours::kept).c_str());
    return sheaf::cli::exit_code(result.error().code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: this is a bug in sheaf: %s\n", error.what());
    return sheaf::cli::exit_code(sheaf::ErrorCode::internal);
  }
}
