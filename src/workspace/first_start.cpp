// SPDX-License-Identifier: Apache-2.0
#include "workspace/first_start.hpp"

#include <fmt/format.h>

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace sheaf::workspace {
namespace {

struct Maker {
  std::string_view what;
  /// Any of these rules asks for it.
  std::array<std::string_view, 3> rules;
  /// Fails if it could not be made; succeeds without doing anything if it is there, or what would use it is not.
  std::string_view commands;
};

constexpr std::array<Maker, 4> k_makers = {{
    {"the SSH host keys", {"etc/ssh/ssh_host_*"}, R"sh([ ! -e /etc/ssh/sshd_config ] || ssh-keygen -A)sh"},
    {"the snakeoil certificate",
     {"etc/ssl/certs/ssl-cert-snakeoil.pem", "etc/ssl/private/ssl-cert-snakeoil.key", "etc/ssl/certs/*.[0-9]"},
     R"sh([ ! -x /usr/sbin/make-ssl-cert ] || [ -e /etc/ssl/private/ssl-cert-snakeoil.key ] ||
  make-ssl-cert generate-default-snakeoil --force-overwrite)sh"},
    // pg_createcluster makes configuration and data together. The layer may have edited the configuration: it is put
    // back over the new one.
    {"the PostgreSQL clusters",
     {"var/lib/postgresql/*/*/**"},
     R"sh(for conf in /etc/postgresql/*/*; do
  [ -e "$conf/postgresql.conf" ] || continue
  name=${conf##*/} version=${conf%/*} version=${version##*/}
  data=$(sed -n "s/^data_directory *= *'\([^']*\)'.*/\1/p" "$conf/postgresql.conf" | tail -n 1)
  data=${data:-/var/lib/postgresql/$version/$name}
  [ ! -e "$data/PG_VERSION" ] || continue
  mv "$conf" "$conf.sheaf" || exit 1
  pg_createcluster --datadir="$data" "$version" "$name"
  status=$?
  rm -rf "$conf" && mv "$conf.sheaf" "$conf" && [ "$status" = 0 ] || exit 1
done)sh"},
    {"the MySQL or MariaDB data",
     {"var/lib/mysql/**"},
     R"sh([ -d /var/lib/mysql/mysql ] ||
  if command -v mariadb-install-db; then
    mariadb-install-db --user=mysql --datadir=/var/lib/mysql --skip-test-db
  elif command -v mysqld; then
    mysqld --initialize-insecure --user=mysql
  fi)sh"},
}};

bool contains(const std::vector<std::string>& scrubbed, std::string_view rule) {
  return !rule.empty() && std::ranges::find(scrubbed, rule) != scrubbed.end();
}

/// As systemd writes it: 32 lower-case hex digits and a line break, of a UUID of version 4 (machine-id(5)).
Result<std::string> new_machine_id() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Error::from_errno(errno, "making a machine id");
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x40U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);
  std::string text;
  for (const auto byte : bytes) {
    text += fmt::format("{:02x}", byte);
  }
  return text + "\n";
}

} // namespace

Result<std::vector<sandbox::NewFile>> first_start_files(const std::vector<std::string>& scrubbed) {
  std::vector<sandbox::NewFile> files;
  for (const auto* path : {"etc/machine-id", "var/lib/dbus/machine-id"}) {
    if (!contains(scrubbed, path)) {
      continue;
    }
    if (files.empty()) {
      SHEAF_TRY_ASSIGN(auto id, new_machine_id());
      files.push_back({fmt::format("/{}", path), std::move(id), 0444});
    } else {
      files.push_back({fmt::format("/{}", path), files.front().content, 0444});
    }
  }
  return files;
}

std::string first_start_script(const std::vector<std::string>& scrubbed) {
  std::string script;
  for (const auto& maker : k_makers) {
    if (std::ranges::any_of(maker.rules, [&](std::string_view rule) { return contains(scrubbed, rule); })) {
      script += fmt::format("if ! output=$( ( {}\n) </dev/null 2>&1 ); then\n"
                            "  printf 'warning: %s could not be made:\\n%s\\n' '{}' \"$output\" >&2\nfi\n",
                            maker.commands, maker.what);
    }
  }
  return script.empty()
             ? script
             : "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\numask 022\n" + script + "exit 0\n";
}

} // namespace sheaf::workspace
