// SPDX-License-Identifier: Apache-2.0
#include "layer/capture_rules.hpp"

#include "base/path_pattern.hpp"

#include <fmt/format.h>

#include <fnmatch.h>

#include <algorithm>
#include <array>

namespace sheaf::layer {
namespace {

using Rules = std::vector<CaptureRule>;

/// Of the distribution and its package managers.
const Rules& system_rules() {
  static const Rules rules = {
      {"var/cache/apt/archives", "keep", "a directory that apt expects"},
      {"var/cache/apt/archives/partial", "keep", "a directory that apt expects"},
      {"var/lib/apt/lists", "keep", "a directory that apt expects"},
      {"var/lib/apt/lists/partial", "keep", "a directory that apt expects"},
      {"var/lib/dpkg/triggers/Unincorp", "keep", "where it is missing, dpkg leaves triggers of all packages pending"},
      {"dev/**", "runtime", "mounted anew in every sandbox"},
      {"proc/**", "runtime", "mounted anew in every sandbox"},
      {"sys/**", "runtime", "mounted anew in every sandbox"},
      {"run/**", "runtime", "describes running processes"},
      {"etc/resolv.conf", "runtime", "the host's, mounted anew in every sandbox"},
      {"etc/hosts", "runtime", "the host's, mounted anew in every sandbox"},
      {"etc/hostname", "runtime", "the name of the build sandbox"},
      {"etc/mtab", "runtime", "describes the build's mounts"},
      {"var/lib/systemd/timers/**", "runtime", "when each timer ran last"},
      {"var/lib/apt/periodic/**", "runtime", "when apt's daily jobs ran last"},
      {"tmp/**", "temporary", "files of the build"},
      {"var/tmp/**", "temporary", "files of the build"},
      {"etc/.#*", "temporary", "a file that was being written"},
      {"etc/ld.so.cache~", "temporary", "ldconfig's cache while it was being written"},
      {"var/lib/dpkg/tmp.ci/**", "temporary", "control files of the package that was being unpacked"},
      {"var/lib/dpkg/*-new", "temporary", "a database file that was being written"},
      {"var/lib/dpkg/info/*-new", "temporary", "a database file that was being written"},
      {"var/log/**", "log", "says when and how the build ran"},
      {"var/lib/dnf/history.sqlite*", "log", "says when packages were installed; rpm's database says which"},
      {"usr/lib/sysimage/libdnf5/transaction_history.sqlite*", "log",
       "says when packages were installed; rpm's database says which"},
      {"var/lib/apt/lists/**", "cache", "package lists, provided by the builder"},
      {"var/cache/apt/**", "cache", "downloaded packages, kept by the store"},
      {"var/cache/apk/**", "cache", "downloaded packages"},
      {"etc/apk/cache/**", "cache", "downloaded packages"},
      {"var/cache/dnf/**", "cache", "downloaded packages and lists"},
      {"var/cache/libdnf5/**", "cache", "downloaded packages and lists"},
      {"var/cache/yum/**", "cache", "downloaded packages and lists"},
      {"var/cache/ldconfig/**", "cache", "ldconfig's memory of file times"},
      {"var/cache/snapd/**", "cache", "lists of the snap store"},
      {"var/lib/snapd/cache/**", "cache", "downloaded snaps"},
      {"var/cache/debconf/*-old", "backup", "debconf's previous database"},
      {"var/lib/dpkg/*-old", "backup", "dpkg's previous database"},
      {"var/lib/ucf/*.[0-9]", "backup", "ucf's previous database"},
      {"var/backups/**", "backup", "copies of databases that cron jobs and scripts keep"},
      {"etc/passwd-", "backup", "previous accounts"},
      {"etc/group-", "backup", "previous accounts"},
      {"etc/shadow-", "backup", "previous accounts"},
      {"etc/gshadow-", "backup", "previous accounts"},
      {"etc/subuid-", "backup", "previous accounts"},
      {"etc/subgid-", "backup", "previous accounts"},
      {"etc/.pwd.lock", "lock", "held while accounts change"},
      {"etc/passwd.lock", "lock", "held while accounts change"},
      {"etc/group.lock", "lock", "held while accounts change"},
      {"etc/shadow.lock", "lock", "held while accounts change"},
      {"etc/gshadow.lock", "lock", "held while accounts change"},
      {"etc/subuid.lock", "lock", "held while accounts change"},
      {"etc/subgid.lock", "lock", "held while accounts change"},
      {"var/lib/dpkg/lock*", "lock", "held while dpkg runs"},
      {"var/lib/dpkg/triggers/Lock", "lock", "held while dpkg runs"},
      {"var/lib/apt/daily_lock", "lock", "held while apt runs"},
      {"var/lib/rpm/.rpm.lock", "lock", "held while rpm runs"},
      {"usr/lib/sysimage/rpm/.rpm.lock", "lock", "held while rpm runs"},
      {"var/lib/rpm/rpmdb.sqlite-shm", "lock", "shared by running processes; SQLite makes it anew"},
      {"usr/lib/sysimage/rpm/rpmdb.sqlite-shm", "lock", "shared by running processes; SQLite makes it anew"},
      {"lib/apk/db/lock", "lock", "held while apk runs"},
      {"usr/lib/apk/db/lock", "lock", "held while apk runs"},
      {"etc/.java/.systemPrefs/.system.lock", "lock", "held while Java preferences change"},
      {"etc/.java/.systemPrefs/.systemRootModFile", "lock", "its time says when Java preferences changed"},
  };
  return rules;
}

/// What names one machine, or is its secret. What is needed is made anew by workspace/first_start.cpp.
const Rules& identity_rules() {
  static const Rules rules = {
      {"etc/machine-id", "identity", "names one machine, made at first start"},
      {"var/lib/dbus/machine-id", "identity", "names one machine, made at first start"},
      {"var/lib/systemd/random-seed", "identity", "seed of one machine's random numbers"},
      {"var/lib/systemd/credential.secret", "identity", "secret of one machine, which systemd makes itself"},
      {"etc/ssh/ssh_host_*", "identity", "keys of one machine, made at first start"},
      {"etc/ssl/certs/ssl-cert-snakeoil.pem", "identity", "certificate of one machine, made at first start"},
      {"etc/ssl/private/ssl-cert-snakeoil.key", "identity", "key of one machine, made at first start"},
      {"etc/ssl/certs/*.[0-9]", "identity", "name by hash of the machine's certificate", "ssl-cert-snakeoil.pem"},
      {"var/lib/postgresql/*/*/**", "identity", "a cluster has a number of its own, made at first start"},
      {"var/lib/mysql/**", "identity", "a server has a number of its own, made at first start"},
      {"var/lib/rabbitmq/.erlang.cookie", "identity", "a shared secret, which the server makes itself"},
  };
  return rules;
}

/// Below the home of root and of every user.
const Rules& home_rules() {
  static const Rules rules = {
      {".cache/ms-playwright/**", "keep", "browsers that Playwright installed and runs from there"},
      {".cache/puppeteer/**", "keep", "browsers that Puppeteer installed and runs from there"},
      {".cache/Cypress/**", "keep", "the program that Cypress installed and runs from there"},
      {".cache/huggingface/**", "keep", "models, fetched on purpose"},
      {".cache/torch/**", "keep", "models, fetched on purpose"},
      {".cache/**", "cache", "per-user caches: pip, Go's builds and others"},
      {".npm/**", "cache", "npm's downloads and logs"},
      {".bun/install/cache/**", "cache", "Bun's downloads"},
      {".composer/cache/**", "cache", "Composer's downloads"},
      {".cpanm/**", "cache", "work folders and logs of cpanm"},
      {".cargo/.global-cache", "cache", "when cargo used each download last"},
      {".config/go/telemetry/**", "cache", "counters of the go command"},
      {".config/configstore/update-notifier-*", "cache", "when a program looked for a newer one last"},
      {".wget-hsts", "cache", "what wget remembers of sites, with times"},
      {".bash_history", "log", "commands of the build"},
      {".python_history", "log", "commands of the build"},
      {".gradle/daemon/**", "log", "says when and how the build ran"},
      {".cargo/.package-cache*", "lock", "held while cargo runs"},
      {".java/.userPrefs/.user.lock.*", "lock", "held while Java preferences change"},
      {".java/.userPrefs/.userRootModFile.*", "lock", "its time says when Java preferences changed"},
      {".gnupg/random_seed", "identity", "seed of one user's random numbers"},
  };
  return rules;
}

Rules make_builtin() {
  auto rules = system_rules();
  const auto& identity = identity_rules();
  rules.insert(rules.end(), identity.begin(), identity.end());
  for (const auto* home : {"root", "home/*"}) {
    for (auto rule : home_rules()) {
      rule.path = fmt::format("{}/{}", home, rule.path);
      rules.push_back(std::move(rule));
    }
  }
  rules.push_back({"usr/local/share/.cache/**", "cache", "root's downloads of Yarn 1"});
  return rules;
}

/// A row of class log takes files only: a service expects its log directory with the right owner, and a link to
/// /dev/stdout was put there on purpose.
bool takes(const CaptureRule& rule, PathIs what, std::string_view target) {
  if (!rule.target.empty()) {
    return what == PathIs::link && rule.target == target;
  }
  return rule.kind != "log" || what == PathIs::other;
}

} // namespace

const std::vector<CaptureRule>& builtin_capture_rules() {
  static const Rules rules = make_builtin();
  return rules;
}

CaptureRules::CaptureRules(std::vector<CaptureRule> own) : m_rules(std::move(own)) {
  const auto& builtin = builtin_capture_rules();
  m_rules.insert(m_rules.end(), builtin.begin(), builtin.end());
  for (const auto& rule : m_rules) {
    m_literal.emplace_back(literal_prefix(rule.path));
  }
}

const CaptureRule* CaptureRules::dropping(const std::string& path, PathIs what, std::string_view target) const {
  for (std::size_t i = 0; i < m_rules.size(); ++i) {
    const auto& rule = m_rules[i];
    if (!path.starts_with(m_literal[i]) || !takes(rule, what, target) || !matches_path(rule.path, path)) {
      continue;
    }
    const bool stays = rule.kind == "keep" || (what == PathIs::directory && may_keep_below(path));
    return stays ? nullptr : &rule;
  }
  return nullptr;
}

bool CaptureRules::may_keep_below(const std::string& path) const {
  const auto depth = std::ranges::count(path, '/') + 1;
  return std::ranges::any_of(m_rules, [&](const CaptureRule& rule) {
    if (rule.kind != "keep") {
      return false;
    }
    std::size_t end = 0; // of as many components of the pattern as the path has
    for (auto left = depth; left > 0 && end != std::string::npos; --left) {
      end = rule.path.find('/', end == 0 ? 0 : end + 1);
    }
    return end != std::string::npos && fnmatch(rule.path.substr(0, end).c_str(), path.c_str(), FNM_PATHNAME) == 0;
  });
}

} // namespace sheaf::layer
