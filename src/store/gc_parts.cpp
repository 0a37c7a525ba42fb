// SPDX-License-Identifier: Apache-2.0
// What there is in a store, and what needs what.
#include "base/kept_back.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "store/blobs.hpp"
#include "store/gc.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <set>

namespace sheaf::store {
namespace {

using Json = nlohmann::json;

/// Caches in which every entry is for itself; the others are thrown away as a whole.
constexpr std::array<const char*, 5> k_by_entry = {"apt", "http", "git", "contexts", "selections"};

class Collector {
public:
  explicit Collector(Store& store) : m_store(store) {}

  Result<std::vector<Part>> run() {
    SHEAF_TRY(add_layers());
    SHEAF_TRY(add_blob_records());
    SHEAF_TRY(add_images());
    SHEAF_TRY(add_joins());
    SHEAF_TRY(add_step_keys());
    for (const auto& [folder, kind] :
         {std::pair("steps", PartKind::step), std::pair("unpacked", PartKind::unpacked),
          std::pair("generated", PartKind::generated), std::pair("blobs/sha256", PartKind::blob)}) {
      SHEAF_TRY(add_all(folder, kind));
    }
    for (const auto* folder : {"logs", "tests", "quarantine", "generations"}) {
      SHEAF_TRY(add_cached(folder, folder));
    }
    SHEAF_TRY(add_locks());
    SHEAF_TRY(add_pulled());
    SHEAF_TRY(add_plans());
    SHEAF_TRY(add_caches());
    return std::move(m_parts);
  }

private:
  std::string full(const std::string& part) const { return fmt::format("{}/{}", m_store.root(), part); }

  /// What is used is touched (in_use.hpp). Files of caches may be read by programs that do not: of these also the time
  /// of the last reading counts, as far as the file system tells. A time in the future is of a clock that was wrong.
  std::int64_t last_used(const std::string& part, PartKind kind) const {
    struct stat info {};
    if (lstat(full(part).c_str(), &info) != 0) {
      return 0;
    }
    const bool is_read_by_others = kind == PartKind::cached && !S_ISDIR(info.st_mode);
    const auto time = is_read_by_others ? std::max(info.st_mtim.tv_sec, info.st_atim.tv_sec) : info.st_mtim.tv_sec;
    return std::min<std::int64_t>(time, m_now);
  }

