// SPDX-License-Identifier: Apache-2.0
#include "property/laws_database.hpp"

#include "base/text.hpp"
#include "builder/account_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace sheaf::laws {
namespace {

const std::string k_status = "var/lib/dpkg/status";
const std::string k_states = "var/lib/apt/extended_states";
const std::string k_group_file = "var/lib/dpkg/alternatives/tool";
const std::string k_group_link = "etc/alternatives/tool";
const std::string k_tool = "usr/bin/tool";

/// Pieces of a text that end with `end`, which they keep.
std::vector<std::string> pieces(const std::string& text, std::string_view end) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const auto next = std::min(text.find(end, at), text.size() - end.size()) + end.size();
    found.push_back(text.substr(at, next - at));
    at = next;
  }
  return found;
}

/// Replaces the piece that begins with `head` by `piece`, or appends it; an empty one removes it.
void put_piece(Workbench& bench, const std::string& path, std::string_view end, const std::string& head,
               const std::string& piece) {
  std::string text;
  bool found = false;
  for (const auto& old : pieces(bench.text(path), end)) {
    const bool is_it = old.starts_with(head);
    text += is_it ? piece : old;
    found = found || is_it;
  }
  text += found ? std::string() : piece;
  if (text != bench.text(path)) {
    bench.write(path, text);
  }
}

std::string piece_of(const Workbench& bench, const std::string& path, std::string_view end, const std::string& head) {
  for (auto& piece : pieces(bench.text(path), end)) {
    if (piece.starts_with(head)) {
      return piece;
    }
  }
  return {};
}

bool id_is_taken(const Workbench& bench, unsigned id) {
  const auto lines = pieces(bench.text("etc/passwd"), "\n");
  return std::ranges::any_of(
      lines, [&](const auto& line) { return split(line, ':').at(2) == std::string_view(std::to_string(id)); });
}

/// A group of alternatives without slaves.
struct Group {
  bool manual = false;
  std::map<std::string, int> choices;
  std::string current;

  static Group of(const Workbench& bench) {
    Group group;
    const auto text = bench.text(k_group_file);
    const auto lines = split(text, '\n');
    group.manual = lines[0] == "manual";
    for (std::size_t i = 3; i + 1 < lines.size() && !lines[i].empty(); i += 2) {
      group.choices[std::string(lines[i])] = to_number<int>(lines[i + 1]).value_or(0);
    }
    group.current = bench.text(k_group_link);
    return group;
  }

  int best() const {
    int priority = 0;
    for (const auto& choice : choices) {
      priority = std::max(priority, choice.second);
    }
    return priority;
  }

  /// The link stays at a choice that is as good as the best.
  void follow() {
    const auto now = choices.find(current);
    manual = manual && now != choices.end();
    if (!manual && (now == choices.end() || now->second < best())) {
      current = std::ranges::find(choices, best(), &std::pair<const std::string, int>::second)->first;
    }
  }

  void store(Workbench& bench) {
    if (choices.empty()) {
      for (const auto& path : {k_group_file, k_group_link, k_tool}) {
        bench.remove(path);
      }
      return;
    }
    follow();
    auto text = fmt::format("{}\n/{}\n\n", manual ? "manual" : "auto", k_tool);
    for (const auto& [path, priority] : choices) {
      text += fmt::format("{}\n{}\n", path, priority);
    }
    bench.write(k_group_file, text + "\n");
    for (const auto& [path, target] : {std::pair(k_group_link, current), std::pair(k_tool, "/" + k_group_link)}) {
      if (bench.text(path) != target) {
        bench.link_symbolically(path, target);
      }
    }
  }
};

std::string choice_path(unsigned choice) { return fmt::format("/opt/tool/{}", choice); }

} // namespace

std::string installed_version(const Workbench& bench, const std::string& name) {
  const auto stanza = piece_of(bench, k_status, "\n\n", fmt::format("Package: {}\n", name));
  const auto at = stanza.find("Version: ");
  return at == std::string::npos ? std::string() : stanza.substr(at + 9, stanza.find('\n', at) - at - 9);
}

bool is_marked(const Workbench& bench, const std::string& name) {
  return !piece_of(bench, k_states, "\n\n", fmt::format("Package: {}\n", name)).empty();
}

void mark(Workbench& bench, const std::string& name, bool automatic) {
  const auto head = fmt::format("Package: {}\n", name);
  put_piece(bench, k_states, "\n\n", head, automatic ? head + "Architecture: amd64\nAuto-Installed: 1\n\n" : "");
}

void put_package(Workbench& bench, const std::string& name, const std::string& version) {
  const auto head = fmt::format("Package: {}\n", name);
  put_piece(bench, k_status, "\n\n", head,
            fmt::format("{}Status: install ok installed\nArchitecture: amd64\nVersion: {}\n\n", head, version));
  bench.write(fmt::format("usr/share/{}/data", name), fmt::format("{} {}\n", name, version));
  bench.write(fmt::format("var/lib/dpkg/info/{}.list", name),
              fmt::format("/usr/share/{0}\n/usr/share/{0}/data\n", name));
  put_line(bench, "var/lib/dpkg/triggers/File", fmt::format("/usr/share/{0} {0}", name));
}

