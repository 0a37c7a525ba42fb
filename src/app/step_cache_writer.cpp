// SPDX-License-Identifier: Apache-2.0
// What --cache-to does after a build.
#include "app/registries.hpp"
#include "app/registry_image.hpp"
#include "app/step_caches.hpp"
#include "base/text.hpp"
#include "image/layer_blob.hpp"
#include "image/layout_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace sheaf::app {
namespace {

using Kind = StepCachePlace::Kind;

class Writer {
public:
  Writer(const builder::BuiltImage& built, StepCaches& known, const Session& session)
      : m_built(built), m_known(known), m_session(session) {
    for (const auto& step : built.steps) {
      auto entry = known.find(step.key);
      m_list.steps.push_back(entry && entry->record.exact == step.record.exact
                                 ? std::move(*entry)
                                 : cache::StepEntry{step.key, step.record, std::nullopt, {}});
    }
    m_list.selections = built.selections;
  }

  Result<void> to_registry(const StepCachePlace& place) {
    SHEAF_TRY_ASSIGN(const auto name, oci::Reference::parse(place.place));
    SHEAF_TRY_ASSIGN(auto client, registry_client());
    const auto target = registry_target(client, name, m_session.store);
    return put(place, *target);
  }

  Result<void> to_directory(const StepCachePlace& place) {
    SHEAF_TRY_ASSIGN(const auto target, image::open_layout_directory(place.place, {place.tag}));
    return put(place, *target);
  }

  /// As a manifest that refers to that of the image, which stays as it is.
  Result<void> beside(const StepCachePlace& place, const PushedImage& image) {
    SHEAF_TRY_ASSIGN(auto client, registry_client());
    const auto target = registry_target(client, image.name, m_session.store);
    auto wanted = place;
    wanted.compression = image.compression;
    SHEAF_TRY_ASSIGN(auto put, put_blobs(wanted, *target));
    put.manifest.subject = image.manifest;
    put.manifest.subject->platform.reset();
    put.manifest.subject->annotations.clear();
    SHEAF_TRY(client.push_referrer(image.name, put.manifest, m_session.stop));
    tell("beside '" + image.name.familiar() + "'", put.bytes);
    return {};
  }

private:
  Result<void> put(const StepCachePlace& place, image::ImageTarget& target) {
    SHEAF_TRY_ASSIGN(const auto put, put_blobs(place, target));
    const auto text = oci::serialise(put.manifest);
    const oci::Descriptor manifest{put.manifest.media_type,   Digest::of(text), text.size(), {}, {},
                                   put.manifest.artifact_type};
    SHEAF_TRY(target.put_manifest(manifest, text, image::ImageTarget::Place::named, m_session.stop));
    SHEAF_TRY(target.finish());
    tell("into '" + place.name() + "'", put.bytes);
    return {};
  }

  Result<cache::PutSteps> put_blobs(const StepCachePlace& place, image::ImageTarget& target) {
    const auto folders = wanted_folders(place);
    if (place.all_stages) {
      SHEAF_TRY(bring_what_is_missing(target));
    }
    const image::LayerWish wish{place.compression, image::Form::oci, std::max(1U, std::thread::hardware_concurrency())};
    return cache::put_steps(m_list, folders, wish, target, m_session.store, m_session.stop);
  }

  std::vector<std::string> wanted_folders(const StepCachePlace& place) const {
    std::vector<std::string> folders;
    for (const auto& step : m_built.steps) {
      const auto folder = step.record.folder();
      if (place.all_stages ||
          std::ranges::find(m_built.record.trees, folder, &store::TreeRef::folder) != m_built.record.trees.end()) {
        folders.push_back(folder);
      }
    }
    return folders;
  }

  /// Trees of steps that this build has used without looking at them. Those that no cache has are left out: their
  /// records are put alone.
  Result<void> bring_what_is_missing(image::ImageTarget& target) {
    for (const auto& entry : m_list.steps) {
      SHEAF_TRY_ASSIGN(const bool is_here, m_session.store.adopt_step(entry.key, entry.record));
      if (is_here || !entry.blob) {
        continue;
      }
      SHEAF_TRY_ASSIGN(const bool is_there, target.has(entry.blob->blob, m_session.stop));
      if (!is_there) {
        ignore(m_known.bring({{entry.key, entry.record}}), "a cache was told of already");
      }
    }
    return {};
  }

  void tell(const std::string& where, std::uint64_t bytes) {
    m_session.events.emit({EventKind::note, "cache",
                           fmt::format("{} steps put {}, {} sent", m_list.steps.size(), where, human_bytes(bytes))});
  }

  const builder::BuiltImage& m_built;
  StepCaches& m_known;
  const Session& m_session;
  cache::StepList m_list;
};

Result<void> write(const StepCachePlace& place, Writer& writer, const std::vector<PushedImage>& pushed,
                   EventSink& events) {
  if (place.kind == Kind::registry) {
    return writer.to_registry(place);
  }
  if (place.kind == Kind::directory) {
    return writer.to_directory(place);
  }
  if (pushed.empty()) {
    events.emit({EventKind::note, "cache", "'--cache-to type=inline' acts on images that are pushed: add --push"});
  }
  for (const auto& image : pushed) {
    SHEAF_TRY(writer.beside(place, image));
  }
  return {};
}

} // namespace

Result<void> write_step_caches(const std::vector<StepCachePlace>& places, const builder::BuiltImage& built,
                               const std::vector<PushedImage>& pushed, StepCaches& known, const Session& session) {
  if (places.empty()) {
    return {};
  }
  Writer writer(built, known, session);
  for (const auto& place : places) {
    auto written =
        write(place, writer, pushed, session.events).context(fmt::format("writing the cache '{}'", place.name()));
    if (!written && (!place.may_fail || written.error().code() == ErrorCode::cancelled)) {
      return written;
    }
    if (!written) {
      session.events.emit({EventKind::warning, "", written.error().summary()});
    }
  }
  return {};
}

} // namespace sheaf::app
