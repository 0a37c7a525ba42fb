// SPDX-License-Identifier: Apache-2.0
#include "property/laws_operation.hpp"

#include "base/text.hpp"
#include "builder/account_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "property/laws_database.hpp"

namespace sheaf::laws {
namespace {

using layer::EntryType;

constexpr std::array k_paths = {"opt/d/a",   "opt/d/b",   "opt/d/e/a", "opt/a",        "opt/h1",   "opt/h2",
                                "opt/new/x", "etc/plain", "etc/tail",  "etc/conf.d/x", "opt/link", "srv/a"};
constexpr std::array k_texts = {"etc/plain", "etc/plain", "etc/tail", "etc/conf.d/x"};
constexpr std::array k_folders = {"opt/d", "opt/d/e", "opt/new", "srv", "etc/conf.d", "opt"};
/// None that the base has, so that no later step takes a change back.
constexpr std::array<unsigned, 3> k_modes = {0700, 0750, 04755};

template <std::size_t N>
std::string pick(const std::array<const char*, N>& from, unsigned number) {
  return from.at(number % N);
}

/// A file or a directory.
std::string any_path(unsigned number) {
  return number % 4 == 0 ? pick(k_folders, number / 4 % 5) : pick(k_paths, number / 4);
}

/// One step on one root. With the view its layer is built on it is the first time, when decisions are made. No step may
/// take back what an earlier one of its layer did: what a layer leaves as it was, it has no say in.
class Step {
public:
  Step(Operation& operation, Workbench& bench, const Root* view)
      : m_op(operation), m_bench(bench), m_view(view), m_building(view != nullptr) {}

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

  /// Is the path, with this text if one is given, in the view of the layer?
  bool was(const std::string& path, std::optional<std::string> text = std::nullopt) const {
    const auto found = m_building ? m_view->find(path) : Root::const_iterator();
    return m_building && found != m_view->end() && (!text || found->second.text == *text);
  }

  bool is_plain(const Node& node) const {
    return node.type == EntryType::directory && node.mode == 0755 && node.uid != 7 && node.uid != 8 &&
           node.attributes.empty();
  }

  bool was_plain(const std::string& path) const { return was(path) && is_plain(m_view->at(path)); }

  bool was_installed(const std::string& name) const { return was(fmt::format("usr/share/{}/data", name)); }

  /// Are the directories above `path` there, or new to the layer?
  bool has_way_to(const std::string& path) const {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto folder = path.substr(0, slash);
      if (m_bench.find(folder) == nullptr ? was(folder) : !m_bench.is_directory(folder)) {
        return false;
      }
    }
    return true;
  }

  void write() {
    const auto path = pick(k_paths, m_op.a);
    if (decide(has_way_to(path))) {
      m_bench.write(path, fmt::format("content {}\n", m_op.b % 3));
    }
  }

  void append() {
    const auto path = pick(k_texts, m_op.a);
    if (decide(m_bench.is_file(path))) {
      m_bench.write(path, m_bench.text(path) + m_op.mark + "\n");
    }
  }

  /// sed -i 's/^kN=.*/kN=M/' or '/^kN=/d'.
  void change_line() {
    const auto path = pick(k_texts, m_op.a);
    const auto key = fmt::format("{}{}=", path == "etc/tail" ? 't' : 'k', m_op.b % 9);
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
    if (decide(m_bench.is_file(path) && text != before)) {
      m_bench.write(path, text);
    }
  }

  /// rm -r of what is there to be seen.
  void remove(const std::string& path) {
    if (m_building) {
      m_op.seen = m_bench.below(path);
      std::erase_if(m_op.seen, [this](const auto& one) { return !was(one); });
    }
    for (auto at = m_op.seen.rbegin(); at != m_op.seen.rend(); ++at) {
      if (m_bench.below(*at).size() == 1) {
        m_bench.remove(*at);
      }
    }
  }

