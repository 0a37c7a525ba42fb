// SPDX-License-Identifier: Apache-2.0
#include "app/diff_images.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"

#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array k_diff_options = {k_json_option};
constexpr std::array k_sbom_options = {
    Option{"format", 0, "FORMAT", "spdx (SPDX 2.3) or cyclonedx (CycloneDX 1.5) (default: spdx)"}};
constexpr std::array<std::string_view, 2> k_diff_examples = {"sheaf image diff app:1 app:2",
                                                             "sheaf image diff debian:12 app --json"};
constexpr std::array<std::string_view, 2> k_sbom_examples = {"sheaf image sbom app > app.spdx.json",
                                                             "sheaf image sbom app --format cyclonedx"};

app::Session session_of(Invocation& invocation, store::Store& store) {
  return {store, *invocation.events, invocation.stop(), 1};
}

Result<int> diff(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto found,
                   app::diff_images(invocation.operands[0], invocation.operands[1], session_of(invocation, store)));
  Invocation::print(invocation.json() ? sbom::diff_json(found) : sbom::diff_text(found));
  return 0;
}

Result<int> bill(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto format, app::sbom_format(invocation.value("format").value_or("spdx")));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto text,
                   app::image_sbom(invocation.operands.front(), format, session_of(invocation, store)));
  Invocation::print(text);
  return 0;
}

} // namespace

const Command k_image_diff = {
    "image diff",
    "show what differs between two images: packages and files",
    "Prints what AFTER has more (+), less (-) and otherwise (~) than BEFORE: packages of deb, apk, rpm, npm and pip "
    "with "
    "their versions, then files with what of them differs. Times are not compared. A folder that only one image has is "
    "one line; with --json all that is in it is listed. Prints nothing if nothing differs.",
    {"BEFORE AFTER", 2, 2},
    k_diff_options,
    k_diff_examples,
    diff};

const Command k_image_sbom = {
    "image sbom",
    "print the packages of an image as an SBOM",
    "Reads the files in which package managers (deb, apk, rpm, npm, pip) keep what is installed, and prints them as "
    "SPDX "
    "2.3 or CycloneDX 1.5 in JSON. The same image gives the same text: times and names in it are those of the image.",
    {"NAME", 1, 1},
    k_sbom_options,
    k_sbom_examples,
    bill};

} // namespace sheaf::cli
