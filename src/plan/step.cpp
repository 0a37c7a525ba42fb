// SPDX-License-Identifier: Apache-2.0
#include "plan/step.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::plan {
namespace {

/// Lines of "name value value…", each value quoted where it has to be.
class Description {
public:
  template <class... Values>
  void line(std::string_view name, const Values&... values) {
    m_text += name;
    ((m_text += " " + shell_quote(text_of(values))), ...);
    m_text += '\n';
  }
  std::string take() { return std::move(m_text); }

private:
  static std::string text_of(const std::string& value) { return value; }
  static std::string text_of(const char* value) { return value; }
  static std::string text_of(bool value) { return value ? "yes" : "no"; }
  static std::string text_of(unsigned value) { return std::to_string(value); }

  std::string m_text;
};

/// Which files there are is not said: their content is the builder's to add. Only whether there are any.
const char* source_word(const Source& source) { return source.kind == Source::Kind::nothing ? "nothing" : "tree"; }

const char* sharing_word(CacheMount::Sharing sharing) {
  switch (sharing) {
  case CacheMount::Sharing::shared:
    return "shared";
  case CacheMount::Sharing::private_copy:
    return "private";
  case CacheMount::Sharing::locked:
    break;
  }
  return "locked";
}

const char* network_word(Network network) {
  switch (network) {
  case Network::standard:
    return "default";
  case Network::none:
    return "none";
  case Network::host:
    break;
  }
  return "host";
}

const char* unpack_word(Unpack unpack) {
  switch (unpack) {
  case Unpack::never:
    return "never";
  case Unpack::local_archives:
    return "local";
  case Unpack::always:
    break;
  }
  return "always";
}

struct MountDescriber {
  Description& text;
  const std::string& target;

  void operator()(const BindMountSource& bind) const {
    text.line("bind", target, source_word(bind.from), bind.path, bind.writable);
  }
  void operator()(const CacheMount& cache) const {
    text.line("cache", target, cache.id, source_word(cache.from), cache.path, sharing_word(cache.sharing),
              cache.read_only, cache.uid, cache.gid, cache.mode);
  }
  void operator()(const TmpfsMount& tmpfs) const {
    text.line("tmpfs", target, tmpfs.size ? std::to_string(*tmpfs.size) : std::string());
  }
  void operator()(const SecretMount& secret) const {
    text.line("secret", target, secret.id, secret.required, secret.environment, secret.uid, secret.gid, secret.mode);
  }
  void operator()(const SshMount& ssh) const {
    text.line("ssh", target, ssh.id, ssh.required, ssh.uid, ssh.gid, ssh.mode);
  }
};

struct SourceDescriber {
  Description& text;

  void operator()(const PathSource& source) const { text.line("path", source.path); }
  void operator()(const InlineSource& source) const { text.line("inline", source.name, source.content); }
  void operator()(const HttpSource& source) const { text.line("http", source.url, source.checksum); }
  void operator()(const GitSource& source) const {
    text.line("git", source.url, source.ref, source.folder, source.keep_git_directory, source.checksum);
  }
};

struct ActionDescriber {
  Description& text;

  void operator()(const RunStep& run) const {
    text.line("run", shell_join(run.argv));
    if (run.script) {
      text.line("script", *run.script);
    }
    for (const auto& [name, value] : run.environment) {
      if (std::ranges::find(run.not_in_key, name) == run.not_in_key.end()) {
        text.line("env", name, value);
      }
    }
    text.line("in", run.directory);
    text.line("as", run.user);
    for (const auto& mount : run.mounts) {
      std::visit(MountDescriber{text, mount.target}, mount.what);
    }
    text.line("network", network_word(run.network));
    text.line("security", run.security == Security::insecure ? "insecure" : "sandbox");
  }

  void operator()(const CopyStep& copy) const {
    text.line("copy", source_word(copy.from), copy.destination);
    for (const auto& source : copy.sources) {
      std::visit(SourceDescriber{text}, source);
    }
    text.line("owner", copy.owner);
    text.line("mode", copy.mode);
    for (const auto& pattern : copy.excludes) {
      text.line("exclude", pattern);
    }
    text.line("unpack", unpack_word(copy.unpack));
    text.line("link", copy.link);
    text.line("parents", copy.parents);
  }

  void operator()(const MakeDirectoryStep& directory) const { text.line("mkdir", directory.path, directory.user); }
  void operator()(const SnapshotStep& snapshot) const { text.line("snapshot", snapshot.path); }
};

} // namespace

std::string describe(const Step& step) {
  Description text;
  std::visit(ActionDescriber{text}, step.action);
  return text.take();
}

} // namespace sheaf::plan
