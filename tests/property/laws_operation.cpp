// SPDX-License-Identifier: Apache-2.0
#include "property/laws_operation.hpp"

#include "base/text.hpp"
#include "builder/account_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "property/laws_database.hpp"

namespace sheaf::laws {
namespace {

using layer::EntryType;

constexpr std::array k_paths = {"opt/d/a",   "opt/d/b",   "opt/d/e/a", "opt/a",        "opt/h1",   "opt/h2",
                                "opt/new/x", "etc/plain", "etc/tail",  "etc/conf.d/x", "opt/link", "srv/a"};
constexpr std::array k_texts = {"etc/plain", "etc/plain", "etc/tail", "etc/conf.d/x"};
constexpr std::array k_folders = {"opt/d", "opt/d/e", "opt/new", "srv", "etc/conf.d", "opt"};
constexpr std::array<unsigned, 3> k_modes = {0644, 0755, 04755};

template <std::size_t N>
std::string pick(const std::array<const char*, N>& from, unsigned number) {
  return from.at(number % N);
}

/// A file or a directory.
std::string any_path(unsigned number) {
  return number % 4 == 0 ? pick(k_folders, number / 4 % 5) : pick(k_paths, number / 4);
}

/// One step on one root. `m_building` is the first time, when decisions are made.
class Step {
public:
  Step(Operation& operation, Workbench& bench, bool building) : m_op(operation), m_bench(bench), m_building(building) {}

  void run() {
    switch (m_op.action) {
    case Action::write:
      return write();
    case Action::append:
      return append();
    case Action::edit_line:
    case Action::delete_line:
      return change_line();
    case Action::remove:
      return remove(any_path(m_op.a));
    case Action::rename:
      return rename(pick(k_paths, m_op.a), pick(k_paths, m_op.b));
    case Action::chmod:
    case Action::chown:
    case Action::set_attribute:
      return change_metadata();
    case Action::hard_link:
    case Action::symlink:
    case Action::make_directory:
      return make();
    case Action::directory_to_file:
      return directory_to_file();
    case Action::clear_directory:
      return clear_directory();
    case Action::install:
      return install();
    case Action::uninstall:
      return uninstall();
    default:
      return change_database();
    }
  }

private:
  /// Decides while the layer is built; the answer then holds.
  bool decide(bool acts) {
    if (m_building) {
      m_op.acts = acts;
    }
    return m_op.acts;
  }

  void write() { m_bench.write(pick(k_paths, m_op.a), fmt::format("content {}\n", m_op.b % 3)); }

  void append() {
    const auto path = pick(k_texts, m_op.a);
    if (decide(m_bench.is_file(path))) {
      m_bench.write(path, m_bench.text(path) + m_op.mark + "\n");
    }
  }

