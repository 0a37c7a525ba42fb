// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "os/fd.hpp"
#include "ui/live_display.hpp"
#include "ui/renderer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

namespace sheaf::ui {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<Event>& one_of_each() {
  static const std::vector<Event> k_events = {
      {EventKind::begin, "layer go", "new", 0, 0, 0},
      {EventKind::step, "layer go", "RUN make", 1, 2, 0},
      {EventKind::output, "layer go", "compiling", 0, 0, 0},
      {EventKind::end, "layer go", "12 files", 0, 0, 1500},
      {EventKind::fail, "layer x", "broken", 0, 0, 20},
      {EventKind::cached, "layer y", "unchanged", 0, 0, 0},
      {EventKind::note, "", "a note", 0, 0, 0},
      {EventKind::warning, "", "careful", 0, 0, 0},
  };
  return k_events;
}

/// What a renderer writes for `events`.
std::string rendered(const RenderSettings& settings, const std::vector<Event>& events = one_of_each()) {
  const auto file = os::memory_file("").value();
  {
    const auto renderer = make_renderer(settings, file.get());
    for (const auto& event : events) {
      renderer->emit(event);
    }
  }
  EXPECT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
  return os::read_all(file).value();
}

TEST(PlainRenderer, OutputDoesNotCommandTheTerminal) {
  const auto text = rendered({Style::plain, Verbosity::verbose, false},
                             {{EventKind::output, "s\x1b[2J", "\x1b]0;title\x07 \x1b[1;31mred", 0, 0, 0},
                              {EventKind::step, "s", "RUN \x1b[31mx", 0, 0, 0}});
  EXPECT_EQ(text, "s\\x1b[2J         | \\x1b]0;title\\x07 \x1b[1;31mred\x1b[0m\n"
                  "s                RUN x\n");
}

TEST(PlainRenderer, OneLinePerEventWithoutColours) {
  EXPECT_EQ(rendered({}), "layer go         building (new)\n"
                          "layer go         [1/2] RUN make\n"
                          "layer go         done in 1.5 s: 12 files\n"
                          "layer x          failed after 20 ms\n"
                          "a note\n"
                          "warning: careful\n");
}

TEST(PlainRenderer, VerboseShowsOutputToo) {
  const auto text = rendered({Style::plain, Verbosity::verbose, false});
  EXPECT_THAT(text, HasSubstr("layer go         | compiling\n"));
  EXPECT_THAT(text, HasSubstr("layer y          reused (unchanged)\n"));
  EXPECT_EQ(lines_of(text).size(), one_of_each().size());
}

TEST(PlainRenderer, QuietShowsOnlyTrouble) {
  EXPECT_EQ(rendered({Style::plain, Verbosity::quiet, false}),
            "layer x          failed after 20 ms\nwarning: careful\n");
}

TEST(PlainRenderer, AStepWithoutATotalHasNoNumbers) {
  EXPECT_EQ(rendered({}, {{EventKind::step, "base", "mmdebstrap", 0, 0, 0}}), "base             mmdebstrap\n");
}

TEST(PlainRenderer, ColourIsAnOptionOfItsOwn) {
  EXPECT_THAT(rendered({Style::terminal, Verbosity::normal, true}), HasSubstr("\x1b[31mfailed\x1b[0m"));
  EXPECT_THAT(rendered({Style::plain, Verbosity::verbose, false}), Not(HasSubstr("\x1b")));
}

TEST(TerminalRenderer, WhatGoesOnIsGoneAtTheEnd) {
  const auto text =
      rendered({Style::terminal, Verbosity::normal, false}, {{EventKind::begin, "layer go", "new", 0, 0, 0},
                                                             {EventKind::step, "layer go", "RUN make", 1, 2, 0},
                                                             {EventKind::note, "", "a note", 0, 0, 0}});
  EXPECT_THAT(text, HasSubstr("layer go         [----------]     1/2"));
  EXPECT_THAT(text, HasSubstr("RUN make\n"));
  EXPECT_THAT(text, HasSubstr("\x1b[1A\x1b[Ja note\n"));
  EXPECT_TRUE(text.ends_with("\r\x1b[1A\x1b[J")) << text;
}

TEST(TerminalRenderer, LinesThatStayAreThoseOfEndsAndNotes) {
  auto text = rendered({Style::terminal, Verbosity::normal, false});
  std::string kept; // what a terminal shows at last
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.compare(at, 6, "\r\x1b[1A\x1b", 0, 6) == 0) {
      kept.erase(kept.find_last_of('\n', kept.size() - 2) + 1);
      at += std::string_view("\r\x1b[1A\x1b[J").size() - 1;
    } else {
      kept += text[at];
    }
  }
  EXPECT_EQ(kept, "layer go         done in 1.5 s: 12 files\nlayer x          failed after 20 ms\na note\nwarning: "
                  "careful\n");
}

TEST(ActivityLine, ShowsBarTimeAndTheLastLine) {
  const std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  Activity activity{"layer go", 6, 10, "| linking", now - std::chrono::milliseconds(12'340)};
  EXPECT_EQ(activity_line(activity, now, 80), "layer go         [#####-----]    6/10   12.3 s  | linking");
  EXPECT_EQ(activity_line(activity, now, 30), "layer go         [#####-----] ");
  activity = {"base", 0, 0, "", now - std::chrono::seconds(125)};
  EXPECT_EQ(activity_line(activity, now, 80), "base                                  2 min 05 s");
  activity.last = "\u00e4\u00f6\nnext";
  EXPECT_EQ(activity_line(activity, now, 51), "base                                  2 min 05 s  \u00e4");
}

TEST(TerminalRenderer, QuietHasNoStatusLine) {
  EXPECT_THAT(rendered({Style::terminal, Verbosity::quiet, false}, {{EventKind::output, "l", "t", 0, 0, 0}}),
              IsEmpty());
}

TEST(JsonRenderer, EveryLineIsAnObjectWithAllFields) {
  const auto text = rendered({Style::json, Verbosity::quiet, true});
  std::vector<std::string> kinds;
  for (const auto line : lines_of(text)) {
    const auto json = nlohmann::json::parse(line);
    kinds.push_back(json.at("event"));
    for (const auto* key : {"subject", "text", "done", "total", "ms"}) {
      EXPECT_TRUE(json.contains(key)) << line;
    }
  }
  EXPECT_THAT(kinds, ElementsAre("begin", "step", "output", "end", "fail", "cached", "note", "warning"));
}

TEST(JsonRenderer, AnyBytesGiveOneValidLine) {
  const auto text =
      rendered({Style::json, Verbosity::normal, false}, {{EventKind::output, "s", "\xff\n\"\x01", 0, 0, 0}});
  EXPECT_EQ(lines_of(text).size(), 1U);
  EXPECT_TRUE(nlohmann::json::accept(text));
}

} // namespace
} // namespace sheaf::ui
