// SPDX-License-Identifier: Apache-2.0
#include "catalogue/cycle.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace sheaf::catalogue {
namespace {

class CycleSearch {
public:
  explicit CycleSearch(const Dependencies& dependencies) : m_dependencies(dependencies) {}

  /// Whether `name` leads to a cycle, which `path()` then holds.
  bool visit(const std::string& name) {
    const auto found = m_dependencies.find(name);
    if (found == m_dependencies.end()) {
      return false;
    }
    auto& state = m_states[name];
    if (state == State::done) {
      return false;
    }
    m_path.push_back(name);
    if (state == State::open) {
      return true;
    }
    state = State::open; // references into a map stay valid while others are added
    for (const auto& next : found->second) {
      if (visit(next)) {
        return true;
      }
    }
    state = State::done;
    m_path.pop_back();
    return false;
  }

  std::vector<std::string> cycle() const {
    const auto first = std::find(m_path.begin(), m_path.end(), m_path.back());
    return {first, m_path.end()};
  }

private:
  enum class State { unseen, open, done };
  const Dependencies& m_dependencies;
  std::map<std::string, State, std::less<>> m_states;
  std::vector<std::string> m_path;
};

} // namespace

std::vector<std::string> find_cycle(const Dependencies& dependencies) {
  CycleSearch search(dependencies);
  for (const auto& [name, next] : dependencies) {
    if (search.visit(name)) {
      return search.cycle();
    }
  }
  return {};
}

std::string render_cycle(const std::vector<std::string>& cycle) { return joined(cycle, " → "); }

} // namespace sheaf::catalogue
