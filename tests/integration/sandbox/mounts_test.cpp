// SPDX-License-Identifier: Apache-2.0
// What a sandbox shows and what it leaves behind.

#include <fcntl.h>

#include <array>

#include "sandbox_fixture.hpp"

namespace sheaf::sandbox {
namespace {

using SandboxMounts = SandboxTest;
INSTANTIATE_TEST_SUITE_P(Callers, SandboxMounts, testing::Values(Caller::root, Caller::user),
                         [](const auto& info) { return info.param == Caller::root ? "root" : "user"; });

std::string write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(path.substr(0, path.rfind('/')));
  const auto done = os::write_file(path, text);
  return done ? "" : done.error().render();
}

TEST_P(SandboxMounts, NothingOfOursStaysInTheUpper) {
  in_child([](Playground& ground) {
    const auto support = ground.folder("support");
    auto spec = ground.spec("test -c /dev/null && test -d /proc/self && test -f /etc/hosts && test -d /run/sheaf");
    auto problem = write(support + "/hosts", "127.0.0.1 localhost\n");
    std::filesystem::create_directories(spec.lowers[0] + "/run");
    spec.binds = {{support, "/run/sheaf", Access::read_only, false},
                  {support + "/hosts", "/etc/hosts", Access::read_only, false},
                  {support + "/hosts", "/etc/resolv.conf", Access::read_only, false}};
    spec.memory = {{"/a/b/c", std::nullopt}};
    spec.secrets = {{"/run/secrets/key", "x", 0, 0, 0400}};
    const auto before = std::filesystem::last_write_time(spec.upper);
    problem += expect_output(ground, spec, "");
    problem += differs("the upper", listing(spec.upper), "");
    return problem + (std::filesystem::last_write_time(spec.upper) == before ? "" : "the root's time changed");
  });
}

TEST_P(SandboxMounts, WhatTheCommandPutBesideAMountPointStays) {
  in_child([](Playground& ground) {
    auto spec = ground.spec("touch /etc/mine; mkdir /a/own; rm -f /old/x; echo x > /a/b/gone");
    std::filesystem::create_directories(spec.lowers[0] + "/etc/deep");
    auto problem = write(spec.lowers[0] + "/old/x", "");
    spec.binds = {{"/etc/hosts", "/etc/hosts", Access::read_only, false},
                  {"/etc/hosts", "/old/y", Access::read_only, false}};
    spec.memory = {{"/a/b", std::nullopt}};
    problem += expect_output(ground, spec, "");
    return problem + differs("the upper", listing(spec.upper), "a a/own etc etc/mine old old/x");
  });
}

TEST_P(SandboxMounts, AFolderThatWasOnlyCopiedUpKeepsItsTime) {
  in_child([](Playground& ground) {
    auto spec = ground.spec("stat -c %Y /etc; chmod 700 /etc");
    const auto etc = spec.lowers[0] + "/etc";
    std::filesystem::create_directories(etc);
    const std::array<struct timespec, 2> times = {{{1000, 0}, {1000, 0}}};
    utimensat(AT_FDCWD, etc.c_str(), times.data(), 0);
    spec.binds = {{"/etc/hosts", "/etc/hosts", Access::read_only, false}};
    auto problem = expect_output(ground, spec, "1000\n");
    problem += differs("the upper", listing(spec.upper), "etc");
    struct stat info {};
    stat((spec.upper + "/etc").c_str(), &info);
    return problem + differs("the time", std::to_string(info.st_mtim.tv_sec), "1000") +
           differs("the mode", fmt::format("{:o}", info.st_mode & 07777U), "700");
  });
}

TEST_P(SandboxMounts, TreesOfOneAndOfSeveralLowers) {
  in_child([](Playground& ground) {
    const auto low = ground.folder("low");
    const auto high = ground.folder("high");
    auto problem = write(low + "/d/f", "low") + write(low + "/d/g", "low") + write(high + "/d/f", "high");
    auto spec =
        ground.spec("cat /one/f /part/f /part/g /file /all/d/f; touch /one/x 2>/dev/null || echo -n ' ro'; touch "
                    "/part/x 2>/dev/null || echo -n ' ro'; ls /none");
    spec.trees = {{{low}, "/d", "/one", "", ""},
                  {{low, high}, "/d", "/part", "", ""},
                  {{low, high}, "/d/f", "/file", "", ""},
                  {{low, high}, "/", "/all", "", ""},
                  {{}, "/", "/none", "", ""}};
    problem += expect_output(ground, spec, "lowhighlowhighhigh ro ro");
    return problem + differs("the upper", listing(spec.upper), "");
  });
}

TEST_P(SandboxMounts, ALinkInATreeDoesNotLeadOutOfIt) {
  in_child([](Playground& ground) {
    const auto low = ground.folder("low");
    auto problem = write(low + "/etc/passwd", "inside");
    std::filesystem::create_symlink("../../../../../../etc", low + "/out");
    auto spec = ground.spec("cat /mnt");
    spec.trees = {{{low}, "/out/passwd", "/mnt", "", ""}};
    problem += expect_output(ground, spec, "inside");
    ground.refresh(spec);
    spec.trees = {{{low}, "/missing", "/mnt", "", ""}};
    const auto ran = ground.run(spec);
    return problem +
           (ran.outcome || ran.outcome.error().code() != ErrorCode::not_found ? "a missing path is no error" : "");
  });
}

TEST_P(SandboxMounts, WhatIsWrittenToATreeGoesToItsUpper) {
  in_child([](Playground& ground) {
    const auto low = ground.folder("low");
    auto problem = write(low + "/d/f", "low");
    auto spec = ground.spec("echo new > /mnt/f; cat /mnt/f");
    const auto upper = ground.folder("tree-upper");
    spec.trees = {{{low}, "/d", "/mnt", upper, ground.folder("tree-work")}};
    problem += expect_output(ground, spec, "new\n");
    problem += differs("the tree's upper", listing(upper), "d d/f");
    return problem + differs("the lower", os::read_file(low + "/d/f").value(), "low") +
           differs("the upper", listing(spec.upper), "");
  });
}

TEST_P(SandboxMounts, SecretsAreOnlyInMemory) {
  in_child([](Playground& ground) {
    auto spec =
        ground.spec("cat /run/secrets/key; stat -c '%u:%g %a' /run/secrets/key /script; /script; grep -c secrets/key "
                    "/proc/mounts; echo x 2>/dev/null > /run/secrets/key || echo refused");
    spec.secrets = {{"/run/secrets/key", "hidden\n", 5, 6, 0440}, {"/script", "#!/bin/sh\necho script\n", 0, 0, 0755}};
    auto problem = expect_output(ground, spec, "hidden\n5:6 440\n0:0 755\nscript\n1\nrefused\n");
    return problem + differs("the upper", listing(spec.upper), "");
  });
}

TEST_P(SandboxMounts, MemoryHasASizeAndAMode) {
  in_child([](Playground& ground) {
    auto spec = ground.spec("stat -c %a /new /old; df -k /new /dev/shm | grep -o '[0-9]* *0 ' ");
    std::filesystem::create_directories(spec.lowers[0] + "/old");
    chmod((spec.lowers[0] + "/old").c_str(), 0750);
    spec.memory = {{"/new", 1U << 20U}, {"/old", std::nullopt}};
    spec.shared_memory = 2U << 20U;
    const auto ran = ground.run(spec);
    auto problem = problem_of(ran) + differs("the modes", ran.text.substr(0, 9), "1777\n750\n");
    problem += ran.text.find("1024 ") == std::string::npos ? "no size of 1 MiB: " + ran.text : "";
    return problem + (ran.text.find("2048 ") == std::string::npos ? "no size of 2 MiB: " + ran.text : "");
  });
}

TEST_P(SandboxMounts, AMountCanLieInAnother) {
  in_child([](Playground& ground) {
    auto spec = ground.spec("ls /m/sub; cat /m/sub/key; ls -d /m/sub");
    spec.secrets = {{"/m/sub/key", "k\n", 0, 0, 0400}};
    spec.memory = {{"/m", std::nullopt}};
    auto problem = expect_output(ground, spec, "key\nk\n/m/sub\n");
    return problem + differs("the upper", listing(spec.upper), "");
  });
}

TEST_P(SandboxMounts, WorkdirBelongsToTheUserThatItIsMadeFor) {
  in_child([](Playground& ground) {
    auto spec = ground.spec("stat -c '%u:%g' /a /a/b /bin");
    const auto run = spec.action;
    spec.action = MakeDirectory{"/a/b", "7:8"};
    auto problem = problem_of(ground.run(spec));
    ground.refresh(spec);
    spec.action = run;
    return problem + expect_output(ground, spec, "7:8\n7:8\n0:0\n");
  });
}

} // namespace
} // namespace sheaf::sandbox
