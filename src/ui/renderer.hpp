// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shows progress events on standard error: coloured lines above what goes on right now on a terminal
// (live_display.hpp), plain lines elsewhere, JSON objects for programs. Safe from several threads.

#include "base/event.hpp"

#include <memory>

namespace sheaf::ui {

enum class Style { terminal, plain, json };
enum class Verbosity { quiet, normal, verbose };

struct RenderSettings {
  Style style = Style::plain;
  Verbosity verbosity = Verbosity::normal;
  bool colour = false;
};

std::unique_ptr<EventSink> make_renderer(const RenderSettings& settings, int descriptor);

} // namespace sheaf::ui
