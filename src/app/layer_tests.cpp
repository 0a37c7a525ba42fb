// SPDX-License-Identifier: Apache-2.0
#include "app/layer_tests.hpp"

#include "app/combinations.hpp"
#include "app/test_run.hpp"
#include "app/up.hpp"
#include "base/text.hpp"
#include "builder/ready_queue.hpp"
#include "sandbox/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

namespace sheaf::app {
namespace {

using builder::ReadyQueue;
using Names = std::vector<std::string>;

/// How the tests of `sheaf.yml` are called where others have the name of their layer.
constexpr const char* k_project_tests = "project";

/// An environment to be: nothing is the project's own stack.
using Place = std::optional<Names>;

/// Lets `work` make the result of each of `count` pieces, several at a time; after the first error no further one is
/// begun, and it is the result.
template <class T, class Work>
Result<std::vector<T>> make_all(std::size_t count, unsigned jobs, const Work& work) {
  std::vector<std::optional<Result<T>>> made(count); // a worker writes its own place
  std::atomic<bool> has_failed = false;
  ReadyQueue(std::vector<std::vector<std::size_t>>(count)).run(std::max(1U, jobs), [&](std::size_t i) {
    if (has_failed) {
      return ReadyQueue::Ended::badly;
    }
    made[i].emplace(work(i));
    has_failed = has_failed || !*made[i];
    return *made[i] ? ReadyQueue::Ended::well : ReadyQueue::Ended::badly;
  });
  std::vector<T> results;
  results.reserve(count);
  for (auto& one : made) {
    if (one && !*one) {
      return std::move(*one).error();
    }
  }
  for (auto& one : made) {
    results.push_back(std::move(**one));
  }
  return results;
}

/// What can be combined with each other; what the project itself builds stands on all of it.
Names combinable(const Project& project, const resolve::Selection& selection) {
  Names names;
  for (const auto& wanted : selection.wanted) {
    const auto* layer = project.catalogue.find(wanted.layer);
    if (layer == nullptr || layer->kind != catalogue::Kind::project) {
      names.push_back(wanted.layer);
    }
  }
  return names;
}

std::string shown(const Place& place) {
  return !place ? "the project's environment" : place->empty() ? "the base alone" : joined(*place, ", ");
}

class TestSession {
public:
  TestSession(const Project& project, const TestRequest& request, Session session)
      : m_project(project), m_request(request), m_session(std::move(session)), m_runtime(sandbox::native_runtime()) {}

  Result<TestReport> run() {
    TestReport report;
    SHEAF_TRY_ASSIGN(const auto places, places_for(report));
    SHEAF_TRY_ASSIGN(auto made, compose(places));
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < made.size(); ++i) {
      add_pieces(made[i], places[i], i, pieces);
      report.environments.push_back({layers_of(made[i]), places[i], {}});
    }
    SHEAF_TRY_ASSIGN(auto results, make_all<TestResult>(pieces.size(), m_session.jobs, [&](std::size_t i) {
                       const auto& place = places[pieces[i].environment];
                       return test(made[pieces[i].environment], pieces[i])
                           .context(fmt::format("testing '{}' in {}", pieces[i].layer, shown(place)));
                     }));
    for (std::size_t i = 0; i < results.size(); ++i) {
      report.environments[pieces[i].environment].tests.push_back(std::move(results[i]));
    }
    return report;
  }

  Result<TestPlace> make(const Place& place, unsigned jobs) const {
    SHEAF_TRY_ASSIGN(const auto wanted, place ? want_layers(m_project, *place, m_session) : want(m_project, m_session));
    const Session session{m_session.store, m_session.events, m_session.stop, jobs};
    SHEAF_TRY_ASSIGN(const auto stack, build_stack(m_project, wanted, session, OnConflict::rebuild));
    TestPlace made{environment_of(m_project, wanted, stack), stack.composition.join};
    made.join.erase(0, made.join.rfind('/') + 1);
    if (place) { // what a layer is does not depend on the project it is tested from
      std::vector<const ConfigDelta*> deltas;
      for (const auto& plan : stack.plans) {
        deltas.push_back(&plan.config);
      }
      made.environment.config = plan::compose_config(deltas);
    }
    return made;
  }

private:
  /// One test of one environment.
  struct Piece {
    std::size_t environment = 0;
    std::string layer;
    catalogue::LayerTest test;
  };

