// SPDX-License-Identifier: Apache-2.0
// write_recorder FOLDER RECORD OBJECTS COMMAND...: runs the command and writes down, in RECORD, every change that it
// and what it starts make below FOLDER, every flush, and what it prints. Contents go to the folder OBJECTS. Exits as
// the command did; 125 if the record is not complete. Needs root.
#include "os/file.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "recorder/recorder.hpp"
#include "recorder/tracer.hpp"

namespace {

using namespace sheaf; // NOLINT(google-build-using-namespace): the whole program is one function

constexpr int k_no_record = 125;
constexpr std::size_t k_first_word = 3;

Result<int> record(const std::vector<std::string>& words) {
  if (words.size() <= k_first_word) {
    return Error(ErrorCode::invalid, "usage: write_recorder FOLDER RECORD OBJECTS COMMAND...");
  }
  SHEAF_TRY_ASSIGN(const auto root, os::real_path(words[0]));
  SHEAF_TRY(os::make_directories(words[2]));
  SHEAF_TRY_ASSIGN(auto recorder, durability::Recorder::create(root, words[1], durability::Objects(words[2])));
  SHEAF_TRY_ASSIGN(const int code, durability::trace({words.begin() + k_first_word, words.end()}, recorder));
  SHEAF_TRY(recorder.end(code));
  return code;
}

} // namespace

int main(int count, char** words) { // NOLINT(bugprone-exception-escape): printing what was caught can throw, too
  try {
    const auto code = record({words + 1, words + count});
    if (code) {
      return *code;
    }
    fmt::print(stderr, "write_recorder: {}\n", code.error().render());
  } catch (const std::exception& error) {
    fmt::print(stderr, "write_recorder: {}\n", error.what());
  }
  return k_no_record;
}