  /// sed -i 's/^kN=.*/kN=M/' or '/^kN=/d'.
  void change_line() {
    const auto path = pick(k_texts, m_op.a);
    if (!decide(m_bench.is_file(path))) {
      return;
    }
    const auto key = fmt::format("k{}=", m_op.b % 9);
    std::string text;
    const auto before = m_bench.text(path);
    for (std::string_view rest = before; !rest.empty();) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const auto line = rest.substr(0, end);
      const auto newline = rest.substr(end, 1);
      if (!line.starts_with(key)) {
        text.append(line).append(newline);
      } else if (m_op.action == Action::edit_line) {
        text.append(key).append(std::to_string(10 + m_op.b / 9 % 2)).append(newline);
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    m_bench.write(path, text);
  }

  /// rm -r of what is there to be seen.
  void remove(const std::string& path) {
    if (m_building) {
      m_op.seen = m_bench.below(path);
    }
    for (auto at = m_op.seen.rbegin(); at != m_op.seen.rend(); ++at) {
      if (m_bench.below(*at).size() == 1) {
        m_bench.remove(*at);
      }
    }
  }

  void rename(const std::string& from, const std::string& to) {
    if (!decide(m_bench.is_file(from) && from != to)) {
      return;
    }
    if (m_building) {
      m_op.seen_text = m_bench.text(from);
    }
    remove(from);
    m_bench.remove(to);
    m_bench.write(to, m_op.seen_text);
  }

  void change_metadata() {
    const auto path = any_path(m_op.a);
    const auto* node = m_bench.find(path);
    if (!decide(node != nullptr && node->type != EntryType::symlink)) {
      return;
    }
    m_bench.change(path, [&](Node& changed) {
      if (m_op.action == Action::chmod) {
        changed.mode = k_modes.at(m_op.b % 3);
      } else if (m_op.action == Action::chown) {
        changed.uid = changed.gid = 7 + m_op.b % 2;
      } else {
        changed.attributes["user.note"] = std::to_string(m_op.b % 2);
      }
    });
  }

  void make() {
    if (m_op.action == Action::make_directory) {
      m_bench.make_directory(pick(k_folders, m_op.a));
    } else if (m_op.action == Action::symlink) {
      m_bench.link_symbolically(pick(k_paths, m_op.a), fmt::format("target{}", m_op.b % 2));
    } else if (decide(m_bench.is_file(pick(k_paths, m_op.a)))) {
      m_bench.link(pick(k_paths, m_op.a), pick(k_paths, m_op.b));
    }
  }

  void directory_to_file() {
    const auto path = pick(k_folders, m_op.a % 5);
    if (decide(m_bench.is_directory(path))) {
      m_bench.remove(path);
      m_bench.write(path, fmt::format("was a directory {}\n", m_op.b % 2));
    }
  }

  /// rm -r DIRECTORY && mkdir DIRECTORY && something in it.
  void clear_directory() {
    const auto path = pick(k_folders, m_op.a % 5);
    if (!decide(m_bench.is_directory(path))) {
      return;
    }
    remove(path);
    m_bench.make_directory(path);
    if (m_op.b % 3 != 0) {
      m_bench.write(path + "/a", fmt::format("content {}\n", m_op.b % 2));
    }
  }

  /// apt-get install pN=V; a package that comes along is marked as automatic.
  void install() {
    const auto name = fmt::format("p{}", m_op.a % 5);
    const bool automatic = m_op.b % 3 == 0;
    const auto version = std::to_string(1 + m_op.b / 3 % 8 / 7); // mostly the same one
    if (m_building) {
      m_op.seen_text = installed_version(m_bench, name);
    }
    if (m_op.seen_text == version) {
      if (!automatic) {
        mark(m_bench, name, false);
      }
      return;
    }
    const bool was_asked_for = !installed_version(m_bench, name).empty() && !is_marked(m_bench, name);
    put_package(m_bench, name, version);
    if (m_op.seen_text.empty()) {
      mark(m_bench, name, automatic && !was_asked_for);
    }
  }

  void uninstall() {
    const auto name = fmt::format("p{}", m_op.a % 5);
    if (decide(!installed_version(m_bench, name).empty())) {
      drop_package(m_bench, name);
    }
  }

  void change_database() {
    switch (m_op.action) {
    case Action::divert:
      return divert();
    case Action::stat_override:
      return override_mode();
    case Action::add_user:
      return put_user(m_bench, fmt::format("u{}", m_op.a % 6), m_op.mark);
    case Action::add_member:
      if (const auto group = fmt::format("{}{}", m_op.a % 2 == 0 ? "g" : "u", m_op.a / 2 % 2);
          decide(has_group(m_bench, group))) {
        put_member(m_bench, group, fmt::format("m{}", m_op.b % 3));
      }
      return;
    case Action::edit_user:
      return edit_user(m_bench, m_op.a % 3 == 0 ? "daemon" : "root", 4 + m_op.a % 3, m_op.b % 2);
    case Action::add_choice:
      return put_choice(m_bench, m_op.a % 5);
    case Action::choose:
      return choose(decide(has_choice(m_bench, m_op.a % 5)));
    case Action::remove_choice:
      if (decide(has_choice(m_bench, m_op.a % 5))) {
        drop_choice(m_bench, m_op.a % 5);
      }
      return;
    case Action::add_shell:
      return put_line(m_bench, "etc/shells", fmt::format("/bin/shell{}", m_op.a % 4));
    default:
      return set_variable(m_bench, fmt::format("V{}", m_op.a % 3), m_op.b % 2);
    }
  }

  void choose(bool acts) {
    if (acts) {
      choose_by_hand(m_bench, m_op.a % 5);
    }
  }

  void divert() {
    const auto path = fmt::format("opt/d/{}", m_op.a % 2 == 0 ? "a" : "b");
    if (decide(m_bench.is_file(path) && !has_diversion(m_bench, path))) {
      put_diversion(m_bench, path);
      if (m_building) {
        m_op.seen_text = m_bench.text(path);
      }
      remove(path);
      m_bench.write(path + ".distrib", m_op.seen_text);
    }
  }

  void override_mode() {
    const auto path = fmt::format("opt/d/{}", m_op.a % 2 == 0 ? "a" : "b");
    if (decide(m_bench.is_file(path))) {
      const auto mode = k_modes.at(m_op.b % 3);
      put_stat_override(m_bench, path, mode);
      m_bench.change(path, [&](Node& node) { node.mode = mode; });
    }
  }

  Operation& m_op;
  Workbench& m_bench;
  bool m_building;
};

constexpr std::array<const char*, static_cast<std::size_t>(Action::count)> k_names = {
    "write",      "append",    "edit_line",     "delete_line",   "remove",      "rename",      "chmod",
    "chown",      "setxattr",  "hard_link",     "symlink",       "mkdir",       "dir_to_file", "clear_dir",
    "install",    "uninstall", "divert",        "stat_override", "add_user",    "add_member",  "edit_user",
    "add_choice", "choose",    "remove_choice", "add_shell",     "set_variable"};

std::string numbered_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += fmt::format("k{}={}\n", i, i);
  }
  return text;
}

void add_databases(Root& root, Workbench& bench, unsigned variant) {
  bench.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/false\n");
  bench.write("etc/group", "root:x:0:\ndaemon:x:1:\ng0:x:50:m0\ng1:x:51:\n");
  bench.write("etc/shadow", "root:*:100:0:99999:7:::\ndaemon:*:100:0:99999:7:::\n");
  root["etc/shadow"].mode = 0640;
  bench.write("etc/shells", "/bin/sh\n");
  bench.write("var/lib/dpkg/status", "");
  bench.write("var/lib/apt/extended_states", "");
  bench.write("var/lib/dpkg/triggers/File", "");
  bench.write("var/lib/dpkg/info/format", "1\n");
  bench.make_directory("var/lib/dpkg/alternatives");
  bench.make_directory("etc/alternatives");
  bench.make_directory("usr/bin");
  bench.make_directory("home");
  for (const auto* name : {"p0", "p1"}) {
    put_package(bench, name, "1");
  }
  mark(bench, "p1", true);
  if (variant % 2 == 0) {
    bench.write("etc/environment", "V0=0\n");
    bench.write("var/lib/dpkg/diversions", "");
    bench.write("var/lib/dpkg/statoverride", "");
  }
  for (unsigned choice = 0; choice < variant % 3; ++choice) {
    put_choice(bench, choice * 2);
  }
}

} // namespace

