// SPDX-License-Identifier: Apache-2.0
#include "builder/generated_filter.hpp"

#include "base/text.hpp"
#include "builder/output_tree.hpp"
#include "layer/capture.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "generate/certificates.hpp"
#include "generate/java_keystore.hpp"

namespace sheaf::builder {
namespace {

using generate::k_keystore;
constexpr const char* k_bundle = "etc/ssl/certs/ca-certificates.crt";

/// Without an entry switched on, locale-gen makes nothing: the archive then comes from localedef by hand.
bool has_locales(const layer::ParentView& view) {
  const auto text = view.read("etc/locale.gen"); // an error for a link, for example
  const auto lines = lines_of(text && *text ? std::string_view(**text) : std::string_view());
  return std::ranges::any_of(lines, [](std::string_view line) {
    const auto words = trim(line);
    return !words.empty() && words[0] != '#';
  });
}

bool can_make(const generate::Generator& generator, const layer::ParentView& view) {
  for (const auto pattern : generator.requires_paths) {
    if (!any_match(view.root(), pattern)) {
      return false;
    }
  }
  return generator.name == "locales" ? has_locales(view) : true;
}

/// Did somebody write certificates into the bundle itself?
Result<bool> bundle_is_own(const layer::ParentView& view) {
  const auto present = view.read(k_bundle);
  if (!present) { // a link, for example
    return true;
  }
  SHEAF_TRY_ASSIGN(const auto files, generate::trusted_files(view.root()));
  return *present && **present != generate::make_bundle(files);
}

/// Is it kept by hand, or in another format?
Result<bool> keystore_is_own(const layer::ParentView& view) {
  SHEAF_TRY_ASSIGN(const auto settings, view.read("etc/default/cacerts"));
  const auto present = view.read(std::string(k_keystore)); // an error for a link, for example
  if (!generate::parse_keystore_settings(settings.value_or("cacerts_updates=yes")).updates || !present || !*present) {
    return true;
  }
  const auto entries = generate::parse_keystore(**present);
  return !entries || !std::ranges::all_of(*entries, generate::is_derived);
}

} // namespace

Result<GeneratedFilter> GeneratedFilter::look(std::vector<std::string> lowers, const std::string& tree) {
  lowers.push_back(tree);
  SHEAF_TRY_ASSIGN(const auto view, layer::ParentView::open(lowers));
  GeneratedFilter filter;
  for (const auto& generator : generate::generators()) {
    if (can_make(generator, view)) {
      filter.m_able.insert(&generator);
    }
  }
  // Nothing at that path in the tree itself: nothing to decide, and nothing to read.
  if (os::exists(tree + "/" + k_bundle)) {
    SHEAF_TRY_ASSIGN(const bool own, bundle_is_own(view));
    if (own) {
      filter.m_kept.insert(k_bundle);
    }
  }
  if (os::exists(fmt::format("{}/{}", tree, k_keystore))) {
    SHEAF_TRY_ASSIGN(const bool own, keystore_is_own(view));
    if (own) {
      filter.m_kept.emplace(k_keystore);
    }
  }
  return filter;
}

bool GeneratedFilter::drops(const std::string& path, const std::optional<std::string>& link_target) const {
  const auto* made_by = generate::output_of(path, link_target);
  return made_by != nullptr && m_able.contains(made_by) && !m_kept.contains(path);
}

} // namespace sheaf::builder