  void rename(const std::string& from, const std::string& to) {
    if (!decide(m_bench.is_file(from) && from != to && has_way_to(to))) {
      return;
    }
    if (m_building) {
      m_op.seen_text = m_bench.text(from);
      m_op.acts = !was(to, m_op.seen_text);
    }
    if (!m_op.acts) {
      return;
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
    const auto path = pick(k_paths, m_op.a);
    const auto folder = pick(k_folders, m_op.a);
    const auto name = pick(k_paths, m_op.b);
    if (m_op.action == Action::make_directory &&
        decide(m_bench.find(folder) == nullptr && !was(folder) && has_way_to(folder))) {
      m_bench.make_directory(folder);
    } else if (m_op.action == Action::symlink && decide(has_way_to(path))) {
      m_bench.link_symbolically(path, fmt::format("target{}", m_op.b % 2));
    } else if (m_op.action == Action::hard_link && decide(m_bench.is_file(path) && path != name && has_way_to(name))) {
      link(path, name);
    }
  }

  void link(const std::string& old, const std::string& path) {
    if (m_building) {
      m_op.seen_text = m_bench.text(old);
    }
    if (m_bench.is_file(old)) {
      m_bench.link(old, path);
    } else {
      m_bench.write(path, m_op.seen_text); // another layer took the other name away, and so did this one later
    }
  }

  void directory_to_file() {
    const auto path = pick(k_folders, m_op.a % 5);
    if (decide(m_bench.is_directory(path))) {
      m_bench.remove(path);
      m_bench.write(path, fmt::format("was a directory {}\n", m_op.b % 2));
    }
  }

  /// rm -r DIRECTORY && mkdir DIRECTORY && something in it. Who makes a directory again as he found it does not say how
  /// it has to be.
  void clear_directory() {
    const auto path = pick(k_folders, m_op.a % 5);
    const auto* found = m_bench.find(path);
    if (!decide(found != nullptr && is_plain(*found) && was_plain(path))) {
      return;
    }
    const auto before = *found;
    remove(path);
    m_bench.make_directory(path);
    if (!m_building) {
      m_bench.change(path, [&](Node& node) {
        node.mode = before.mode;
        node.uid = before.uid;
        node.gid = before.gid;
        node.attributes = before.attributes;
      });
    }
    if (m_op.b % 3 != 0) {
      m_bench.write(path + "/a", fmt::format("content {}\n", m_op.b % 2));
    }
  }

  /// apt-get install pN=V; a package that comes along is marked as automatic.
  void install() {
    const auto name = fmt::format("p{}", m_op.a % 5);
    const bool automatic = m_op.b % 3 == 0;
    const auto version = std::to_string(1 + m_op.b / 3 % 8 / 7); // mostly the same one
    const auto now = installed_version(m_bench, name);
    if (m_building) {
      m_op.seen_text = now;
      m_op.acts = now.empty() ? !was_installed(name) : now < version || (now == version && !automatic);
    }
    if (!m_op.acts) {
      return;
    }
    if (m_op.seen_text == version) {
      return mark(m_bench, name, false);
    }
    const bool was_asked_for = !now.empty() && !is_marked(m_bench, name);
    put_package(m_bench, name, version);
    if (m_op.seen_text.empty()) {
      mark(m_bench, name, automatic && !was_asked_for);
    }
  }

  void uninstall() {
    const auto name = fmt::format("p{}", m_op.a % 5);
    if (decide(!installed_version(m_bench, name).empty() && was_installed(name))) {
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
      if (decide(!has_choice(m_bench, m_op.a % 5) && !had_choice())) {
        put_choice(m_bench, m_op.a % 5);
      }
      return;
    case Action::choose:
      return choose(decide(has_choice(m_bench, m_op.a % 5)));
    case Action::remove_choice:
      if (decide(has_choice(m_bench, m_op.a % 5) && !is_by_hand(m_bench) && had_choice())) {
        drop_choice(m_bench, m_op.a % 5);
      }
      return;
    case Action::add_shell:
      return put_line(m_bench, "etc/shells", fmt::format("/bin/shell{}", m_op.a % 4));
    default:
      return set_variable(m_bench, fmt::format("V{}", m_op.a % 3), 1 + m_op.b % 2);
    }
  }

  bool had_choice() const {
    auto view = m_building ? *m_view : Root();
    return has_choice(Workbench(view, 0), m_op.a % 5);
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
  const Root* m_view;
  bool m_building;
};

constexpr std::array<const char*, static_cast<std::size_t>(Action::count)> k_names = {
    "write",      "append",    "edit_line",     "delete_line",   "remove",      "rename",      "chmod",
    "chown",      "setxattr",  "hard_link",     "symlink",       "mkdir",       "dir_to_file", "clear_dir",
    "install",    "uninstall", "divert",        "stat_override", "add_user",    "add_member",  "edit_user",
    "add_choice", "choose",    "remove_choice", "add_shell",     "set_variable"};

std::string numbered_lines(char letter, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += fmt::format("{}{}={}\n", letter, i, i);
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

void build(Operation& operation, Workbench& bench, const Root& view) {
  const auto before = bench.root();
  Step(operation, bench, &view).run();
  const bool always = operation.action == Action::hard_link || operation.action == Action::clear_directory;
  operation.acts = operation.acts && (always || !differences(before, bench.root()).empty());
}

void repeat(const Operation& operation, Workbench& bench) {
  if (operation.acts) {
    auto again = operation;
    Step(again, bench, nullptr).run();
  }
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
  bench.write("etc/plain", numbered_lines('k', 9));
  auto tail = numbered_lines('t', 4); // shares no line with the other, so that moving one there is no edit of it
  tail.pop_back();
  bench.write("etc/tail", tail);
  add_databases(root, bench, variant);
  return root;
}

} // namespace sheaf::laws
