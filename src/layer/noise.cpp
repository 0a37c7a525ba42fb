// SPDX-License-Identifier: Apache-2.0
#include "layer/noise.hpp"

#include "base/path_pattern.hpp"

#include <algorithm>
#include <array>

namespace sheaf::layer {
namespace {

constexpr std::array k_rules = {
    NoiseRule{"dev/**", "runtime", "mounted anew in every sandbox"},
    NoiseRule{"proc/**", "runtime", "mounted anew in every sandbox"},
    NoiseRule{"sys/**", "runtime", "mounted anew in every sandbox"},
    NoiseRule{"run/**", "runtime", "describes running processes"},
    NoiseRule{"etc/resolv.conf", "runtime", "the host's, mounted anew in every sandbox"},
    NoiseRule{"etc/hosts", "runtime", "the host's, mounted anew in every sandbox"},
    NoiseRule{"etc/hostname", "runtime", "the name of the build sandbox"},
    NoiseRule{"etc/mtab", "runtime", "describes the build's mounts"},
    NoiseRule{"tmp/**", "temporary", "files of the build"},
    NoiseRule{"var/tmp/**", "temporary", "files of the build"},
    NoiseRule{"var/lib/apt/lists/**", "cache", "package lists, provided by the builder"},
    NoiseRule{"var/cache/apt/**", "cache", "downloaded packages, kept by the store"},
    NoiseRule{"var/cache/ldconfig/**", "cache", "ldconfig's memory of file times"},
    NoiseRule{"var/cache/apk/**", "cache", "apk's downloads and indexes"},
    NoiseRule{"var/cache/dnf/**", "cache", "dnf's downloads and indexes"},
    NoiseRule{"var/cache/libdnf5/**", "cache", "dnf's downloads and indexes"},
    NoiseRule{"var/cache/yum/**", "cache", "yum's downloads and indexes"},
    NoiseRule{"root/.npm/**", "cache", "npm's downloads and logs"},
    NoiseRule{"root/.cache/**", "cache", "per-user caches"},
    NoiseRule{"home/*/.npm/**", "cache", "npm's downloads and logs"},
    NoiseRule{"home/*/.cache/**", "cache", "per-user caches"},
    NoiseRule{"var/cache/debconf/*-old", "backup", "debconf's previous database"},
    NoiseRule{"var/lib/dpkg/*-old", "backup", "dpkg's previous database"},
    NoiseRule{"etc/passwd-", "backup", "previous accounts"},
    NoiseRule{"etc/group-", "backup", "previous accounts"},
    NoiseRule{"etc/shadow-", "backup", "previous accounts"},
    NoiseRule{"etc/gshadow-", "backup", "previous accounts"},
    NoiseRule{"etc/subuid-", "backup", "previous accounts"},
    NoiseRule{"etc/subgid-", "backup", "previous accounts"},
    NoiseRule{"etc/.pwd.lock", "lock", "held while accounts change"},
    NoiseRule{"var/lib/dpkg/lock*", "lock", "held while dpkg runs"},
    NoiseRule{"var/lib/dpkg/triggers/Lock", "lock", "held while dpkg runs"},
    NoiseRule{"var/lib/dpkg/triggers/Unincorp", "lock", "triggers in flight; none are at the end of a build"},
    NoiseRule{"var/lib/rpm/.rpm.lock", "lock", "held while rpm runs"},
    NoiseRule{"usr/lib/sysimage/rpm/.rpm.lock", "lock", "held while rpm runs"},
    NoiseRule{"var/lib/rpm/rpmdb.sqlite-shm", "lock", "shared by running processes; SQLite makes it anew"},
    NoiseRule{"usr/lib/sysimage/rpm/rpmdb.sqlite-shm", "lock", "shared by running processes; SQLite makes it anew"},
    NoiseRule{"lib/apk/db/lock", "lock", "held while apk runs"},
    NoiseRule{"usr/lib/apk/db/lock", "lock", "held while apk runs"},
    NoiseRule{"var/lib/dnf/history.sqlite*", "log",
              "says when and by whom packages were installed; rpm's database says which"},
    NoiseRule{"usr/lib/sysimage/libdnf5/transaction_history.sqlite*", "log",
              "says when and by whom packages were installed; rpm's database says which"},
    NoiseRule{"var/lib/apt/daily_lock", "lock", "held while apt runs"},
    NoiseRule{"etc/machine-id", "identity", "names one machine, made at first start"},
    NoiseRule{"var/lib/dbus/machine-id", "identity", "names one machine, made at first start"},
    NoiseRule{"etc/ssh/ssh_host_*", "identity", "keys of one machine, made at first start"},
};

/// Directories that a package owns and expects, although all that lies in them is a cache.
constexpr std::array<std::string_view, 4> k_kept = {"var/cache/apt/archives", "var/cache/apt/archives/partial",
                                                    "var/lib/apt/lists", "var/lib/apt/lists/partial"};

constexpr NoiseRule k_logs{"var/log/**", "log", "says when and how the build ran"};

} // namespace

std::span<const NoiseRule> noise_rules() { return k_rules; }

const NoiseRule* noise_at(const std::string& path, PathIs what) {
  if (what == PathIs::other && matches_path(k_logs.pattern, path)) {
    return &k_logs;
  }
  if (what == PathIs::directory && std::ranges::find(k_kept, path) != k_kept.end()) {
    return nullptr;
  }
  for (const auto& rule : k_rules) {
    if (matches_path(rule.pattern, path)) {
      return &rule;
    }
  }
  return nullptr;
}

} // namespace sheaf::layer