Operation random_operation(std::mt19937& random, std::string mark) {
  const auto action = static_cast<Action>(random() % static_cast<unsigned>(Action::count));
  return {action, static_cast<unsigned>(random() % 1000), static_cast<unsigned>(random() % 1000), std::move(mark)};
}

std::string to_string(const Operation& operation) {
  return fmt::format("{} {} {}", k_names.at(static_cast<std::size_t>(operation.action)), operation.a, operation.b);
}

bool deletes(const Operation& operation) {
  switch (operation.action) {
  case Action::remove:
  case Action::rename:
  case Action::clear_directory:
  case Action::directory_to_file:
  case Action::uninstall:
  case Action::remove_choice:
    return true;
  default:
    return false;
  }
}

void build(Operation& operation, Workbench& bench) { Step(operation, bench, true).run(); }

void repeat(const Operation& operation, Workbench& bench) {
  auto again = operation;
  Step(again, bench, false).run();
}

Root base_root(unsigned variant) {
  Root root;
  Workbench bench(root, 1);
  bench.write("opt/d/a", "base a\n");
  bench.write("opt/d/b", "base b\n");
  bench.write("opt/d/e/a", "base e\n");
  bench.write("opt/h1", "linked\n");
  bench.link("opt/h1", "opt/h2");
  bench.link_symbolically("opt/link", "d/a");
  bench.write("etc/plain", numbered_lines(9));
  auto tail = numbered_lines(4);
  tail.pop_back();
  bench.write("etc/tail", tail);
  add_databases(root, bench, variant);
  return root;
}

} // namespace sheaf::laws
