// SPDX-License-Identifier: Apache-2.0
// bench_clock RESULT LOG COMMAND...: runs COMMAND once, its output to LOG, and writes one line to RESULT: microseconds
// of wall time, microseconds of processor time and peak memory of the largest process in kB (both of the command and
// all that it waited for, wait4(2)), exit status (128 and more: a signal).
//
// A program of its own because what it starts inherits the peak memory of whoever starts it: a Python would count.

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>

namespace {

long microseconds(const timeval& time) { return time.tv_sec * 1'000'000L + time.tv_usec; }

/// Zero, or why the command could not be started.
int start(char** command, const char* log, pid_t& child) {
  posix_spawn_file_actions_t files{};
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  const int problem = posix_spawnp(&child, command[0], &files, nullptr, command, environ);
  posix_spawn_file_actions_destroy(&files);
  return problem;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: bench_clock RESULT LOG COMMAND...\n");
    return 2;
  }
  pid_t child = -1;
  const auto begin = std::chrono::steady_clock::now();
  if (const int problem = start(argv + 3, argv[2], child); problem != 0) {
    std::fprintf(stderr, "bench_clock: starting '%s': %s\n", argv[3], std::strerror(problem));
    return 1;
  }
  int status = 0;
  rusage used{};
  if (wait4(child, &status, 0, &used) != child) {
    std::perror("bench_clock: waiting");
    return 1;
  }
  const auto wall = std::chrono::steady_clock::now() - begin;
  std::FILE* result = std::fopen(argv[1], "w");
  if (result == nullptr) {
    std::perror("bench_clock: writing the result");
    return 1;
  }
  std::fprintf(result, "%ld %ld %ld %d\n",
               static_cast<long>(std::chrono::duration_cast<std::chrono::microseconds>(wall).count()),
               microseconds(used.ru_utime) + microseconds(used.ru_stime), used.ru_maxrss,
               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return std::fclose(result) == 0 ? 0 : 1;
}
