// SPDX-License-Identifier: Apache-2.0
#pragma once

// What images of environments are called, so that people and scripts can tell them apart. Names are aliases; what an
// image is stands in its labels and its digest: short names of different things may be equal ("a/b" and "a-b"; base
// "a-b" with agent "c", and base "a" with agents "b" and "c"), and then name what was built last. Pure.
// Source: spec.md, SEL-5.

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::plan {

/// A tag made of a base's name: runs of characters outside of [A-Za-z0-9_.-] become one '-', leading and trailing '-'
/// and '.' are dropped, all is lower case. At most 128 characters; what is longer ends in a digest of all of it. What
/// has no letter, digit or '_' is "base".
std::string base_tag(std::string_view base);

/// "sheaf-l0:<base-tag>"
std::string base_image_name(std::string_view base);
/// "sheaf-l1-cli:<base-tag>[-<agent>…]", agents sorted; a digest of them where the tag would pass 128 characters.
std::string agents_image_name(std::string_view base, std::vector<std::string> agents);
/// "<project>:l2-cli", without agents "<project>:l2-dev". The project's name is made one that a repository may have.
std::string project_image_name(std::string_view project, const std::vector<std::string>& agents);
/// "<project>:<level>", of a level of `stacks`.
std::string level_image_name(std::string_view project, std::string_view level);

} // namespace sheaf::plan
