// SPDX-License-Identifier: Apache-2.0
#include "builder/account_commands.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace sheaf::builder {
namespace {

/// System accounts of Debian packages. The numbers are ours; what matters is that they never change.
constexpr std::array<std::pair<std::string_view, unsigned>, 56> k_known = {{
    {"messagebus", 400},
    {"sshd", 401},
    {"_ssh", 402},
    {"ssl-cert", 403},
    {"redis", 404},
    {"postgres", 405},
    {"mysql", 406},
    {"mongodb", 407},
    {"rabbitmq", 408},
    {"memcache", 409},
    {"tcpdump", 410},
    {"ntpsec", 411},
    {"_chrony", 412},
    {"avahi", 413},
    {"polkitd", 414},
    {"rtkit", 415},
    {"pulse", 416},
    {"pulse-access", 417},
    {"colord", 418},
    {"geoclue", 419},
    {"crontab", 420},
    {"docker", 421},
    {"kvm", 422},
    {"render", 423},
    {"input", 424},
    {"sgx", 425},
    {"netdev", 426},
    {"lpadmin", 427},
    {"scanner", 428},
    {"saned", 429},
    {"uuidd", 430},
    {"dnsmasq", 431},
    {"_rpc", 432},
    {"statd", 433},
    {"tss", 434},
    {"systemd-journal", 435},
    {"systemd-network", 436},
    {"systemd-resolve", 437},
    {"systemd-timesync", 438},
    {"systemd-coredump", 439},
    {"libvirt-qemu", 440},
    {"swtpm", 441},
    {"haproxy", 442},
    {"bind", 443},
    {"Debian-exim", 444},
    {"postfix", 445},
    {"postdrop", 446},
    {"dovecot", 447},
    {"dovenull", 448},
    {"opendkim", 449},
    {"clamav", 450},
    {"elasticsearch", 451},
    {"grafana", 452},
    {"prometheus", 453},
    {"jenkins", 454},
    {"wireshark", 455},
}};

constexpr unsigned k_first = 30000;
constexpr unsigned k_count = 30000;

/// The CRC of cksum(1), which every POSIX system has, so that the shell script below computes the same.
std::uint32_t posix_checksum(std::string_view text) {
  std::uint32_t crc = 0;
  const auto add = [&crc](unsigned byte) {
    crc ^= byte << 24U;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 0x80000000U) != 0 ? (crc << 1U) ^ 0x04C11DB7U : crc << 1U;
    }
  };
  for (const char c : text) {
    add(static_cast<unsigned char>(c));
  }
  for (auto length = text.size(); length > 0; length >>= 8U) {
    add(static_cast<unsigned>(length & 0xFFU));
  }
  return ~crc;
}

std::string known_cases() {
  std::string text;
  for (const auto& [name, id] : k_known) {
    text += fmt::format("    {}) echo {} ;;\n", name, id);
  }
  return text;
}

/// `{}`: program, options that choose an id, option that sets one, the file that tells taken ids, condition under
/// which the command creates an account at all.
constexpr std::string_view k_script = R"sh(#!/bin/sh
# Gives new accounts the id that belongs to their name. Made by sheaf; only there while a layer builds.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
program={program}

id_for_name() {{
  case "$1" in
{cases}    *) set -- $(printf %s "$1" | cksum); echo $(( {first} + $1 % {count} )) ;;
  esac
}}

choose=yes name= previous=
for word in "$@"; do
  case "$word" in
    {fixed}) choose=no ;;
  esac
  case "$previous" in
    {valued}) ;;
    *) case "$word" in -*) ;; *) [ -n "$name" ] || name=$word; second=$word ;; esac ;;
  esac
  previous=$word
done
{extra}
if [ "$choose" = no ] || [ -z "$name" ] || getent {database} "$name" >/dev/null; then
  exec "$program" "$@"
fi
id=$(id_for_name "$name")
while getent {database} "$id" >/dev/null; do id=$((id + 1)); done
exec "$program" {option} "$id" "$@"
)sh";

struct Command {
  std::string_view name;
  std::string_view database;
  /// Options after which we do not choose: an id is given, or the account is no system account.
  std::string_view fixed;
  /// Options that take the next word as their value.
  std::string_view valued;
  std::string_view option;
  std::string_view extra;
};

constexpr std::array<Command, 4> k_commands = {{
    {"useradd", "passwd", "-u|-[!-]*u|--uid|--uid=*|-D|--defaults",
     "-[bcdefgGkKpRPsuZ]|-[!-]*[bcdefgGkKpRPsuZ]|--base-dir|--comment|--home-dir|--expiredate|--inactive|--gid|--"
     "groups|"
     "--skel|--key|--password|--root|--prefix|--shell|--uid",
     "-u", ""},
    {"groupadd", "group", "-g|-[!-]*g|--gid|--gid=*",
     "-[gKpRPU]|-[!-]*[gKpRPU]|--gid|--key|--password|--root|--prefix|--users", "-g", ""},
    {"adduser", "passwd", "--uid|--uid=*|--group-only",
     "--home|--shell|--ingroup|--gid|--gecos|--comment|--conf|--firstuid|--lastuid|--uid", "--uid",
     R"(# 'adduser user group' adds a member and creates nothing.
[ "$name" = "$second" ] || choose=no)"},
    {"addgroup", "group", "--gid|--gid=*", "--conf|--gid|--firstgid|--lastgid", "--gid",
     R"([ "$name" = "$second" ] || choose=no)"},
}};

} // namespace

std::map<std::string, std::string> account_commands() {
  std::map<std::string, std::string> scripts;
  for (const auto& command : k_commands) {
    scripts.emplace(command.name,
                    fmt::format(fmt::runtime(k_script), fmt::arg("program", fmt::format("/usr/sbin/{}", command.name)),
                                fmt::arg("cases", known_cases()), fmt::arg("first", k_first),
                                fmt::arg("count", k_count), fmt::arg("fixed", command.fixed),
                                fmt::arg("valued", command.valued), fmt::arg("database", command.database),
                                fmt::arg("option", command.option), fmt::arg("extra", command.extra)));
  }
  return scripts;
}

unsigned id_for_name(const std::string& name) {
  for (const auto& [known, id] : k_known) {
    if (known == name) {
      return id;
    }
  }
  return k_first + posix_checksum(name) % k_count;
}

} // namespace sheaf::builder
