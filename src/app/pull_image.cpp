// SPDX-License-Identifier: Apache-2.0
#include "app/pull_image.hpp"

#include "app/registries.hpp"
#include "app/registry_image.hpp"
#include "app/transfer_progress.hpp"
#include "base/text.hpp"
#include "image/image_file.hpp"
#include "image/import.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace sheaf::app {
namespace {

/// A digest may name an index, which stands for another image on each platform.
std::string pulled_path(const Digest& digest, const std::optional<oci::Platform>& platform, const store::Store& store) {
  auto suffix = platform ? "." + platform->to_string() : std::string();
  std::ranges::replace(suffix, '/', '-');
  return fmt::format("{}/pulled/{}{}", store.root(), digest.hex(), suffix);
}

/// A digest may name an index; which image of it is ours is not seen from the image.
Result<void> remember(const Digest& digest, const std::optional<oci::Platform>& platform, const Digest& image,
                      const store::Store& store) {
  SHEAF_TRY(store.folder("pulled"));
  return store::write_file(store.root(), pulled_path(digest, platform, store), image.to_string());
}

Result<void> name_image(const oci::Reference& reference, Pulled& pulled, store::Store& store) {
  if (!reference.tag.empty()) {
    auto name = reference;
    name.digest.reset();
    SHEAF_TRY(store.tag(name, pulled.id));
    pulled.names.push_back(name.familiar());
  } else {
    pulled.names.push_back(reference.familiar());
  }
  return {};
}

/// What the name stands for in the registry now.
Result<Digest> current_digest(registry::Client& client, const oci::Reference& reference, std::stop_token stop) {
  if (reference.digest) {
    return *reference.digest;
  }
  SHEAF_TRY_ASSIGN(const auto digest, client.digest_of(reference, stop));
  if (digest) {
    return *digest;
  }
  // Some registries answer HEAD with 404 for what they have; and the errors of GET say more.
  SHEAF_TRY_ASSIGN(const auto manifest, client.manifest(reference, std::move(stop)));
  return manifest.digest;
}

Result<Pulled> bring(image::ImageSource& source, const std::optional<oci::Platform>& platform, const Session& session) {
  TransferProgress progress("pull " + source.name(), session.events);
  image::ImportOptions options;
  options.platform = platform;
  options.on_progress = [&progress](const image::Progress& now) { progress.see(now); };
  Pulled pulled;
  SHEAF_TRY_ASSIGN(pulled.record, image::import_image(source, options, session.store, session.stop));
  SHEAF_TRY_ASSIGN(pulled.id, session.store.save_image(pulled.record));
  pulled.bytes_fetched = progress.bytes();
  return pulled;
}

/// Standard input as a file that can be read twice.
Result<std::string> keep_input(store::Staging& staging, const std::stop_token& stop) {
  const auto path = staging.file("standard-input");
  SHEAF_TRY_ASSIGN(const auto file, os::open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  std::array<char, 65536> buffer{};
  for (;;) {
    // What is in front of the pipe may never write, nor end.
    constexpr int k_patience = 100; // milliseconds
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&waiting, 1, k_patience);
    if (stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    if (ready == 0 || (ready < 0 && errno == EINTR)) {
      continue; // the signal may become a request to stop a moment later
    }
    const auto got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got == 0) {
      return path;
    }
    if (got < 0) {
      return Error::from_errno(errno, "reading standard input");
    }
    SHEAF_TRY(os::write_all(file, {buffer.data(), static_cast<std::size_t>(got)}));
  }
}

/// "app:1" as it is, a tag alone as that of `fallback`.
Result<std::vector<oci::Reference>> references_of(const image::ImageFile::Entry& entry,
                                                  const std::optional<std::string>& name) {
  std::vector<oci::Reference> references;
  if (name) {
    SHEAF_TRY_ASSIGN(auto reference, oci::Reference::parse(*name));
    references.push_back(std::move(reference));
    return references;
  }
  for (const auto& text : entry.names) {
    // A layout's name may be a tag alone, which is no name here.
    const bool is_whole = text.find('/') != std::string::npos || text.find(':') != std::string::npos;
    if (auto reference = oci::Reference::parse(text); is_whole && reference) {
      references.push_back(std::move(*reference));
    }
  }
  return references;
}

/// What was remembered in a file. One that a power failure tore counts as not there.
Result<std::optional<store::StoredImage>> recall_any(const std::string& path, store::Store& store) {
  SHEAF_TRY_ASSIGN(const auto id, os::read_file_if_exists(path));
  return id && Digest::parse(*id) ? store.find_image(*id) : std::optional<store::StoredImage>();
}

/// If it is for the platform and whole.
Result<std::optional<store::ImageRecord>> recall(const std::string& path, const std::optional<oci::Platform>& platform,
                                                 store::Store& store) {
  SHEAF_TRY_ASSIGN(auto image, recall_any(path, store));
  // A tree that was lost is fetched again.
  if (!image || !fits(image->record, platform) || !store.trees_of(image->record)) {
    return std::optional<store::ImageRecord>();
  }
  return std::optional(std::move(image->record));
}

} // namespace