  Result<std::vector<Place>> places_for(TestReport& report) const {
    std::vector<Place> places;
    if (m_request.combined) {
      SHEAF_TRY_ASSIGN(const auto layers, to_combine());
      SHEAF_TRY_ASSIGN(auto combinations,
                       combine(m_project.catalogue, base_layer(m_project), layers, *m_request.combined));
      places.assign(combinations.selections.begin(), combinations.selections.end());
      report.impossible = std::move(combinations.impossible);
    } else if (m_request.selections.empty()) {
      places.emplace_back();
    } else {
      places.assign(m_request.selections.begin(), m_request.selections.end());
    }
    return places;
  }

  Result<Names> to_combine() const {
    Names names;
    for (const auto& selection : m_request.selections) {
      names.insert(names.end(), selection.begin(), selection.end());
    }
    if (names.empty()) {
      SHEAF_TRY_ASSIGN(const auto wanted, want(m_project, m_session));
      names = combinable(m_project, wanted.selection);
    }
    return names;
  }

  Result<std::vector<TestPlace>> compose(const std::vector<Place>& places) const {
    const auto at_once = static_cast<unsigned>(std::clamp<std::size_t>(places.size(), 1, std::max(1U, m_session.jobs)));
    return make_all<TestPlace>(places.size(), at_once, [&](std::size_t i) {
      return make(places[i], std::max(1U, m_session.jobs / at_once))
          .context(fmt::format("composing {}", shown(places[i])));
    });
  }

  static Names layers_of(const TestPlace& place) {
    Names names;
    for (const auto& line : place.environment.stack) {
      names.push_back(line.name);
    }
    return names;
  }

  void add_pieces(const TestPlace& made, const Place& place, std::size_t number, std::vector<Piece>& pieces) const {
    for (const auto& line : made.environment.stack) {
      if (const auto* layer = m_project.catalogue.find(line.name)) {
        for (const auto& test : layer->tests) {
          pieces.push_back({number, line.name, test});
        }
      }
    }
    if (!place) {
      for (const auto& test : m_project.config.tests.value_or(std::vector<catalogue::LayerTest>())) {
        pieces.push_back({number, k_project_tests, test});
      }
    }
  }

  Result<TestResult> test(const TestPlace& place, const Piece& piece) const {
    const auto key = test_key(place, piece.test);
    const auto subject = "test " + piece.layer;
    if (!m_request.anew && passed_before(m_session.store, key)) {
      m_session.events.emit({EventKind::cached, subject, piece.test.command});
      return TestResult{piece.layer, piece.test, TestEnd::cached, "", "", 0};
    }
    SHEAF_TRY_ASSIGN(auto result, run_test(place, piece.layer, piece.test, m_request.limit, m_session, *m_runtime));
    const bool is_good = result.end == TestEnd::passed;
    if (is_good) {
      SHEAF_TRY(remember_passed(m_session.store, key, piece.layer, piece.test, result.milliseconds));
    }
    m_session.events.emit({is_good ? EventKind::end : EventKind::fail, subject,
                           is_good ? piece.test.command : fmt::format("{}: {}", piece.test.command, result.why), 0, 0,
                           result.milliseconds});
    return result;
  }

  const Project& m_project;
  const TestRequest& m_request;
  Session m_session;
  std::unique_ptr<sandbox::Runtime> m_runtime;
};

} // namespace

std::size_t TestReport::count(TestEnd end) const {
  std::size_t number = 0;
  for (const auto& environment : environments) {
    number += static_cast<std::size_t>(std::ranges::count(environment.tests, end, &TestResult::end));
  }
  return number;
}

Result<TestReport> run_tests(const Choices& choices, const TestRequest& request, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto project, load_project(choices));
  return TestSession(project, request, session).run();
}

Result<os::ExitStatus> enter_test_environment(const Choices& choices, const std::optional<Names>& selection,
                                              const Session& session) {
  SHEAF_TRY_ASSIGN(const auto project, load_project(choices));
  const TestRequest request;
  SHEAF_TRY_ASSIGN(const auto place, TestSession(project, request, session).make(selection, session.jobs));
  SHEAF_TRY_ASSIGN(const auto staging, session.store.stage());
  SHEAF_TRY_ASSIGN(auto run, test_surroundings(place.environment, staging));
  run.argv = {"/bin/sh"};
  if (const auto term = os::environment("TERM")) {
    run.environment["TERM"] = *term;
  }
  const auto runtime = sandbox::native_runtime();
  return workspace::run(run, *runtime, session.events, session.stop);
}

} // namespace sheaf::app
