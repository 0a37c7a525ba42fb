// SPDX-License-Identifier: Apache-2.0
// COPY, ADD, FETCH and SNAPSHOT.
#include "containerfile/expand.hpp"
#include "containerfile/node_checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sheaf::containerfile {
namespace {

/// The words of COPY and ADD: sources, heredocs among them, and a destination.
struct Transfer {
  std::vector<Word> sources;
  std::vector<InlineFile> inline_files;
  Word destination;
};

InlineFile inline_file(const Heredoc& heredoc) {
  return {heredoc.name, heredoc.content(), heredoc.expand, heredoc.body_span};
}

void check_inline_file(NodeChecker& checker, const InlineFile& file) {
  if (file.name.text.find('/') != std::string::npos) {
    checker.error(file.name.span, "bad-heredoc",
                  fmt::format("'{}' is the name of a file and has a '/'", file.name.text),
                  "name the directory as the destination");
  }
  const auto content =
      expand_content(file.expand ? file.content : "", [](std::string_view) { return std::optional<std::string>("x"); });
  if (!content) {
    checker.error(file.name.span, "bad-substitution", content.error().message(),
                  fmt::format("quote the marker, \"<<'{}'\", if variables are not meant", file.name.text));
  }
}

/// Puts `words` but the last where they belong. A heredoc is known by its marker; the same marker twice is the last of
/// the two, as in BuildKit.
void sort_words(NodeChecker& checker, std::vector<Word> words, Transfer& transfer) {
  const auto& heredocs = checker.node().line.heredocs();
  transfer.destination = std::move(words.back());
  words.pop_back();
  for (auto& word : words) {
    const auto heredoc = std::find_if(heredocs.begin(), heredocs.end(), [&](const Heredoc& candidate) {
      return candidate.name.span.begin == word.span.begin;
    });
    if (heredoc != heredocs.end()) {
      transfer.inline_files.push_back(inline_file(*heredoc));
      check_inline_file(checker, transfer.inline_files.back());
    } else {
      checker.check_expansion(word);
      transfer.sources.push_back(std::move(word));
    }
  }
  const bool to_heredoc = std::any_of(heredocs.begin(), heredocs.end(), [&](const Heredoc& heredoc) {
    return heredoc.name.span.begin == transfer.destination.span.begin;
  });
  if (to_heredoc) {
    checker.error(transfer.destination.span, "bad-heredoc", "a heredoc cannot be the destination");
  } else {
    checker.check_expansion(transfer.destination);
  }
}

std::optional<Transfer> read_transfer(NodeChecker& checker) {
  const auto& node = checker.node();
  const auto& keyword = node.keyword.text;
  const auto hint = fmt::format("write '{} SOURCE... DESTINATION'", keyword);
  if (checker.missing_arguments("a source and a destination", hint)) {
    return std::nullopt;
  }
  auto words = checker.words_or_json();
  if (node.json.form == ArrayForm::not_strings) {
    return std::nullopt;
  }
  if (words.size() < 2) {
    checker.error(node.arguments.span, "missing-argument",
                  keyword + (words.empty() ? " needs a source and a destination" : " has a source but no destination"),
                  hint);
    return std::nullopt;
  }
  Transfer transfer;
  sort_words(checker, std::move(words), transfer);
  return transfer;
}

std::vector<Word> excludes(NodeChecker& checker) {
  std::vector<Word> excludes;
  for (const auto* flag : checker.flags("exclude")) {
    checker.check_expansion(*flag->value);
    excludes.push_back(*flag->value);
  }
  return excludes;
}

bool is_hexadecimal(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// "sha256:" and 64 digits, or (of a git source) a commit.
std::optional<Word> checksum(NodeChecker& checker) {
  constexpr std::size_t k_digits = 64;
  auto value = checker.expandable_flag("checksum");
  if (!value || has_variable(*value)) {
    return value;
  }
  const std::string_view text = value->text;
  const bool digest = text.starts_with("sha256:") && text.size() == k_digits + 7 && is_hexadecimal(text.substr(7));
  const bool commit = checker.node().keyword.text == "ADD" && is_hexadecimal(text) && text.size() <= k_digits;
  if (!digest && !commit) {
    checker.error(value->span, "bad-checksum", fmt::format("'{}' is no checksum", text),
                  "write 'sha256:' and 64 digits, as 'sha256sum' prints them");
  }
  return value;
}

} // namespace

void check_copy(NodeChecker& checker) {
  auto transfer = read_transfer(checker);
  Copy copy;
  copy.from = checker.flag("from");
  if (copy.from && has_variable(*copy.from)) {
    checker.error(copy.from->span, "variable-in-from", "'--from' does not expand variables",
                  "give the image a name with 'FROM IMAGE AS NAME', and write '--from=NAME'");
  }
  copy.chown = checker.expandable_flag("chown");
  copy.chmod = checker.mode_flag();
  copy.excludes = excludes(checker);
  copy.link = checker.truth("link").value_or(false);
  copy.parents = checker.truth("parents").value_or(false);
  if (transfer) {
    copy.origin = checker.origin();
    copy.sources = std::move(transfer->sources);
    copy.inline_files = std::move(transfer->inline_files);
    copy.destination = std::move(transfer->destination);
    checker.add(std::move(copy));
  }
}

void check_add(NodeChecker& checker) {
  auto transfer = read_transfer(checker);
  Add add;
  add.chown = checker.expandable_flag("chown");
  add.chmod = checker.mode_flag();
  add.checksum = checksum(checker);
  add.excludes = excludes(checker);
  add.keep_git_directory = checker.truth("keep-git-dir").value_or(false);
  add.unpack = checker.truth("unpack");
  add.link = checker.truth("link").value_or(false);
  if (transfer) {
    add.origin = checker.origin();
    add.sources = std::move(transfer->sources);
    add.inline_files = std::move(transfer->inline_files);
    add.destination = std::move(transfer->destination);
    checker.add(std::move(add));
  }
}

void check_fetch(NodeChecker& checker) {
  const auto* hint = "write 'FETCH SOURCE DESTINATION'";
  if (checker.missing_arguments("a source and a destination", hint)) {
    return;
  }
  auto words = checker.words();
  if (words.size() != 2) {
    checker.error(
        checker.node().arguments.span, words.size() < 2 ? "missing-argument" : "unexpected-argument",
        words.size() < 2 ? "FETCH has a source but no destination" : "FETCH has one source and one destination", hint);
    return;
  }
  for (const auto& word : words) {
    checker.check_expansion(word);
  }
  const auto& source = words[0];
  const bool known =
      source.text.starts_with("http://") || source.text.starts_with("https://") || source.text.starts_with("github:");
  if (!known && !has_variable(source)) {
    checker.error(source.span, "bad-source", fmt::format("'{}' is nothing that FETCH can fetch", source.text),
                  "write a URL, or 'github:OWNER/REPOSITORY@REF'");
  }
  auto sum = checksum(checker);
  checker.add(Fetch{checker.origin(), std::move(words[0]), std::move(words[1]), std::move(sum)});
}

void check_snapshot(NodeChecker& checker) {
  const auto* hint = "write 'SNAPSHOT /path'";
  if (checker.missing_arguments("a path", hint)) {
    return;
  }
  auto words = checker.words();
  if (words.size() != 1) {
    checker.error({words[1].span.begin, words.back().span.end}, "unexpected-argument", "SNAPSHOT takes one path",
                  "write one SNAPSHOT for each");
    return;
  }
  checker.check_expansion(words[0]);
  checker.add(Snapshot{checker.origin(), std::move(words[0])});
}

} // namespace sheaf::containerfile
