// SPDX-License-Identifier: Apache-2.0
#include "app/test_output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace sheaf::app {
namespace {

constexpr std::size_t k_shown_bytes = 4096;
constexpr std::size_t k_shown_lines = 20;

} // namespace

void OutputWatch::add(std::string_view bytes) {
  // What is expected may have begun in what came before.
  const auto before = std::min(m_end.size(), m_expected.size());
  const auto from = m_end.size() - before;
  m_end += bytes;
  m_found = m_found || m_end.find(m_expected, from) != std::string::npos;
  const auto keep = std::max(k_shown_bytes, m_expected.size());
  if (m_end.size() > keep) {
    m_end.erase(0, m_end.size() - keep);
    m_is_cut = true;
  }
}

std::string OutputWatch::tail() const {
  std::string_view text = m_end;
  const auto first_line = text.find('\n');
  if (m_is_cut && first_line != std::string_view::npos && first_line + 1 < text.size()) {
    text.remove_prefix(first_line + 1); // its beginning is lost
  }
  while (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  auto begin = text.size();
  for (std::size_t lines = 0; lines < k_shown_lines && begin != 0; ++lines) {
    const auto newline = text.rfind('\n', begin - 1);
    begin = newline == std::string_view::npos ? 0 : newline;
  }
  text.remove_prefix(begin != 0 ? begin + 1 : 0);
  return std::string(text);
}

Result<std::unique_ptr<OutputReader>> OutputReader::start(std::string expected) {
  SHEAF_TRY_ASSIGN(auto pipe, os::Pipe::create());
  return std::unique_ptr<OutputReader>(new OutputReader(std::move(expected), std::move(pipe)));
}

OutputReader::OutputReader(std::string expected, os::Pipe pipe)
    : m_pipe(std::move(pipe)), m_watch(std::move(expected)), m_thread([this] { collect(); }) {}

OutputReader::~OutputReader() { finish(); }

const OutputWatch& OutputReader::finish() {
  ignore(m_pipe.write.close(), "closing the writing end of a test's output");
  if (m_thread.joinable()) {
    m_thread.join();
  }
  return m_watch;
}

void OutputReader::collect() {
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto got = ::read(m_pipe.read.get(), buffer.data(), buffer.size());
    if (got > 0) {
      m_watch.add({buffer.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || errno != EINTR) {
      return;
    }
  }
}

} // namespace sheaf::app