  /// Nothing if there is no such folder; what somebody linked to another place is not ours to collect.
  Result<std::vector<os::DirectoryEntry>> entries_of(const std::string& folder) const {
    struct stat info {};
    if (lstat(full(folder).c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
      return std::vector<os::DirectoryEntry>();
    }
    auto entries = os::list_directory(full(folder));
    if (!entries && entries.error().code() == ErrorCode::not_found) {
      return std::vector<os::DirectoryEntry>();
    }
    return entries;
  }

  /// Nothing if it is gone or damaged. One that cannot be read just now may say that something is needed: an error.
  Result<std::optional<std::string>> read(const std::string& part) const {
    auto text = os::read_file(full(part));
    if (!text && is_kept_back(text.error())) {
      return std::move(text).error();
    }
    return text ? std::optional(std::move(*text)) : std::nullopt;
  }

  Part& add(std::string part, PartKind kind, std::string name) {
    auto& added = m_parts.emplace_back();
    added.last_used = last_used(part, kind);
    added.part = std::move(part);
    added.kind = kind;
    added.name = std::move(name);
    return added;
  }

  Result<void> add_all(const std::string& folder, PartKind kind) {
    SHEAF_TRY_ASSIGN(const auto entries, entries_of(folder));
    for (const auto& entry : entries) {
      const auto part = fmt::format("{}/{}", folder, entry.name);
      const auto known = m_names.find(part);
      add(part, kind, known != m_names.end() ? known->second : entry.name.substr(0, k_short));
    }
    return {};
  }

  Result<void> add_layers() {
    SHEAF_TRY_ASSIGN(const auto layers, m_store.all());
    for (const auto& layer : layers) {
      const auto& record = layer.record;
      auto& part = add("layers/" + record.content_key.hex(), PartKind::layer, record.name);
      part.built_at = m_store.built_at(layer);
      part.group = record.name + "\n" + (record.recipe ? record.recipe->owner : std::string());
      part.needs = {record.base.empty() ? "generations/" + record.content_key.hex() : "layers/" + record.base};
      for (const auto& [name, content] : record.recipe ? record.recipe->needs : std::map<std::string, std::string>()) {
        part.needs.push_back("layers/" + content);
      }
    }
    return {};
  }

  /// Also by names that are damaged themselves, if whose they are can still be read.
  Result<std::set<std::string>> named_images() const {
    SHEAF_TRY_ASSIGN(const auto entries, entries_of("tags"));
    std::set<std::string> images;
    for (const auto& entry : entries) {
      SHEAF_TRY_ASSIGN(const auto text, read("tags/" + entry.name));
      const auto lines = lines_of(text.value_or(""));
      const auto image = lines.empty() ? Result<Digest>(Error(ErrorCode::corrupt, "")) : Digest::parse(lines.back());
      if (image) {
        images.insert(image->hex());
      }
    }
    return images;
  }

  Result<void> add_images() {
    SHEAF_TRY_ASSIGN(const auto named, named_images());
    SHEAF_TRY_ASSIGN(const auto images, m_store.images());
    const Blobs blobs(m_store);
    for (const auto& image : images) {
      const auto name = image.tags.empty() ? image.id.short_hex() : image.tags.front().familiar();
      auto& part = add(fmt::format("images/{}.json", image.id.hex()), PartKind::image, name);
      part.is_root = named.contains(image.id.hex());
      SHEAF_TRY_ASSIGN(part.needs, needs_of(image.record, blobs));
    }
    return {};
  }

  /// Its trees; and the blobs by which an image that came from outside leaves as it came.
  Result<std::vector<std::string>> needs_of(const ImageRecord& image, const Blobs& blobs) const {
    std::vector<std::string> needs;
    std::ranges::transform(image.trees, std::back_inserter(needs), &TreeRef::folder);
    const auto add_blob = [&needs](const Digest& blob) { needs.push_back("blobs/sha256/" + blob.hex()); };
    if (image.config) {
      add_blob(*image.config);
    }
    if (!image.manifest) {
      return needs;
    }
    add_blob(*image.manifest);
    SHEAF_TRY_ASSIGN(const auto manifest, blobs.peek_manifest(*image.manifest));
    for (const auto& layer : manifest ? manifest->layers : std::vector<oci::Descriptor>()) {
      add_blob(layer.digest);
      const auto [first, last] = m_blob_records.equal_range(layer.digest);
      std::transform(first, last, std::back_inserter(needs), [](const auto& record) { return record.second; });
    }
    return needs;
  }

  Result<void> add_joins() {
    SHEAF_TRY_ASSIGN(const auto entries, entries_of("joins"));
    for (const auto& entry : entries) {
      auto& part = add("joins/" + entry.name, PartKind::join, entry.name.substr(0, k_short));
      SHEAF_TRY_ASSIGN(const auto text, read(part.part + "/join.json"));
      if (text) {
        add_layers_of_join(*text, part);
      }
    }
    return {};
  }

  /// One whose record is damaged goes by age, or is made again when it is needed.
  static void add_layers_of_join(const std::string& record, Part& part) {
    try {
      std::string name;
      std::vector<std::string> needs;
      const auto json = Json::parse(record);
      for (const auto& layer : json.at("layers")) {
        name += (name.empty() ? "" : "+") + layer.at("name").get<std::string>();
        if (const auto content = Digest::parse(layer.at("content_key").get<std::string>())) {
          needs.push_back("layers/" + content->hex());
        }
      }
      part.name = std::move(name);
      part.needs = std::move(needs);
    } catch (const Json::exception&) {
      part.needs.clear();
    }
  }

  Result<void> add_step_keys() {
    SHEAF_TRY_ASSIGN(const auto entries, entries_of("step-keys"));
    for (const auto& entry : entries) {
      SHEAF_TRY_ASSIGN(const auto text, read("step-keys/" + entry.name));
      const auto record = text ? parse_step_record(*text) : Result<StepRecord>(Error(ErrorCode::corrupt, ""));
      if (record) {
        auto& part = add("step-keys/" + entry.name, PartKind::record, record->display);
        part.needs = {record->folder()};
        part.last_used = std::max(part.last_used, last_used(record->folder(), PartKind::step)); // it is used with it
        m_names[record->folder()] = record->display;
      }
    }
    return {};
  }

  /// Before the images: what a blob was made of is needed by those that came with it.
  Result<void> add_blob_records() {
    SHEAF_TRY_ASSIGN(const auto entries, entries_of("blobs/records"));
    for (const auto& entry : entries) {
      const auto part = "blobs/records/" + entry.name;
      add(part, PartKind::record, "of a blob");
      SHEAF_TRY_ASSIGN(const auto text, read(part));
      if (const auto record = text ? parse_blob_record(*text) : Result<BlobRecord>(Error(ErrorCode::corrupt, ""))) {
        m_blob_records.emplace(record->blob.digest, part);
      }
    }
    SHEAF_TRY_ASSIGN(const auto checks, entries_of("blobs/checked"));
    for (const auto& entry : checks) {
      add("blobs/checked/" + entry.name, PartKind::record, "of a blob").needs = {"blobs/sha256/" + entry.name};
    }
    return {};
  }

  /// Every entry of a folder for itself.
  Result<void> add_cached(const std::string& folder, const std::string& name) {
    SHEAF_TRY_ASSIGN(const auto entries, entries_of(folder));
    for (const auto& entry : entries) {
      add(fmt::format("{}/{}", folder, entry.name), PartKind::cached, fmt::format("{}: {}", name, entry.name));
    }
    return {};
  }

  /// Of keys; those with other names are there for good.
  Result<void> add_locks() {
    SHEAF_TRY_ASSIGN(const auto entries, entries_of("locks"));
    for (const auto& entry : entries) {
      if (Digest::parse(entry.name)) {
        add("locks/" + entry.name, PartKind::record, "lock of a key");
      }
    }
    return {};
  }

  /// Which image a digest stands for: one line.
  Result<void> add_pulled() {
    SHEAF_TRY_ASSIGN(const auto entries, entries_of("pulled"));
    for (const auto& entry : entries) {
      auto& part = add("pulled/" + entry.name, PartKind::record, "what a digest stands for");
      SHEAF_TRY_ASSIGN(const auto text, read(part.part));
      if (const auto image = text ? Digest::parse(*text) : Result<Digest>(Error(ErrorCode::corrupt, ""))) {
        part.needs = {fmt::format("images/{}.json", image->hex())};
      }
    }
    return {};
  }

  /// Remembered environments name their trees by path.
  Result<void> add_plans() {
    SHEAF_TRY_ASSIGN(const auto entries, entries_of("plans"));
    for (const auto& entry : entries) {
      auto& part = add("plans/" + entry.name, PartKind::record, "remembered environment");
      SHEAF_TRY_ASSIGN(const auto text, read(part.part));
      const auto json = text ? Json::parse(*text, nullptr, false) : Json();
      const auto pointer = "/environment/lowers"_json_pointer;
      for (const auto& lower : json.contains(pointer) ? json[pointer] : Json()) {
        if (auto tree = lower.is_string() ? part_of(lower.get<std::string>()) : std::nullopt) {
          part.last_used = std::max(part.last_used, last_used(*tree, PartKind::layer)); // it is used with them
          part.needs.push_back(std::move(*tree));
        }
      }
    }
    return {};
  }

  /// Of the path of a tree, whichever way to the store it names.
  static std::optional<std::string> part_of(const std::string& tree) {
    std::vector<std::string_view> words;
    for (const auto word : split(tree, '/')) {
      words.push_back(word);
    }
    constexpr std::size_t k_least = 4; // "/", the store, a kind, a name and "tree"
    return words.size() >= k_least && words.back() == "tree"
               ? std::optional(fmt::format("{}/{}", words[words.size() - 3], words[words.size() - 2]))
               : std::nullopt;
  }

  Result<void> add_caches() {
    SHEAF_TRY_ASSIGN(const auto caches, entries_of("cache"));
    for (const auto& cache : caches) {
      const auto folder = "cache/" + cache.name;
      if (std::ranges::find(k_by_entry, cache.name) == k_by_entry.end()) {
        add(folder, PartKind::cached, cache.name);
        continue;
      }
      SHEAF_TRY(add_cached(folder, cache.name));
    }
    return {};
  }

  static constexpr std::size_t k_short = 12;
  Store& m_store;
  std::int64_t m_now = std::time(nullptr);
  std::vector<Part> m_parts;
  std::map<std::string, std::string> m_names;        ///< of steps, for people
  std::multimap<Digest, std::string> m_blob_records; ///< parts, by the blob they are about
};

} // namespace

Result<std::vector<Part>> collect_parts(Store& store) { return Collector(store).run(); }

} // namespace sheaf::store
