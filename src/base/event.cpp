// SPDX-License-Identifier: Apache-2.0
#include "base/event.hpp"

namespace sheaf {

std::string_view to_string(EventKind kind) {
  switch (kind) {
  case EventKind::begin:
    return "begin";
  case EventKind::step:
    return "step";
  case EventKind::output:
    return "output";
  case EventKind::end:
    return "end";
  case EventKind::fail:
    return "fail";
  case EventKind::cached:
    return "cached";
  case EventKind::warning:
    return "warning";
  case EventKind::note:
    break;
  }
  return "note";
}

} // namespace sheaf
