// SPDX-License-Identifier: Apache-2.0
#include "builder/account_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
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

/// The CRC of cksum(1); the shell scripts below compute the same.
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

/// What all scripts start with. Only the shell itself is used, because a small base has neither getent nor cksum: it
/// has to be right in dash, bash and busybox. `@CASES@`, `@FIRST@` and `@COUNT@` are filled in.
constexpr std::string_view k_prelude = R"sh(#!/bin/sh
# Gives new accounts the id that belongs to their name. Made by sheaf; only there while a layer builds.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
etc=/etc
# The characters of codes 33 to 126.
alphabet='!"#$%&'\''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~'

# Is there an entry with the name or id $2 in the database $1, passwd or group?
taken() {
  [ -r "$etc/$1" ] || return 1
  while IFS=: read -r account _ number _ || [ -n "$account" ]; do
    [ "$account" != "$2" ] && [ "$number" != "$2" ] || return 0
  done <"$etc/$1"
  return 1
}

# Leads the checksum $crc over one more byte.
add_byte() {
  crc=$((crc ^ ($1 << 24))) bit=0
  while [ "$bit" -lt 8 ]; do
    if [ "$((crc & 0x80000000))" -ne 0 ]; then
      crc=$((((crc << 1) ^ 0x04C11DB7) & 0xFFFFFFFF))
    else
      crc=$(((crc << 1) & 0xFFFFFFFF))
    fi
    bit=$((bit + 1))
  done
}

# As cksum(1).
checksum() {
  left=$1 length=${#1} crc=0
  while [ -n "$left" ]; do
    after=${left#?}
    before=${alphabet%%"${left%"$after"}"*}
    add_byte "$((33 + ${#before}))"
    left=$after
  done
  while [ "$length" -gt 0 ]; do
    add_byte "$((length & 255))"
    length=$((length >> 8))
  done
  echo "$((crc ^ 0xFFFFFFFF))"
}

# The id of the name $1; with a number $2, the one to take when the $2 before it were taken.
id_for_name() {
  case "$1${2:+:$2}" in
@CASES@    *) echo "$((@FIRST@ + $(checksum "$1${2:+:$2}") % @COUNT@))" ;;
  esac
}

# Is the id $2 in use in one of the databases $1? What this run has chosen so far is in $chosen.
is_used() {
  for one in $1; do
    taken "$one" "$2" && return 0
    case "$chosen" in *" $one:$2 "*) return 0 ;; esac
  done
  return 1
}

# The id for the new entry $2 of the databases $1.
free_id() {
  attempt= candidate=$(id_for_name "$2")
  while is_used "$1" "$candidate"; do
    attempt=$((attempt + 1))
    candidate=$(id_for_name "$2" "$attempt")
  done
  echo "$candidate"
}
chosen=' '

find_program() {
  called=${program##*/}
  [ -x "$program" ] || program=$(command -v "$called") || {
    echo "$called: not found" >&2
    exit 127
  }
}
)sh";

/// For the commands that make one account: `@PROGRAM@`, `@FIXED@`, `@VALUED@`, `@DATABASE@`, `@OPTION@`, `@EXTRA@` are
/// the fields of Command.
constexpr std::string_view k_script = R"sh(program=@PROGRAM@
find_program

choose=yes name= previous=
for word in "$@"; do
  case "$word" in
    @FIXED@) choose=no ;;
  esac
  case "$previous" in
    @VALUED@) ;;
    *) case "$word" in -*) ;; *) [ -n "$name" ] || name=$word; second=$word ;; esac ;;
  esac
  previous=$word
done
option=@OPTION@ ranges=
@EXTRA@
if [ "$choose" = no ] || [ -z "$name" ] || taken @DATABASE@ "$name"; then
  exec "$program" "$@"
fi
exec "$program" $ranges "$option" "$(free_id @DATABASE@ "$name")" "$@"
)sh";

