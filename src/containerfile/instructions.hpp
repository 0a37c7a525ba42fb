// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checked instructions: what a Containerfile asks for, with every word still unexpanded and its place in the file. Made
// by `check.hpp`, carried out by the plan. Words keep their quotes and escapes; `expand.hpp` takes them off.

#include "containerfile/lexer.hpp"

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

struct From {
  Origin origin;
  /// An image or an earlier stage.
  Word image;
  std::optional<Word> platform;
  /// Lower case.
  std::optional<Word> alias;
};

/// `ARG a b=c` becomes two.
struct Arg {
  Origin origin;
  Word name;
  std::optional<Word> default_value;
};

struct KeyValue {
  Word name;
  Word value;
};

struct Env {
  Origin origin;
  /// At least one.
  std::vector<KeyValue> pairs;
};

struct Label {
  Origin origin;
  /// At least one.
  std::vector<KeyValue> pairs;
};

struct Run {
  Origin origin;
  std::variant<ShellCommand, ExecCommand, ScriptCommand> command;
};

struct Copy {
  Origin origin;
  /// At least one.
  std::vector<Word> sources;
  Word destination;
  /// A stage, the number of a stage, or an image; nothing for the build context.
  std::optional<Word> from;
  std::optional<Word> chown;
  std::optional<Word> chmod;
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

/// What a stage does after its FROM.
using Instruction = std::variant<Arg, Env, Run, Copy, Workdir, User, Cmd, Entrypoint, Label, Shell>;

const Origin& origin_of(const Instruction& instruction);
/// "RUN apt-get install -y curl"
std::string_view display(const Instruction& instruction);

} // namespace sheaf::containerfile
