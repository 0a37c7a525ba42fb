// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text of others as part of an XML document. Pure.

#include <string>
#include <string_view>

namespace sheaf {

/// `text` as character data: markup is escaped, and what XML 1.0 has no way to say, control characters and bytes that
/// are not UTF-8, becomes "\x1b" and the like. Source: XML 1.0, 2.2 Characters, 2.4 Character Data and Markup.
std::string xml_text(std::string_view text);

/// `text` as the value of an attribute, quotes included. Newlines and tabs survive reading. Source: XML 1.0, 3.3.3
/// Attribute-Value Normalization.
std::string xml_attribute(std::string_view text);

} // namespace sheaf
