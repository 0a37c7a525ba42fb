// SPDX-License-Identifier: Apache-2.0
#include "plan/copy_planner.hpp"

#include "containerfile/chmod.hpp"
#include "plan/paths.hpp"
#include "plan/remote_source.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::plan {
namespace {

namespace cf = containerfile;

/// `path` clean, with the "/./" of --parents kept: it says from where on parents are made.
std::string source_path(const std::string& path, bool parents) {
  const auto pivot = parents ? path.find("/./") : std::string::npos;
  if (pivot == std::string::npos) {
    return relative_path(path);
  }
  const auto front = relative_path(path.substr(0, pivot));
  const auto back = relative_path(path.substr(pivot + 3));
  return front == "." ? back : fmt::format("{}/./{}", front, back);
}

/// What COPY and ADD have in common.
template <class Instruction>
void take_common(CopyStep& step, const Instruction& instruction, StageWords& words) {
  step.owner = words.expand(instruction.chown);
  if (std::ranges::count(step.owner, ':') > 1) {
    words.error(instruction.chown->span, "bad-owner", fmt::format("'{}' is not 'user' or 'user:group'", step.owner));
  }
  step.mode = words.expand(instruction.chmod);
  if (!step.mode.empty() && !cf::is_valid_mode(step.mode)) {
    words.error(instruction.chmod->span, "bad-mode", fmt::format("'{}' is no mode", step.mode),
                "write octal digits up to 7777, or clauses as in 'u=rwX,go=rX'");
  }
  step.excludes = words.expand(instruction.excludes);
  step.link = instruction.link;
  for (const auto& file : instruction.inline_files) {
    step.sources.emplace_back(InlineSource{relative_path(words.expand(file.name)), words.content_of(file)});
  }
}

void take_destination(CopyStep& step, const cf::Word& word, const std::string& directory, StageWords& words) {
  step.destination = destination_in(directory, words.expand(word));
  if (step.sources.size() > 1 && !step.destination.ends_with('/')) {
    words.error(word.span, "copy-destination", "several sources need a destination that ends in '/'");
  }
}

void take_checksum(CopyStep& step, const cf::Word& word, StageWords& words) {
  const auto checksum = words.expand(word);
  if (step.sources.size() > 1) {
    words.error(word.span, "checksum", "a checksum is for one source, and there are several");
  } else if (auto* file = std::get_if<HttpSource>(&step.sources.front())) {
    if (!is_sha256(checksum)) {
      words.error(word.span, "checksum", fmt::format("'{}' is no checksum", checksum),
                  "write 'sha256:' and 64 lower-case digits");
    }
    file->checksum = checksum;
  } else if (auto* git = std::get_if<GitSource>(&step.sources.front())) {
    if (!is_commit(checksum)) {
      words.error(word.span, "checksum", fmt::format("'{}' is not the name of a commit", checksum));
    } else if (!git->checksum.empty() && git->checksum != checksum) {
      words.error(word.span, "checksum", fmt::format("the source itself asks for commit '{}'", git->checksum));
    }
    git->checksum = checksum;
  } else {
    words.error(word.span, "checksum", "a checksum is for what is downloaded; this source is in the context");
  }
}

void add_source(CopyStep& step, const cf::Word& word, bool keep_git_directory, StageWords& words) {
  const auto text = words.expand(word);
  auto repository = parse_repository(text);
  if (!repository) {
    words.error(word.span, "bad-source", repository.error().message(), repository.error().hint());
  } else if (*repository) {
    (*repository)->keep_git_directory = (*repository)->keep_git_directory || keep_git_directory;
    step.sources.emplace_back(std::move(**repository));
  } else if (is_web_address(text)) {
    step.sources.emplace_back(HttpSource{text, {}});
  } else {
    step.sources.emplace_back(PathSource{source_path(text, false)});
  }
}

/// "COPY --chown=a b c /d/", words expanded.
template <class Instruction>
std::string history_of(std::string keyword, const Instruction& instruction, const CopyStep& step, StageWords& words) {
  const auto flag = [&](std::string_view name, const std::string& value) {
    keyword += value.empty() ? std::string() : fmt::format(" --{}={}", name, value);
  };
  flag("chown", step.owner);
  flag("chmod", step.mode);
  keyword += step.link ? " --link" : "";
  for (const auto& source : instruction.sources) {
    keyword += " " + words.expand(source);
  }
  for (const auto& file : instruction.inline_files) {
    keyword += " <<" + words.expand(file.name);
  }
  return keyword + " " + words.expand(instruction.destination);
}

} // namespace

PlannedCopy plan_copy(const cf::Copy& copy, const std::string& directory, const StageSetting& setting,
                      StageWords& words) {
  PlannedCopy planned;
  auto& step = planned.step;
  for (const auto& word : copy.sources) {
    const auto text = words.expand(word);
    if (is_web_address(text)) {
      words.error(word.span, "copy-url", "COPY does not download", "write ADD");
    }
    step.sources.emplace_back(PathSource{source_path(text, copy.parents)});
  }
  step.parents = copy.parents;
  take_common(step, copy, words);
  take_destination(step, copy.destination, directory, words);
  if (copy.from) {
    step.from = setting.source_of(copy.from->text, copy.from->span, words).value_or(Source());
  }
  planned.history = history_of(copy.parents ? "COPY --parents" : "COPY", copy, step, words);
  return planned;
}

PlannedCopy plan_add(const cf::Add& add, const std::string& directory, StageWords& words) {
  PlannedCopy planned;
  auto& step = planned.step;
  const auto errors = words.diagnostics().error_count();
  for (const auto& word : add.sources) {
    add_source(step, word, add.keep_git_directory, words);
  }
  step.unpack = !add.unpack ? Unpack::local_archives : *add.unpack ? Unpack::always : Unpack::never;
  take_common(step, add, words);
  take_destination(step, add.destination, directory, words);
  if (add.checksum && words.diagnostics().error_count() == errors) {
    take_checksum(step, *add.checksum, words);
  }
  planned.history = history_of("ADD", add, step, words);
  return planned;
}

PlannedCopy plan_fetch(const cf::Fetch& fetch, const std::string& directory, StageWords& words) {
  PlannedCopy planned;
  auto& step = planned.step;
  const auto text = words.expand(fetch.source);
  auto source = parse_fetch(text);
  if (!source) {
    words.error(fetch.source.span, "bad-source", source.error().message(), source.error().hint());
    return planned;
  }
  if (!is_web_address(source->url)) {
    words.error(fetch.source.span, "bad-source", fmt::format("'{}' is no place to fetch from", text),
                "write a URL or 'github:OWNER/REPOSITORY@REF'");
  }
  step.sources.emplace_back(*source);
  const auto destination = words.expand(fetch.destination);
  take_destination(step, fetch.destination, directory, words);
  // The archive of a repository goes into a directory as its files, to any other place as it is.
  step.unpack = source->url != text && step.destination.ends_with('/') ? Unpack::always : Unpack::never;
  if (fetch.checksum) {
    take_checksum(step, *fetch.checksum, words);
  }
  planned.history = fmt::format("FETCH {} {}", text, destination);
  return planned;
}

} // namespace sheaf::plan