void drop_package(Workbench& bench, const std::string& name) {
  put_piece(bench, k_status, "\n\n", fmt::format("Package: {}\n", name), "");
  mark(bench, name, false);
  bench.remove(fmt::format("usr/share/{}/data", name));
  if (bench.below("usr/share/" + name).size() == 1) {
    bench.remove("usr/share/" + name);
  }
  bench.remove(fmt::format("var/lib/dpkg/info/{}.list", name));
  put_piece(bench, "var/lib/dpkg/triggers/File", "\n", fmt::format("/usr/share/{} ", name), "");
}

bool has_diversion(const Workbench& bench, const std::string& path) {
  return bench.text("var/lib/dpkg/diversions").find("/" + path + "\n") != std::string::npos;
}

void put_diversion(Workbench& bench, const std::string& path) {
  const std::string file = "var/lib/dpkg/diversions";
  if (!has_diversion(bench, path)) {
    bench.write(file, bench.text(file) + fmt::format("/{0}\n/{0}.distrib\nlocal\n", path));
  }
}

void put_stat_override(Workbench& bench, const std::string& path, unsigned mode) {
  std::string text;
  const std::string file = "var/lib/dpkg/statoverride";
  for (const auto& line : pieces(bench.text(file), "\n")) {
    text += line.ends_with(" /" + path + "\n") ? std::string() : line;
  }
  bench.write(file, text + fmt::format("root root {:o} /{}\n", mode, path));
}

void put_user(Workbench& bench, const std::string& name, const std::string& mark) {
  if (!piece_of(bench, "etc/passwd", "\n", name + ":").empty()) {
    return;
  }
  unsigned id = 0;
  for (unsigned attempt = 0; id == 0 || id_is_taken(bench, id); ++attempt) {
    id = 30000 + builder::id_for_name(name, attempt) % 5; // so that names meet
    id = attempt > 20 ? 30010 + attempt : id;
  }
  const auto head = name + ":";
  put_piece(bench, "etc/passwd", "\n", head, fmt::format("{0}:x:{1}:{1}::/home/{0}:/bin/sh\n", name, id));
  put_piece(bench, "etc/group", "\n", head, fmt::format("{}:x:{}:\n", name, id));
  put_piece(bench, "etc/shadow", "\n", head, fmt::format("{}:!:{}:0:99999:7:::\n", name, 100 + mark.size()));
  bench.make_directory("home/" + name);
  bench.change("home/" + name, [&](Node& node) { node.uid = node.gid = id; });
}

bool has_group(const Workbench& bench, const std::string& name) {
  return !piece_of(bench, "etc/group", "\n", name + ":").empty();
}

void put_member(Workbench& bench, const std::string& group, const std::string& member) {
  auto line = piece_of(bench, "etc/group", "\n", group + ":");
  if (line.empty()) {
    return;
  }
  line.pop_back();
  const auto members = split(std::string_view(line).substr(line.rfind(':') + 1), ',');
  if (std::ranges::find(members, std::string_view(member)) == members.end()) {
    put_piece(bench, "etc/group", "\n", group + ":",
              fmt::format("{}{}{}\n", line, line.ends_with(':') ? "" : ",", member));
  }
}

void edit_user(Workbench& bench, const std::string& name, unsigned field, unsigned value) {
  auto line = piece_of(bench, "etc/passwd", "\n", name + ":");
  line.pop_back();
  auto fields = split(line, ':');
  const auto text = fmt::format("/new{}", value);
  fields.at(field) = text;
  put_piece(bench, "etc/passwd", "\n", name + ":", fmt::format("{}\n", fmt::join(fields, ":")));
}

bool has_choice(const Workbench& bench, unsigned choice) {
  return Group::of(bench).choices.contains(choice_path(choice));
}

bool is_by_hand(const Workbench& bench) { return Group::of(bench).manual; }

void put_choice(Workbench& bench, unsigned choice) {
  auto group = Group::of(bench);
  group.choices[choice_path(choice)] = 10 + static_cast<int>(choice * 7 % 3);
  group.store(bench);
}

void choose_by_hand(Workbench& bench, unsigned choice) {
  auto group = Group::of(bench);
  group.manual = true;
  group.current = choice_path(choice);
  group.store(bench);
}

void drop_choice(Workbench& bench, unsigned choice) {
  auto group = Group::of(bench);
  group.choices.erase(choice_path(choice));
  group.store(bench);
}

void put_line(Workbench& bench, const std::string& path, const std::string& line) {
  put_piece(bench, path, "\n", line + "\n", line + "\n");
}

void set_variable(Workbench& bench, const std::string& name, unsigned value) {
  put_piece(bench, "etc/environment", "\n", name + "=", fmt::format("{}={}\n", name, value));
}

} // namespace sheaf::laws
