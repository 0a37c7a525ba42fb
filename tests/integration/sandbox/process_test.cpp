// SPDX-License-Identifier: Apache-2.0
// What a command may do, how it ends, and that nothing outlives it.

#include <signal.h>

#include <chrono>
#include <thread>

#include "sandbox_fixture.hpp"

namespace sheaf::sandbox {
namespace {

using SandboxProcess = SandboxTest;
INSTANTIATE_TEST_SUITE_P(Callers, SandboxProcess, testing::Values(Caller::root, Caller::user),
                         [](const auto& info) { return info.param == Caller::root ? "root" : "user"; });

std::string line_with(const std::string& text, const std::string& start) {
  const auto at = text.find(start);
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

/// Command lines on this machine that have `word` in them.
int processes_with(const std::string& word) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto text = os::read_file(entry.path().string() + "/cmdline");
    count += text && text->find(word) != std::string::npos ? 1 : 0;
  }
  return count;
}

bool wait_for_count(const std::string& word, bool some) {
  for (int i = 0; i < 200; ++i) {
    if ((processes_with(word) > 0) == some) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST_P(SandboxProcess, HasTheCapabilitiesOfAContainer) {
  in_child([](Playground& ground) {
    const auto ran = ground.run(ground.spec("cat /proc/self/status"));
    // The 14 of docker; as real root without CAP_MKNOD (1 << 27).
    const auto wanted = GetParam() == Caller::root ? "CapEff:\t00000000a00425fb" : "CapEff:\t00000000a80425fb";
    return problem_of(ran) + differs("the set", line_with(ran.text, "CapEff:"), wanted) +
           differs("the filter", line_with(ran.text, "Seccomp:"), "Seccomp:\t2");
  });
}

TEST_P(SandboxProcess, PrivilegedHasAllAndNoFilter) {
  in_child([](Playground& ground) {
    auto spec = ground.spec("cat /proc/self/status; mkdir /m; mount -t tmpfs none /m && echo mounted");
    command_of(spec).is_privileged = true;
    const auto ran = ground.run(spec);
    return problem_of(ran) + differs("the filter", line_with(ran.text, "Seccomp:"), "Seccomp:\t0") +
           differs("the mount", line_with(ran.text, "mounted"), "mounted");
  });
}

TEST_P(SandboxProcess, LimitsAreSetOrLowered) {
  in_child([](Playground& ground) {
    auto spec = ground.spec("ulimit -n; ulimit -Hn");
    command_of(spec).limits = {{"nofile", 100, 200}};
    auto problem = expect_output(ground, spec, "100\n200\n");
    ground.refresh(spec);
    command_of(spec).limits = {{"nofile", 1U << 20U, 1U << 29U}};
    const auto ran = ground.run(spec);
    problem += problem_of(ran);
    if (GetParam() == Caller::user) {
      problem += differs("the note", ran.text.substr(0, 25), "sheaf: limit 'nofile' is ");
    }
    ground.refresh(spec);
    command_of(spec).limits = {{"files", 1, 1}};
    const auto unknown = ground.run(spec);
    return problem + (unknown.outcome || unknown.outcome.error().code() != ErrorCode::invalid ||
                              unknown.outcome.error().hint().find("nofile") == std::string::npos
                          ? "an unknown name is no error"
                          : "");
  });
}

TEST_P(SandboxProcess, WithoutNetworkThereIsOnlyTheMachineItself) {
  in_child([](Playground& ground) {
    auto spec = ground.spec("grep -c : /proc/net/dev; ifconfig lo | grep -o UP");
    spec.network = Network::none;
    return expect_output(ground, spec, "1\nUP\n");
  });
}

TEST_P(SandboxProcess, BytesThatAreNoUtf8Arrive) {
  in_child([](Playground& ground) {
    auto spec = ground.spec("echo -n \"$X\"; ls /\xff; echo $0");
    command_of(spec).environment.emplace_back("X=\xfe\x80");
    spec.memory = {{"/\xff", std::nullopt}};
    return expect_output(ground, spec, "\xfe\x80/bin/sh\n");
  });
}

TEST_P(SandboxProcess, OneFailureDoesNotStopLaterRuns) {
  in_child([](Playground& ground) {
    auto bad = ground.spec("kill -9 $$");
    const auto killed = ground.run(bad);
    auto missing = ground.spec("true");
    missing.lowers = {"/does/not/exist"};
    const auto error = ground.run(missing);
    return differs("the signal", killed.outcome ? std::to_string(killed.outcome->status.signal) : "none", "9") +
           (error.outcome ? "no error" : "") + expect_output(ground, ground.spec("echo yes"), "yes\n");
  });
}

TEST_P(SandboxProcess, ManyAtTheSameTime) {
  in_child([](Playground& ground) {
    std::vector<SandboxSpec> specs;
    for (int i = 0; i < 16; ++i) {
      specs.push_back(ground.spec(fmt::format("sleep 0.0{}; exit {}", i % 5, i)));
    }
    std::vector<int> codes(specs.size(), -1);
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < specs.size(); ++i) {
        threads.emplace_back([&, i] {
          const auto outcome = ground.runtime().run(specs[i], {}, {}, {});
          codes[i] = outcome ? outcome->status.code : -2;
        });
      }
    }
    std::string problem;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      problem += differs("a code", std::to_string(codes[i]), std::to_string(i));
    }
    return problem;
  });
}

