// SPDX-License-Identifier: Apache-2.0
#include "app/layer_caches.hpp"

#include "app/registries.hpp"
#include "app/registry_image.hpp"
#include "base/text.hpp"
#include "cache/layer_object.hpp"
#include "image/image_file.hpp"
#include "image/layout_target.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <utility>

namespace sheaf::app {
namespace {

using Source = image::ImageSource;

/// One cache; safe from several threads.
class Backend {
public:
  Backend(CachePlace place, registry::Client& client, const Session& session)
      : m_place(std::move(place)), m_client(client), m_session(session) {}

  std::optional<store::StoredLayer> fetch(const RecipeKey& key, const std::string& name, const std::stop_token& stop) {
    if (m_down) {
      return std::nullopt;
    }
    auto layer = get(key, stop);
    if (layer) {
      m_session.events.emit({EventKind::note, "layer " + name, fmt::format("from the cache '{}'", m_place.place)});
      return std::move(*layer);
    }
    if (layer.error().code() != ErrorCode::not_found && layer.error().code() != ErrorCode::cancelled) {
      give_up("reading", layer.error());
    }
    return std::nullopt;
  }

  /// Nothing is said to the user; the answer says it all.
  builder::Peeked peek(const RecipeKey& key, const std::stop_token& stop) {
    builder::Peeked answer;
    answer.place = m_place.place;
    auto object = look(key, stop);
    if (object) {
      answer.record = std::move(object->record);
      answer.bytes = object->bytes;
    } else if (object.error().code() != ErrorCode::not_found) {
      answer.trouble = object.error().summary();
      answer.is_refused = object.error().code() == ErrorCode::denied;
    }
    return answer;
  }

  void offer(const store::StoredLayer& layer, const std::stop_token& stop) {
    if (m_down || m_place.read_only || m_closed) {
      return;
    }
    if (const auto put = this->put(layer, stop); !put) {
      if (put.error().code() == ErrorCode::denied) { // reading may well be allowed
        m_closed = true;
      }
      give_up("writing to", put.error());
    }
  }

private:
  Result<oci::Reference> reference(const RecipeKey& key) const {
    return oci::Reference::parse(fmt::format("{}:{}", m_place.place, cache::tag_of(key)));
  }

  /// `use` gets the source of the object.
  template <class Use>
  auto with_source(const RecipeKey& key, Use&& use) -> decltype(use(std::declval<Source&>())) {
    if (m_place.kind == CachePlace::Kind::registry) {
      SHEAF_TRY_ASSIGN(const auto image, reference(key));
      const auto source = registry_source(m_client, image, m_session.store);
      return use(*source);
    }
    if (!os::exists(m_place.place + "/index.json")) {
      return Error(ErrorCode::not_found, "nothing was put there yet");
    }
    SHEAF_TRY_ASSIGN(const auto file, image::ImageFile::open(m_place.place, m_session.store));
    SHEAF_TRY_ASSIGN(const auto source, file.source(cache::tag_of(key)));
    return use(*source);
  }

  Result<store::StoredLayer> get(const RecipeKey& key, const std::stop_token& stop) {
    return with_source(key, [&](Source& source) { return cache::get_layer(key, source, m_session.store, stop); });
  }

  Result<cache::Object> look(const RecipeKey& key, const std::stop_token& stop) {
    return with_source(key, [&](Source& source) { return cache::peek_layer(key, source, stop); });
  }

  Result<void> put(const store::StoredLayer& layer, const std::stop_token& stop) {
    const auto tag = cache::tag_of(layer.record.recipe_key);
    std::unique_ptr<image::ImageTarget> target;
    if (m_place.kind == CachePlace::Kind::registry) {
      SHEAF_TRY_ASSIGN(const auto image, reference(layer.record.recipe_key));
      target = registry_target(m_client, image, m_session.store);
    } else {
      SHEAF_TRY_ASSIGN(target, image::open_layout_directory(m_place.place, {tag}));
    }
    const std::scoped_lock lock(m_mutex); // a layout's index has one writer; and packing uses all processors anyway
    SHEAF_TRY_ASSIGN(const auto put, cache::put_layer(layer, *target, m_session.store, stop));
    SHEAF_TRY(target->finish());
    m_session.events.emit({EventKind::note, "layer " + layer.record.name,
                           fmt::format("put into the cache '{}', {} sent", m_place.place, human_bytes(put.bytes))});
    return {};
  }