/// systemd-sysusers(8) takes a table, from files, its arguments or its input. The accounts that it would number itself
/// are made first, from the same lines with the id filled in; then it runs as it was called and finds them there.
constexpr std::string_view k_sysusers_script = R"sh(program=/usr/bin/systemd-sysusers
find_program

inline=no replace= files= reads_input=no
for word in "$@"; do
  case "$word" in
    --inline) inline=yes ;;
    --replace=*) replace=${word#--replace=} ;;
    -) reads_input=yes ;;
    # Another root, or nothing is changed.
    --root* | --image* | --dry-run | --cat-config | --tldr | --help | -h | --version | --replace) exec "$program" "$@" ;;
  esac
done

# Prints the definition files that count: of equal names the first wins.
all_files() {
  seen=' '
  for folder in "$etc/sysusers.d" /run/sysusers.d /usr/local/lib/sysusers.d /usr/lib/sysusers.d; do
    for file in "$folder"/*.conf; do
      case "$seen" in *" ${file##*/} "*) continue ;; esac
      [ -f "$file" ] && seen="$seen${file##*/} " && [ "${file##*/}" != "${replace##*/}" ] && cat "$file" && echo
    done
  done
}

find_file() {
  case "$1" in */*) cat "$1"; return ;; esac
  for folder in "$etc/sysusers.d" /run/sysusers.d /usr/local/lib/sysusers.d /usr/lib/sysusers.d; do
    [ -f "$folder/$1" ] && cat "$folder/$1" && return
  done
}

input=
[ "$reads_input" = no ] || input=$(cat)

# Prints the lines that the call is about.
lines() {
  named=no
  for word in "$@"; do
    case "$word" in
      -) printf '%s\n' "$input" ;;
      -*) continue ;;
      *) if [ "$inline" = yes ]; then printf '%s\n' "$word"; else find_file "$word" && echo; fi ;;
    esac
    named=yes
  done
  [ "$named" = yes ] && [ -z "$replace" ] || all_files
}

is_made() { taken "$1" "$2" || case "$made" in *" $1:$2 "*) ;; *) false ;; esac; }

# Adds a line that makes the user or group $2 with an id of its name, unless there is one. $3: ":" and the user's group,
# $4: the rest of the line.
decide() {
  case "$1$3" in
    g*) is_made group "$2" && return; databases=group ;;
    # A user's own group gets the user's number.
    u*:*) is_made passwd "$2" && return; databases=passwd ;;
    *) is_made passwd "$2" && return; is_made group "$2" && databases=passwd || databases='passwd group' ;;
  esac
  id=$(free_id "$databases" "$2")
  for database in $databases; do
    made="$made$database:$2 " chosen="$chosen$database:$id "
  done
  add_line "$1 $2 $id$3${4:+ $4}"
  needed=yes
}

add_line() {
  table="$table$1
"
}

made=' ' table= members= needed=no
while read -r kind name number rest; do
  case "$name$number" in *[\"\'%]*) continue ;; esac
  case "$kind:$number" in
    u:- | u!:- | g:- | u: | u!: | g:) decide "$kind" "$name" '' "$rest" ;;
    # A number is given: the line is kept, for users of the table may need it.
    u:[0-9/]* | u!:[0-9/]*)
      made="${made}passwd:$name group:$name " chosen="${chosen}passwd:${number%%:*} group:${number%%:*} "
      add_line "$kind $name $number${rest:+ $rest}"
      ;;
    g:[0-9/]*)
      made="${made}group:$name " chosen="${chosen}group:$number "
      add_line "$kind $name $number"
      ;;
    u:-:* | u!:-:*) decide "$kind" "$name" "${number#-}" "$rest" ;;
    # A member of a group: both are made if they are missing.
    m:?*) members="$members$name $number
" ;;
  esac
done <<EOF
$(lines "$@")
EOF
while read -r name group; do
  [ -n "$name" ] || continue
  decide u "$name" '' ''
  decide g "$group" '' ''
done <<EOF
$members
EOF

[ "$needed" = no ] || printf '%s' "$table" | "$program" - || exit
if [ "$reads_input" = yes ]; then
  printf '%s\n' "$input" | "$program" "$@"
else
  exec "$program" "$@"
fi
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

/// Debian's adduser and addgroup are scripts around useradd, with long options; those of busybox have short ones only.
constexpr std::string_view k_adduser_extra = R"sh(# 'adduser user group' adds a member and creates nothing.
[ "$name" = "$second" ] || choose=no
[ "$choose" = no ] || case "$("$program" --help 2>&1)" in *BusyBox*) option=${option%id} option=${option#-} ;; esac)sh";

/// The user's own group gets the user's number only if that is in the range for groups.
constexpr std::string_view k_useradd_extra = "ranges='-K SYS_UID_MAX=60000 -K SYS_GID_MAX=60000 -K GID_MIN=100'";

constexpr std::array<Command, 4> k_commands = {{
    {"useradd", "passwd", "-u|-[!-]*u|--uid|--uid=*|-D|--defaults",
     "-[bcdefgGkKpRPsuZ]|-[!-]*[bcdefgGkKpRPsuZ]|--base-dir|--comment|--home-dir|--expiredate|--inactive|--gid|--"
     "groups|"
     "--skel|--key|--password|--root|--prefix|--shell|--uid",
     "-u", k_useradd_extra},
    {"groupadd", "group", "-g|-[!-]*g|--gid|--gid=*",
     "-[gKpRPU]|-[!-]*[gKpRPU]|--gid|--key|--password|--root|--prefix|--users", "-g", ""},
    {"adduser", "passwd", "-u|-[!-]*u|-u[0-9]*|--uid|--uid=*|--group-only",
     "-[hgsGuk]|-[!-]*[hgsGuk]|--home|--shell|--ingroup|--gid|--gecos|--comment|--conf|--firstuid|--lastuid|--uid",
     "--uid", k_adduser_extra},
    {"addgroup", "group", "-g|-[!-]*g|-g[0-9]*|--gid|--gid=*", "-g|-[!-]*g|--conf|--gid|--firstgid|--lastgid", "--gid",
     k_adduser_extra},
}};

/// `text` with each of `values`, name to text, in place of @NAME@.
std::string filled(std::string_view text, const std::map<std::string_view, std::string>& values) {
  std::string result;
  while (!text.empty()) {
    const auto found = std::ranges::find_if(values, [&](const auto& value) {
      return text.starts_with('@') && text.substr(1).starts_with(value.first) &&
             text.substr(1 + value.first.size()).starts_with('@');
    });
    if (found != values.end()) {
      result += found->second;
      text.remove_prefix(found->first.size() + 2);
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

} // namespace

std::map<std::string, std::string> account_commands() {
  const auto prelude = filled(
      k_prelude, {{"CASES", known_cases()}, {"FIRST", std::to_string(k_first)}, {"COUNT", std::to_string(k_count)}});
  std::map<std::string, std::string> scripts = {{"systemd-sysusers", prelude + std::string(k_sysusers_script)}};
  for (const auto& command : k_commands) {
    scripts.emplace(command.name, prelude + filled(k_script, {{"PROGRAM", fmt::format("/usr/sbin/{}", command.name)},
                                                              {"FIXED", std::string(command.fixed)},
                                                              {"VALUED", std::string(command.valued)},
                                                              {"DATABASE", std::string(command.database)},
                                                              {"OPTION", std::string(command.option)},
                                                              {"EXTRA", std::string(command.extra)}}));
  }
  return scripts;
}

unsigned id_for_name(const std::string& name, unsigned attempt) {
  for (const auto& [known, id] : k_known) {
    if (known == name && attempt == 0) {
      return id;
    }
  }
  return k_first + posix_checksum(attempt == 0 ? name : fmt::format("{}:{}", name, attempt)) % k_count;
}

} // namespace sheaf::builder
