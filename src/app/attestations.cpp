// SPDX-License-Identifier: Apache-2.0
#include "app/attestations.hpp"

#include "os/fd.hpp"

#include <fmt/format.h>

#include "sbom/cyclonedx.hpp"
#include "sbom/inventory.hpp"
#include "sbom/packages.hpp"
#include "sbom/provenance.hpp"
#include "sbom/spdx.hpp"

namespace sheaf::app {
namespace {

constexpr std::string_view k_layers = "layers/";

/// Layers with name and recipe, steps of a Dockerfile by their instruction.
Result<sbom::BuildFacts> facts_of(const store::ImageRecord& image, store::Store& store) {
  sbom::BuildFacts facts;
  facts.tool_version = SHEAF_VERSION;
  facts.parameters["platform"] = image.image.os + "/" + image.image.architecture;
  std::vector<std::string> instructions;
  for (const auto& line : image.image.history) {
    if (!line.empty_layer) {
      instructions.push_back(line.created_by);
    }
  }
  for (std::size_t i = 0; i < image.trees.size(); ++i) {
    const auto& tree = image.trees[i];
    sbom::LayerOrigin origin{i < instructions.size() ? instructions[i] : tree.folder, ContentKey{tree.content}, {}};
    if (tree.folder.starts_with(k_layers)) {
      SHEAF_TRY_ASSIGN(const auto layer, store.find(ContentKey{tree.content}));
      if (layer) {
        origin.name = layer->record.name;
        origin.recipe = layer->record.recipe_key;
      }
    }
    facts.layers.push_back(std::move(origin));
  }
  return facts;
}

class Pushing {
public:
  Pushing(registry::Client& client, const oci::Reference& to, oci::Descriptor subject, std::stop_token stop)
      : m_client(client), m_to(to), m_subject(std::move(subject)), m_stop(std::move(stop)) {
    m_subject.platform.reset();
    m_subject.annotations.clear();
  }

  Result<oci::Descriptor> blob(const std::string& text, std::string_view media_type) {
    const oci::Descriptor descriptor{std::string(media_type), Digest::of(text), text.size(), {}, {}, {}};
    SHEAF_TRY_ASSIGN(const auto file, os::memory_file(text));
    SHEAF_TRY(m_client.push_blob(m_to, descriptor, file, {}, m_stop));
    return descriptor;
  }

  Result<Digest> one(const Attestation& attestation) {
    oci::Manifest manifest;
    manifest.media_type = oci::media_type::k_manifest;
    manifest.artifact_type = attestation.media_type;
    SHEAF_TRY_ASSIGN(manifest.config, blob("{}", oci::media_type::k_empty));
    SHEAF_TRY_ASSIGN(auto content, blob(attestation.text, attestation.media_type));
    manifest.layers.push_back(std::move(content));
    manifest.subject = m_subject;
    return m_client.push_referrer(m_to, manifest, m_stop);
  }

private:
  registry::Client& m_client;
  const oci::Reference& m_to;
  oci::Descriptor m_subject;
  std::stop_token m_stop;
};

} // namespace

Result<std::vector<Attestation>> attestations_of(const store::ImageRecord& image, const oci::Reference& name,
                                                 const Digest& manifest, const Session& session) {
  SHEAF_TRY_ASSIGN(auto trees, session.store.trees_of(image));
  SHEAF_TRY_ASSIGN(const auto root, sbom::TreeStack::open(std::move(trees)));
  SHEAF_TRY_ASSIGN(const auto packages, sbom::find_packages(root));
  SHEAF_TRY_ASSIGN(const auto inventory, sbom::inventory_of(root));
  SHEAF_TRY_ASSIGN(const auto facts, facts_of(image, session.store));
  sbom::Subject subject;
  subject.name = name.familiar();
  subject.digest = manifest;
  subject.architecture = image.image.architecture;
  subject.created = image.created;
  return std::vector<Attestation>{
      {std::string(sbom::media_type::k_spdx), sbom::spdx_text(subject, packages, "sheaf-" SHEAF_VERSION)},
      {std::string(sbom::media_type::k_cyclonedx), sbom::cyclonedx_text(subject, packages, SHEAF_VERSION)},
      {std::string(sbom::media_type::k_inventory), layer::serialise(inventory)},
      {std::string(sbom::media_type::k_in_toto), sbom::provenance_text(subject, facts)}};
}

Result<std::vector<Digest>> push_attestations(registry::Client& client, const oci::Reference& to,
                                              const oci::Descriptor& manifest, const store::ImageRecord& image,
                                              const Session& session) {
  const auto doing = fmt::format("describing '{}'", to.familiar());
  SHEAF_TRY_ASSIGN(const auto attestations, attestations_of(image, to, manifest.digest, session).context(doing));
  Pushing pushing(client, to, manifest, session.stop);
  std::vector<Digest> digests;
  for (const auto& attestation : attestations) {
    SHEAF_TRY_ASSIGN(const auto digest, pushing.one(attestation).context(doing));
    digests.push_back(digest);
  }
  return digests;
}

} // namespace sheaf::app
