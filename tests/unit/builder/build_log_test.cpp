// SPDX-License-Identifier: Apache-2.0
#include "builder/build_log.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace sheaf::builder {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

/// Keeps the texts of output events; the log emits from one thread, and the test reads after finish().
class Recorder final : public EventSink {
public:
  void emit(const Event& event) noexcept override {
    EXPECT_EQ(event.kind, EventKind::output);
    EXPECT_EQ(event.subject, "layer x");
    lines.push_back(event.text);
  }
  std::vector<std::string> lines;
};

class Log : public testing::Test {
protected:
  /// Sends `text` through a log and waits until it has arrived.
  void send(const std::string& text) {
    m_log = BuildLog::open(path(), "layer x", m_events).value();
    ASSERT_EQ(::write(m_log->output(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    m_log->finish();
  }
  std::string path() const { return m_directory.path() + "/log"; }
  std::string file() const { return os::read_file(path()).value(); }

  Recorder m_events;
  std::unique_ptr<BuildLog> m_log;

private:
  os::TempDir m_directory = os::TempDir::create(testing::TempDir(), "sheaf-log-").value();
};

TEST_F(Log, LinesBecomeEventsAndAFile) {
  send("one\n\ntwo\nlast without end");
  EXPECT_THAT(m_events.lines, ElementsAre("one", "two", "last without end"));
  EXPECT_EQ(file(), "one\ntwo\nlast without end\n");
  EXPECT_EQ(m_log->tail(), "  | one\n  | two\n  | last without end");
}

TEST_F(Log, ACarriageReturnEndsALine) {
  send("10%\r20%\r\ndone\r\n");
  EXPECT_THAT(m_events.lines, ElementsAre("10%", "20%", "done"));
}

TEST_F(Log, TheTailIsTheLastTwentyLines) {
  std::string text;
  for (int i = 1; i <= 50; ++i) {
    text += std::to_string(i) + "\n";
  }
  send(text);
  EXPECT_THAT(m_events.lines, SizeIs(50));
  EXPECT_TRUE(m_log->tail().starts_with("  | 31\n"));
  EXPECT_TRUE(m_log->tail().ends_with("  | 50"));
}

TEST_F(Log, AnEndlessLineIsBroken) {
  send(std::string(9000, 'x'));
  EXPECT_THAT(m_events.lines, ElementsAre(SizeIs(4000), SizeIs(4000), SizeIs(1000)));
}

TEST_F(Log, NotesAreOnlyInTheFile) {
  m_log = BuildLog::open(path(), "layer x", m_events).value();
  m_log->note("RUN make");
  m_log->finish();
  EXPECT_EQ(file(), "RUN make\n");
  EXPECT_EQ(m_log->tail(), "");
  EXPECT_TRUE(m_events.lines.empty());
}

TEST_F(Log, FinishMayBeCalledTwiceAndANewLogStartsEmpty) {
  send("one\n");
  m_log->finish();
  m_log.reset();
  send("two\n");
  EXPECT_EQ(file(), "two\n");
}

} // namespace
} // namespace sheaf::builder