bool fits(const store::ImageRecord& record, const std::optional<oci::Platform>& platform) {
  return !platform || (record.image.os == platform->os && record.image.architecture == platform->architecture &&
                       (platform->variant.empty() || record.image.variant == platform->variant));
}

Result<std::optional<store::ImageRecord>>
find_pulled(const Digest& digest, const std::optional<oci::Platform>& platform, store::Store& store) {
  return recall(pulled_path(digest, platform, store), platform, store);
}

Result<Digest> digest_in_registry(const std::string& name, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto reference, oci::Reference::parse(name));
  const auto doing = fmt::format("asking what '{}' is now", reference.familiar());
  SHEAF_TRY_ASSIGN(auto client, registry_client());
  return current_digest(client, reference, session.stop).context(doing);
}

Result<std::optional<store::StoredImage>> find_stored(const std::string& name, store::Store& store) {
  SHEAF_TRY_ASSIGN(auto image, store.find_image(name));
  const auto reference = oci::Reference::parse(name);
  if (image || !reference || !reference->digest) {
    return image;
  }
  SHEAF_TRY_ASSIGN(auto pulled, recall_any(pulled_path(*reference->digest, std::nullopt, store), store));
  if (pulled) {
    return pulled;
  }
  // An image that was made here has the name, and the digest of no registry.
  auto tagged = *reference;
  tagged.digest.reset();
  SHEAF_TRY_ASSIGN(auto named, store.find_image(tagged.to_string()));
  const bool is_it = named && (named->id == *reference->digest || named->record.manifest == *reference->digest);
  return is_it ? std::move(named) : std::nullopt;
}

Result<Pulled> pull_image(const std::string& name, const std::optional<oci::Platform>& platform,
                          const Session& session) {
  SHEAF_TRY_ASSIGN(const auto reference, oci::Reference::parse(name));
  SHEAF_TRY_ASSIGN(auto pulled, fetch_image(reference, platform, session));
  const auto doing = fmt::format("pulling '{}'", reference.familiar());
  SHEAF_TRY(remember(*pulled.manifest, std::nullopt, pulled.id, session.store).context(doing));
  SHEAF_TRY(name_image(reference, pulled, session.store).context(doing));
  return pulled;
}

Result<Pulled> fetch_image(const oci::Reference& reference, const std::optional<oci::Platform>& platform,
                           const Session& session) {
  const auto doing = fmt::format("pulling '{}'", reference.familiar());
  // Without a platform it is this machine's, but an image that is not one of several may be for another one.
  const auto here = platform.value_or(image::native_platform());
  SHEAF_TRY_ASSIGN(auto client, registry_client());
  SHEAF_TRY_ASSIGN(const auto digest, current_digest(client, reference, session.stop).context(doing));
  SHEAF_TRY_ASSIGN(auto known,
                   recall(pulled_path(digest, here, session.store), platform, session.store).context(doing));
  SHEAF_TRY_ASSIGN(const bool is_whole,
                   known ? image::has_its_blobs(*known, session.store).context(doing) : Result<bool>(false));
  Pulled pulled;
  if (is_whole) {
    pulled.id = store::image_id(*known);
    pulled.record = std::move(*known);
    pulled.up_to_date = true;
  } else {
    // Exactly what is remembered below: the name may stand for something else by now, or the registry may say one
    // digest and send another manifest, which would then be found under a digest that is not its own.
    auto exactly = reference;
    exactly.digest = digest;
    const auto source = registry_source(client, exactly, session.store, reference.familiar());
    SHEAF_TRY_ASSIGN(pulled, bring(*source, platform, session).context(doing));
    SHEAF_TRY(remember(digest, here, pulled.id, session.store).context(doing));
  }
  pulled.manifest = digest;
  return pulled;
}

Result<std::vector<Pulled>> import_images(const std::string& file, const std::optional<std::string>& name,
                                          const std::optional<oci::Platform>& platform, const Session& session) {
  const auto doing = fmt::format("importing '{}'", file);
  SHEAF_TRY_ASSIGN(auto staging, session.store.stage().context(doing));
  auto path = file;
  if (file == "-") {
    SHEAF_TRY_ASSIGN(path, keep_input(staging, session.stop).context(doing));
  }
  SHEAF_TRY_ASSIGN(const auto images, image::ImageFile::open(path, session.store).context(doing));
  if (name && images.entries().size() != 1) {
    return Error(ErrorCode::invalid,
                 fmt::format("it holds {} images, which cannot all be called '{}'", images.entries().size(), *name))
        .with_context(std::string(doing));
  }
  std::vector<Pulled> all;
  for (const auto& entry : images.entries()) {
    SHEAF_TRY_ASSIGN(const auto references, references_of(entry, name).context(doing));
    SHEAF_TRY_ASSIGN(const auto source, images.source(entry).context(doing));
    SHEAF_TRY_ASSIGN(auto pulled, bring(*source, platform, session).context(doing));
    for (const auto& reference : references) {
      SHEAF_TRY(name_image(reference, pulled, session.store).context(doing));
    }
    all.push_back(std::move(pulled));
  }
  return all;
}

} // namespace sheaf::app
