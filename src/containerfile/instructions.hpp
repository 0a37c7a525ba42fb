// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checked instructions: what a Containerfile asks for, with every word still unexpanded and its place in the file. Made
// by `check.hpp`, carried out by the plan. Words keep their quotes and escapes; `expand.hpp` takes them off.

#include "containerfile/lexer.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sheaf::containerfile {

/// Where an instruction was written, and how.
struct Origin {
  /// Without heredoc bodies.
  Span span;
  /// 1-based, of its first character.
  std::size_t line = 0;
  /// The instruction on one line, for people; a heredoc is shown by its first line.
  std::string text;
  /// The keyword as written, in whatever case.
  Word keyword;
  const std::string& display() const { return text; }
};

/// Run by the shell of the stage (SHELL).
struct ShellCommand {
  std::string text;
  Span span;
};
/// Run as it is. The words are not expanded, as in Docker.
struct ExecCommand {
  std::vector<Word> arguments;
  Span span;
};
/// A heredoc that starts with "#!": a file to be executed, not text for the shell.
struct ScriptCommand {
  std::string text;
  Span span;
};

/// One `--mount=` of RUN, as written: pairs of a comma separated list. The values may hold variables, so what it means
/// is known only when they do (`resolve_mount`).
struct MountFlag {
  struct Option {
    Word name;
    /// Nothing if there is no '='.
    std::optional<Word> value;
  };
  std::vector<Option> options;
  Span span;
};

/// A heredoc as a source of COPY or ADD: a file of this name with this content.
struct InlineFile {
  Word name;
  /// Tabs taken off for "<<-"; variables not yet expanded.
  std::string content;
  /// The marker was not quoted: variables in the content are expanded.
  bool expand = true;
  Span content_span;
};

struct From {
  Origin origin;
  /// An image or an earlier stage.
  Word image;
  std::optional<Word> platform;
  /// Lower case.
  std::optional<Word> alias;
  /// "AS" and the alias, as written.
  std::optional<Word> as_keyword;
  std::string written_alias;
  /// The comment lines right above.
  std::vector<Word> comments;
};

/// `ARG a b=c` becomes two.
struct Arg {
  Origin origin;
  Word name;
  std::optional<Word> default_value;
  /// The comment lines right above.
  std::vector<Word> comments;
};

struct KeyValue {
  Word name;
  Word value;
};

struct Env {
  Origin origin;
  /// At least one.
  std::vector<KeyValue> pairs;
  /// Written without '=', as of old; there is one pair then.
  bool legacy = false;
};

struct Label {
  Origin origin;
  /// At least one.
  std::vector<KeyValue> pairs;
  /// Written without '=', as of old; there is one pair then.
  bool legacy = false;
};

struct Run {
  Origin origin;
  std::variant<ShellCommand, ExecCommand, ScriptCommand> command;
  std::vector<MountFlag> mounts;
  /// "default", "none" or "host"; may hold variables.
  std::optional<Word> network;
  /// "sandbox" or "insecure"; may hold variables.
  std::optional<Word> security;
};

struct Copy {
  Origin origin;
  /// At least one of `sources` and `inline_files` together.
  std::vector<Word> sources;
  std::vector<InlineFile> inline_files;
  Word destination;
  /// A stage, the number of a stage, a named context or an image; nothing for the build context.
  std::optional<Word> from;
  std::optional<Word> chown;
  /// Octal or symbolic.
  std::optional<Word> chmod;
  std::vector<Word> excludes;
  bool link = false;
  bool parents = false;
};

struct Add {
  Origin origin;
  /// Paths of the context, URLs of files, URLs of git repositories: which is seen after expansion. At least one of
  /// `sources` and `inline_files` together.
  std::vector<Word> sources;
  std::vector<InlineFile> inline_files;
  Word destination;
  std::optional<Word> chown;
  std::optional<Word> chmod;
  std::optional<Word> checksum;
  std::vector<Word> excludes;
  bool keep_git_directory = false;
  /// Nothing: archives of the context are unpacked, downloads are not.
  std::optional<bool> unpack;
  bool link = false;
};

struct Workdir {
  Origin origin;
  Word path;
};

struct User {
  Origin origin;
  /// "user", "user:group", names or numbers.
  Word user;
};

struct Cmd {
  Origin origin;
  /// An ExecCommand without arguments takes the inherited one away.
  std::variant<ShellCommand, ExecCommand> command;
};

struct Entrypoint {
  Origin origin;
  /// An ExecCommand without arguments takes the inherited one away.
  std::variant<ShellCommand, ExecCommand> command;
};

struct Shell {
  Origin origin;
  /// At least one.
  std::vector<Word> arguments;
};

struct Volume {
  Origin origin;
  std::vector<Word> paths;
};

struct Expose {
  Origin origin;
  /// "80", "80/udp", "8000-8010/tcp"; a variable may give several, with blanks between them.
  std::vector<Word> ports;
};

struct StopSignal {
  Origin origin;
  Word signal;
};

struct Healthcheck {
  Origin origin;
  /// Nothing for NONE.
  std::optional<std::variant<ShellCommand, ExecCommand>> test;
  /// Zero where nothing was said.
  std::chrono::nanoseconds interval{0};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds start_period{0};
  std::chrono::nanoseconds start_interval{0};
  int retries = 0;
};

/// Kept in the image, and carried out by the build that uses it in FROM.
struct Onbuild {
  Origin origin;
  /// The instruction, as written.
  Word instruction;
};

struct Maintainer {
  Origin origin;
  Word name;
};

/// Ours (`# sheaf: extensions`): a file or release asset fetched to a place.
struct Fetch {
  Origin origin;
  /// A URL, or "github:owner/repo[@ref]".
  Word source;
  Word destination;
  std::optional<Word> checksum;
};

/// Ours (`# sheaf: extensions`): the path belongs to the result whatever the capture table says, and must exist.
struct Snapshot {
  Origin origin;
  Word path;
};

/// What a stage does after its FROM.
using Instruction = std::variant<Arg, Env, Run, Copy, Add, Workdir, User, Cmd, Entrypoint, Label, Shell, Volume, Expose,
                                 StopSignal, Healthcheck, Onbuild, Maintainer, Fetch, Snapshot>;

const Origin& origin_of(const Instruction& instruction);
/// "RUN apt-get install -y curl"
std::string_view display(const Instruction& instruction);

} // namespace sheaf::containerfile