  /// Says so once.
  void give_up(std::string_view what, const Error& error) {
    if (error.code() == ErrorCode::corrupt) { // one object is damaged, the others need not be
      m_session.events.emit(
          {EventKind::warning, "",
           fmt::format("{} the cache '{}': {}; the layer is built instead", what, m_place.place, error.summary())});
      return;
    }
    const bool down = !m_closed;
    if (!m_told.exchange(true)) {
      m_session.events.emit(
          {EventKind::warning, "",
           fmt::format("{} the cache '{}': {}; going on without it", what, m_place.place, error.summary())});
    }
    if (down) {
      m_down = true;
    }
  }

  CachePlace m_place;
  registry::Client& m_client;
  const Session& m_session;
  std::mutex m_mutex; ///< held while a layer is put
  std::atomic<bool> m_down = false;
  std::atomic<bool> m_closed = false;
  std::atomic<bool> m_told = false;
};

struct Backends {
  explicit Backends(registry::Client opened) : client(std::move(opened)) {}
  registry::Client client;
  std::vector<std::unique_ptr<Backend>> list;
};

} // namespace

Result<CachePlace> parse_cache(std::string_view text) {
  CachePlace cache;
  constexpr std::string_view k_mode = ",mode=";
  auto place = text;
  if (const auto comma = text.find(k_mode); comma != std::string_view::npos) {
    const auto mode = text.substr(comma + k_mode.size());
    if (mode != "ro" && mode != "rw") {
      return Error(ErrorCode::invalid, fmt::format("the cache '{}' has a mode that is neither ro nor rw", text));
    }
    cache.read_only = mode == "ro";
    place = text.substr(0, comma);
  }
  const auto after = [&place](std::string_view scheme) {
    const bool has = place.starts_with(scheme);
    place.remove_prefix(has ? scheme.size() : 0);
    return has;
  };
  if (after("file://") || place.starts_with('/') || place.starts_with("./")) {
    cache.kind = CachePlace::Kind::directory;
    cache.place = place;
    return cache;
  }
  after("oci://");
  cache.place = place;
  const auto reference = oci::Reference::parse(place);
  if (!reference || place.find("://") != std::string_view::npos || reference->tag != "latest" ||
      place.ends_with(":latest") || reference->digest) {
    return Error(ErrorCode::invalid, fmt::format("the cache '{}' is not understood", text))
        .with_hint("write HOST/REPOSITORY, or a directory: '/srv/layers', 'file:///srv/layers'");
  }
  return cache;
}

Result<builder::LayerCache> open_caches(const std::vector<std::string>& caches, const Session& session) {
  builder::LayerCache functions;
  if (caches.empty()) {
    return functions;
  }
  SHEAF_TRY_ASSIGN(auto client, registry_client());
  const auto backends = std::make_shared<Backends>(std::move(client));
  for (const auto& text : caches) {
    SHEAF_TRY_ASSIGN(auto place, parse_cache(text));
    backends->list.push_back(std::make_unique<Backend>(std::move(place), backends->client, session));
  }
  functions.fetch = [backends](const RecipeKey& key, const std::string& name,
                               const std::stop_token& stop) -> std::optional<store::StoredLayer> {
    for (const auto& backend : backends->list) {
      if (auto layer = backend->fetch(key, name, stop)) {
        return layer;
      }
    }
    return std::nullopt;
  };
  functions.peek = [backends](const RecipeKey& key, const std::stop_token& stop) {
    builder::Peeked worst;
    for (const auto& backend : backends->list) {
      auto answer = backend->peek(key, stop);
      if (answer.record) {
        return answer;
      }
      worst = worst.trouble.empty() && !answer.trouble.empty() ? std::move(answer) : std::move(worst);
    }
    return worst;
  };
  functions.offer = [backends](const store::StoredLayer& layer, const std::stop_token& stop) {
    for (const auto& backend : backends->list) {
      backend->offer(layer, stop);
    }
  };
  return functions;
}

} // namespace sheaf::app