TEST_P(SandboxProcess, AStopEndsThatSandboxAndNoOther) {
  in_child([](Playground& ground) {
    const auto word = fmt::format("31415.{}", getpid());
    const auto stopped = ground.spec(fmt::format("sleep {} & sleep {}; echo end", word, word));
    const auto other = ground.spec("sleep 0.5; exit 3");
    std::stop_source stop;
    int code = -1;
    std::jthread beside([&] { code = ground.runtime().run(other, {}, {}, {}).value().status.code; });
    std::jthread stopper([&] {
      wait_for_count(word, true);
      stop.request_stop();
    });
    const auto ran = ground.run(stopped, stop.get_token());
    const int left = processes_with(word);
    beside.join();
    return differs("the code", ran.outcome ? "ok" : std::string(to_string(ran.outcome.error().code())), "cancelled") +
           differs("what is left", std::to_string(left), "0") + differs("the other", std::to_string(code), "3");
  });
}

TEST_P(SandboxProcess, AKilledParentTakesEverythingAlong) {
  in_child([](Playground& ground) {
    const auto word = fmt::format("27182.{}", getpid());
    const auto spec = ground.spec(fmt::format("sleep {} & sleep {}", word, word));
    const pid_t parent = fork();
    if (parent == 0) {
      ground.run(spec);
      _exit(0);
    }
    if (!wait_for_count(word, true)) {
      return std::string("it did not start");
    }
    kill(parent, SIGKILL);
    waitpid(parent, nullptr, 0);
    return std::string(wait_for_count(word, false) ? "" : "a process is left");
  });
}

TEST_P(SandboxProcess, AKilledZygoteTakesItsSandboxesAlongAndIsReplaced) {
  in_child([](Playground& ground) {
    const auto word = fmt::format("16180.{}", getpid());
    const auto spec = ground.spec(fmt::format("sleep {}", word));
    std::jthread killer([&] {
      wait_for_count(word, true);
      for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto status = os::read_file(entry.path().string() + "/status");
        const auto line = os::read_file(entry.path().string() + "/cmdline");
        if (status && line && line->find("__sandbox") != std::string::npos &&
            status->find(fmt::format("PPid:\t{}\n", getpid())) != std::string::npos) {
          kill(std::stoi(entry.path().filename().string()), SIGKILL);
        }
      }
    });
    const auto ran = ground.run(spec);
    killer.join();
    return std::string(ran.outcome ? "no error" : "") + (wait_for_count(word, false) ? "" : "a process is left") +
           expect_output(ground, ground.spec("echo again"), "again\n");
  });
}

} // namespace
} // namespace sheaf::sandbox
