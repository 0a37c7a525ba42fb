// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text files that several layers changed and no driver knows: merged line by line against the text they all started
// from. Used for configuration below /etc. It knows nothing of what the lines mean.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sheaf::join {

/// `base` with the changes of all `sides`, which are in canonical order and each made from `base`; nothing if that is a
/// conflict. Lines are compared as bytes, with their "\n"; there is no limit to their length or number, but see below.
///
/// - Added lines go where their layer put them: several layers' at one place in the order of the layers, equal ones
///   once. So what layers append is what `cat >>`, one after the other, would give.
/// - Changed or deleted lines are a conflict if another layer changed, deleted or added lines there or next to there,
///   unless it did the very same.
/// - Equal sides count once, as do sides equal to the base. Without a base, for binary files (a NUL byte), and for
///   texts whose last line has no newline, all sides must be equal: an addition to such a line and a change of it look
///   the same.
///
/// Limits: a moved block is a deletion and an addition. Whether additions at different places fit together, such as two
/// values of one setting, is not seen. Where a line is repeated, an addition next to it may count as at either side of
/// the line. Sides with more than 2000 changed lines between the first and the last change, unless all of them are
/// added or all deleted, are a conflict.
std::optional<std::string> merge_texts(std::optional<std::string_view> base, std::span<const std::string_view> sides);

} // namespace sheaf::join
