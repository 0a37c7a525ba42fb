// SPDX-License-Identifier: Apache-2.0
#include "app/step_caches.hpp"

#include "app/registries.hpp"
#include "app/registry_image.hpp"
#include "base/text.hpp"
#include "image/image_file.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace sheaf::app {
namespace {

using Kind = StepCachePlace::Kind;

/// One cache that was read.
struct Opened {
  StepCachePlace place;
  std::unique_ptr<image::ImageFile> file; ///< that the source reads
  std::unique_ptr<image::ImageSource> source;
  std::map<Digest, cache::StepEntry> steps; ///< by key
  std::map<Digest, Digest> selections;
};

/// The object itself, or the one that was put beside the image of that name.
Result<oci::Reference> steps_of(registry::Client& client, oci::Reference name, const std::stop_token& stop) {
  SHEAF_TRY_ASSIGN(const auto fetched, client.manifest(name, stop));
  SHEAF_TRY_ASSIGN(const auto parsed, oci::parse_manifest(fetched.text, fetched.media_type));
  const auto* manifest = std::get_if<oci::Manifest>(&parsed);
  if (manifest != nullptr && manifest->artifact_type == cache::media_type::k_steps) {
    name.digest = fetched.digest;
    return name;
  }
  SHEAF_TRY_ASSIGN(const auto referrers, client.referrers(name, fetched.digest, stop));
  const auto found = std::ranges::find(referrers, cache::media_type::k_steps, &oci::Descriptor::artifact_type);
  if (found == referrers.end()) {
    return Error(ErrorCode::unsupported, "what is there holds no steps of sheaf, nor does anything beside it");
  }
  name.digest = found->digest;
  return name;
}

} // namespace

class StepCaches::Impl {
public:
  Impl(std::vector<StepCachePlace> places, std::optional<registry::Client> client, const Session& session)
      : m_places(std::move(places)), m_client(std::move(client)), m_session(session) {}

  std::optional<cache::StepEntry> load_and_find(const Digest& key) {
    load();
    return find(key);
  }

  std::optional<cache::StepEntry> find(const Digest& key) {
    const std::scoped_lock lock(m_mutex);
    std::optional<cache::StepEntry> found;
    for (const auto& opened : m_opened) {
      const auto step = opened->steps.find(key);
      if (step != opened->steps.end() && (!found || step->second.blob)) {
        found = step->second;
      }
      if (found && found->blob) {
        break;
      }
    }
    return found;
  }

  std::optional<Digest> selected(const Digest& selection) {
    load();
    const std::scoped_lock lock(m_mutex);
    for (const auto& opened : m_opened) {
      if (const auto found = opened->selections.find(selection); found != opened->selections.end()) {
        return found->second;
      }
    }
    return std::nullopt;
  }

  /// Several at a time; after the first failure the others are brought nevertheless: the next attempt needs them.
  Result<void> bring(const std::vector<builder::UsedStep>& steps) {
    constexpr std::size_t k_most_at_a_time = 6;
    std::vector<std::optional<Error>> errors(steps.size());
    std::atomic<std::size_t> next = 0;
    {
      std::vector<std::jthread> threads;
      for (std::size_t n = 0; n < std::min(steps.size(), k_most_at_a_time); ++n) {
        threads.emplace_back([&] {
          for (std::size_t i = next++; i < steps.size(); i = next++) {
            if (auto brought = bring(steps[i]); !brought) {
              errors[i] = std::move(brought).error();
            }
          }
        });
      }
    }
    for (auto& error : errors) {
      if (error) {
        return std::move(*error);
      }
    }
    return {};
  }

private:
  void load() {
    std::call_once(m_loaded, [this] {
      for (const auto& place : m_places) {
        auto opened = open(place);
        if (opened) {
          m_session.events.emit(
              {EventKind::note, "cache", fmt::format("'{}' has {} steps", place.name(), (*opened)->steps.size())});
          m_opened.push_back(std::move(*opened));
        } else if (opened.error().code() == ErrorCode::not_found) {
          m_session.events.emit({EventKind::note, "cache", fmt::format("there is nothing in '{}' yet", place.name())});
        } else if (opened.error().code() != ErrorCode::cancelled) {
          m_session.events.emit(
              {EventKind::warning, "",
               fmt::format("reading the cache '{}': {}; going on without it", place.name(), opened.error().summary())});
        }
      }
    });
  }

  Result<std::unique_ptr<Opened>> open(const StepCachePlace& place) {
    auto opened = std::make_unique<Opened>();
    opened->place = place;
    if (place.kind == Kind::registry) {
      SHEAF_TRY_ASSIGN(auto name, oci::Reference::parse(place.place));
      SHEAF_TRY_ASSIGN(name, steps_of(*m_client, std::move(name), m_session.stop));
      opened->source = registry_source(*m_client, name, m_session.store);
    } else {
      if (!os::exists(place.place + "/index.json")) {
        return Error(ErrorCode::not_found, "nothing was put there yet");
      }
      SHEAF_TRY_ASSIGN(auto file, image::ImageFile::open(place.place, m_session.store));
      opened->file = std::make_unique<image::ImageFile>(std::move(file));
      SHEAF_TRY_ASSIGN(opened->source, opened->file->source(place.tag));
    }
    SHEAF_TRY_ASSIGN(auto list, cache::get_steps(*opened->source, m_session.stop));
    for (auto& step : list.steps) {
      opened->steps.emplace(step.key, std::move(step));
    }
    opened->selections = std::move(list.selections);
    return opened;
  }

  /// From the first cache that has it. What fails is forgotten.
  Result<void> bring(const builder::UsedStep& step) {
    auto result = Result<void>(Error(ErrorCode::not_found, "no cache has its tree"));
    for (const auto& opened : m_opened) {
      const auto entry = entry_of(*opened, step);
      if (!entry) {
        continue;
      }
      result = cache::get_tree(*entry, *opened->source, m_session.store, m_session.stop);
      if (result || result.error().code() == ErrorCode::cancelled) {
        return result;
      }
      give_up(*opened, step, result.error());
    }
    return std::move(result).context(fmt::format("fetching what '{}' gave", step.record.display));
  }

  static bool is_same(const cache::StepEntry& entry, const builder::UsedStep& step) {
    return entry.record.exact == step.record.exact;
  }

  std::optional<cache::StepEntry> entry_of(const Opened& opened, const builder::UsedStep& step) {
    const std::scoped_lock lock(m_mutex);
    const auto found = opened.steps.find(step.key);
    return found != opened.steps.end() && is_same(found->second, step) ? std::optional(found->second) : std::nullopt;
  }

  /// One damaged tree says nothing of the others; a server that is gone does.
  void give_up(Opened& opened, const builder::UsedStep& step, const Error& error) {
    const std::scoped_lock lock(m_mutex);
    const bool is_one = error.code() == ErrorCode::corrupt || error.code() == ErrorCode::not_found ||
                        error.code() == ErrorCode::unsupported || error.code() == ErrorCode::invalid;
    const bool has_tree = opened.steps.contains(step.key) && opened.steps.at(step.key).blob.has_value();
    if (is_one) {
      opened.steps.erase(step.key);
    } else {
      opened.steps.clear();
      opened.selections.clear();
    }
    if (has_tree) { // of those without one nobody has expected any
      m_session.events.emit(
          {EventKind::warning, "",
           fmt::format("reading the cache '{}': step ({}): {}; {}", opened.place.name(), step.record.display,
                       error.summary(), is_one ? "it is carried out instead" : "going on without it")});
    }
  }

  std::vector<StepCachePlace> m_places;
  std::optional<registry::Client> m_client;
  const Session& m_session;
  std::once_flag m_loaded;
  std::vector<std::unique_ptr<Opened>> m_opened; ///< once loaded, the list itself stays
  std::mutex m_mutex;                            ///< guards what they hold
};

StepCaches::StepCaches(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
StepCaches::StepCaches(StepCaches&&) noexcept = default;
StepCaches::~StepCaches() = default;

Result<StepCaches> StepCaches::open(const std::vector<StepCachePlace>& places, const Session& session) {
  std::optional<registry::Client> client;
  if (std::ranges::find(places, Kind::registry, &StepCachePlace::kind) != places.end()) {
    SHEAF_TRY_ASSIGN(auto opened, registry_client());
    client.emplace(std::move(opened));
  }
  return StepCaches(std::make_unique<Impl>(places, std::move(client), session));
}

builder::StepCache StepCaches::functions() {
  builder::StepCache functions;
  functions.find = [impl = m_impl.get()](const Digest& key) -> std::optional<store::StepRecord> {
    const auto found = impl->load_and_find(key);
    return found ? std::optional(found->record) : std::nullopt;
  };
  functions.selected = [impl = m_impl.get()](const Digest& selection) { return impl->selected(selection); };
  functions.bring = [impl = m_impl.get()](const std::vector<builder::UsedStep>& steps) { return impl->bring(steps); };
  return functions;
}

std::optional<cache::StepEntry> StepCaches::find(const Digest& key) { return m_impl->find(key); }

Result<void> StepCaches::bring(const std::vector<builder::UsedStep>& steps) { return m_impl->bring(steps); }

} // namespace sheaf::app
