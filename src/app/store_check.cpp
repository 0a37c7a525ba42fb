// SPDX-License-Identifier: Apache-2.0
#include "app/store_check.hpp"

#include "app/pins.hpp"
#include "base/kept_back.hpp"
#include "base/text.hpp"
#include "cache/tree_check.hpp"
#include "layer/file_digest.hpp"
#include "layer/inventory.hpp"
#include "os/file.hpp"
#include "store/blobs.hpp"
#include "store/seal.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace sheaf::app {
namespace {

constexpr std::size_t k_hex_digits = 64;

Error is_not(std::string_view what) { return {ErrorCode::corrupt, std::string(what)}; }

bool is_name(std::string_view name) {
  if (name.ends_with(".json")) {
    name.remove_suffix(std::string_view(".json").size());
  }
  return name.size() == k_hex_digits && Digest::parse(name);
}

/// Finds what is wrong with one part; each function says it as an error.
class PartCheck {
public:
  explicit PartCheck(store::Store& store) : m_store(store) {}

  Result<void> layer(const std::string& hex, store::LayerRecord& record) const {
    const store::StoredLayer layer{{}, full("layers/" + hex)};
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(layer.path + "/layer.json"));
    SHEAF_TRY_ASSIGN(record, store::parse_layer_record(text));
    if (record.content_key.hex() != hex) {
      return is_not("its record is about another layer");
    }
    SHEAF_TRY_ASSIGN(const auto inventory, os::read_file(layer.inventory()));
    SHEAF_TRY_ASSIGN(const auto facts, os::read_file(layer.facts()));
    if (store::content_key_of(record.config, inventory, facts) != record.content_key) {
      return is_not("its inventory, facts or configuration were changed");
    }
    SHEAF_TRY_ASSIGN(const auto entries, layer::parse_inventory(inventory));
    SHEAF_TRY_ASSIGN(const auto root, os::open(layer.tree(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return cache::check_tree(root, entries, {});
  }

  Result<void> join(const std::string& hex) const { return sealed("joins/" + hex); }
  Result<void> generated(const std::string& hex) const { return sealed("generated/" + hex); }

  Result<void> sealed(const std::string& part) const {
    const auto path = full(part);
    SHEAF_TRY_ASSIGN(const bool is_whole, store::is_as_sealed(path));
    return is_whole && os::is_directory(path + "/tree") ? Result<void>() : is_not("it is not as it was sealed");
  }

  Result<void> step(const std::string& hex) const {
    SHEAF_TRY_ASSIGN(const auto exact, Digest::parse(hex));
    return tree("steps/" + hex, exact);
  }

  Result<void> unpacked(const std::string& hex) const {
    const auto part = "unpacked/" + hex;
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(full(part) + "/content"));
    const auto lines = lines_of(text);
    if (lines.size() != 2) {
      return is_not("its digests cannot be read");
    }
    SHEAF_TRY(Digest::parse(lines[0]));
    SHEAF_TRY_ASSIGN(const auto exact, Digest::parse(lines[1]));
    return tree(part, exact);
  }

  Result<void> blob(const std::string& hex) const {
    SHEAF_TRY_ASSIGN(const auto file, os::open(full("blobs/sha256/" + hex), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(file));
    if (!S_ISREG(info.st_mode)) {
      return is_not("it is no file");
    }
    SHEAF_TRY_ASSIGN(const auto digest, layer::digest_of(file));
    return digest.hex() == hex ? Result<void>() : is_not("it has another digest");
  }

  Result<void> image(const std::string& hex, store::ImageRecord& record) const {
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(full(fmt::format("images/{}.json", hex))));
    SHEAF_TRY_ASSIGN(record, store::parse_image_record(text));
    return store::image_id(record).hex() == hex ? Result<void>() : is_not("its record is about another image");
  }

  /// Returns the layer's content key.
  Result<store::LayerRecord> recipe(const std::string& hex) const {
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(full("recipes/" + hex)));
    SHEAF_TRY_ASSIGN(auto record, store::parse_layer_record(text));
    return record.recipe_key.hex() == hex ? Result<store::LayerRecord>(std::move(record))
                                          : is_not("it is about another recipe");
  }

  Result<void> step_key(const std::string& name) const {
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(full("step-keys/" + name)));
    SHEAF_TRY(store::parse_step_record(text));
    return {};
  }

  Result<void> blob_record(const std::string& name) const {
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(full("blobs/records/" + name)));
    SHEAF_TRY(store::parse_blob_record(text));
    return {};
  }

  /// What the file `tags/<name>` says; nothing if it cannot be understood.
  struct Name {
    std::string text;
    std::string reference;
    std::string image;
  };
  Result<Name> tag(const std::string& name) const {
    Name result;
    SHEAF_TRY_ASSIGN(result.text, os::read_file(full("tags/" + name)));
    const auto lines = lines_of(result.text);
    if (lines.size() != 2 || !Digest::parse(lines[1]) || Digest::of(lines[0]).hex() != name) {
      return is_not("it cannot be read");
    }
    result.reference = lines[0];
    result.image = Digest::parse(lines[1])->hex();
    return result;
  }

  Result<void> json(const std::string& part) const {
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(full(part)));
    return nlohmann::json::accept(text) ? Result<void>() : is_not("it is no JSON");
  }

  std::string full(const std::string& part) const { return fmt::format("{}/{}", m_store.root(), part); }
  bool is_there(const std::string& part) const { return os::exists(full(part)); }

private:
  Result<void> tree(const std::string& part, const Digest& exact) const {
    SHEAF_TRY_ASSIGN(const auto digests, store::digest_tree(full(part) + "/tree"));
    return digests.exact == exact ? Result<void>() : is_not("its tree was changed");
  }

  store::Store& m_store;
};

class StoreChecker {
public:
  explicit StoreChecker(const Session& session) : m_session(session), m_store(session.store), m_check(session.store) {}

  Result<StoreCheck> run() {
    SHEAF_TRY(check_index()); // mended first: to forget a layer takes a whole index
    SHEAF_TRY(check_layers());
    SHEAF_TRY(check_recipes());
    SHEAF_TRY(check_each("steps", "step", &PartCheck::step));
    SHEAF_TRY(check_each("unpacked", "unpacked layer", &PartCheck::unpacked));
    SHEAF_TRY(check_each("joins", "join layer", &PartCheck::join));
    SHEAF_TRY(check_each("generated", "generated files", &PartCheck::generated));
    SHEAF_TRY(check_each("blobs/sha256", "blob", &PartCheck::blob));
    SHEAF_TRY(check_each("step-keys", "record of a step", &PartCheck::step_key));
    SHEAF_TRY(check_each("blobs/records", "record of a blob", &PartCheck::blob_record));
    SHEAF_TRY(check_images());
    SHEAF_TRY(check_tags());
    check_file("pins.json", "settled versions");
    SHEAF_TRY(stop_if_asked());
    name_users();
    return std::move(m_result);
  }

private:
  Result<std::vector<std::string>> names_in(const std::string& folder) {
    if (m_session.stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    ++m_folder;
    if (!os::exists(m_check.full(folder))) {
      return std::vector<std::string>();
    }
    SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(m_check.full(folder)));
    std::vector<std::string> names;
    std::ranges::transform(entries, std::back_inserter(names), &os::DirectoryEntry::name);
    if (names.size() >= k_worth_a_line) {
      m_session.events.emit({EventKind::step, "fsck", fmt::format("{} {}", names.size(), folder), m_folder, k_folders});
    }
    return names;
  }

  StoreProblem& add(std::string part, std::string subject, const Error& error) {
    if (is_own_lack(error)) {
      m_own_lack = error;
    }
    auto& problem = m_result.problems.emplace_back();
    problem.part = std::move(part);
    problem.subject = std::move(subject);
    problem.what = error.summary();
    return problem;
  }

  /// A disk may fail to give something once: what cannot be read is tried again before it is called damaged.
  template <class Check>
  static auto twice(const Check& check) -> decltype(check()) {
    auto good = check();
    return !good && good.error().errno_value() == EIO ? check() : std::move(good);
  }

  /// A part that went meanwhile is none that is damaged.
  bool is_gone(const std::string& part) const { return !m_check.is_there(part); }

  /// Everything of a folder by one function.
  Result<void> check_each(const std::string& folder, const std::string& subject,
                          Result<void> (PartCheck::*check)(const std::string&) const) {
    SHEAF_TRY_ASSIGN(const auto names, names_in(folder));
    for (const auto& name : names) {
      const auto part = fmt::format("{}/{}", folder, name);
      SHEAF_TRY(m_store.hold(part));
      ++m_result.checked[folder];
      const auto good = is_name(name) ? twice([&] { return (m_check.*check)(name); })
                                      : Result<void>(is_not("nothing has such a name here"));
      if (!good && !is_gone(part)) {
        add(part, fmt::format("{} {}", subject, name.substr(0, k_short)), good.error());
        m_damaged.insert(part);
      }
      SHEAF_TRY(stop_if_asked());
    }
    return {};
  }

  Result<void> stop_if_asked() const {
    if (m_own_lack) {
      return *m_own_lack;
    }
    return m_session.stop.stop_requested() ? Error(ErrorCode::cancelled, "stopped") : Result<void>();
  }

  Result<void> check_layers() {
    SHEAF_TRY_ASSIGN(const auto names, names_in("layers"));
    for (const auto& name : names) {
      const auto part = "layers/" + name;
      SHEAF_TRY(m_store.hold(part));
      ++m_result.checked["layers"];
      store::LayerRecord record;
      const auto good = is_name(name) ? twice([&] { return m_check.layer(name, record); })
                                      : Result<void>(is_not("nothing has such a name here"));
      if (good) {
        m_layers.insert(name);
      } else if (!is_gone(part)) {
        auto& problem =
            add(part, record.name.empty() ? "layer " + name.substr(0, k_short) : "layer " + record.name, good.error());
        problem.remedy = Remedy::fetch;
        m_damaged.insert(part);
        m_damaged_layers[name] = m_result.problems.size() - 1;
      }
      SHEAF_TRY(stop_if_asked());
    }
    return {};
  }

  /// Also tells which recipe a damaged layer can be fetched by.
  Result<void> check_recipes() {
    SHEAF_TRY_ASSIGN(const auto names, names_in("recipes"));
    for (const auto& name : names) {
      const auto part = "recipes/" + name;
      ++m_result.checked["recipes"];
      const auto record = is_name(name) ? twice([&] { return m_check.recipe(name); })
                                        : Result<store::LayerRecord>(is_not("nothing has such a name here"));
      if (!record) {
        if (!is_gone(part)) {
          add(part, "record of a recipe", record.error()).remedy = remedy_of_recipe(name);
        }
        continue;
      }
      const auto content = record->content_key.hex();
      if (const auto damaged = m_damaged_layers.find(content); damaged != m_damaged_layers.end()) {
        auto& problem = m_result.problems[damaged->second];
        problem.recipe = record->recipe_key;
        problem.subject = "layer " + record->name;
      } else if (!m_layers.contains(content) && is_gone("layers/" + content) && !is_gone(part)) {
        auto& problem = add(part, "layer " + record->name, is_not("it was built here, and is gone"));
        problem.remedy = Remedy::fetch;
        problem.recipe = record->recipe_key;
      }
    }
    return {};
  }

  /// The index may still know the layer, and the layer its recipe.
  Remedy remedy_of_recipe(const std::string& name) const {
    const auto recipe = Digest::parse(name);
    const auto layer =
        recipe ? m_store.find(RecipeKey{*recipe}) : Result<std::optional<store::StoredLayer>>(std::nullopt);
    return layer && *layer && (*layer)->record.recipe_key == RecipeKey{*recipe} ? Remedy::rewrite_recipe
                                                                                : Remedy::quarantine;
  }

  Result<void> check_images() {
    SHEAF_TRY_ASSIGN(const auto names, names_in("images"));
    for (const auto& name : names) {
      const auto part = "images/" + name;
      ++m_result.checked["images"];
      store::ImageRecord record;
      const auto hex = name.substr(0, name.find('.'));
      auto good = is_name(name) && name.ends_with(".json") ? twice([&] { return m_check.image(hex, record); })
                                                           : Result<void>(is_not("nothing has such a name here"));
      for (const auto& tree : record.trees) {
        m_users[tree.folder].push_back(hex);
        if (good && (is_gone(tree.folder) || m_damaged.contains(tree.folder))) {
          good = is_not(fmt::format("its part '{}' is {}", tree.folder, is_gone(tree.folder) ? "gone" : "damaged"));
        }
      }
      if (!good && !is_gone(part)) {
        add(part, "image " + hex.substr(0, k_short), good.error());
        m_damaged.insert(part);
      }
    }
    return {};
  }

  Result<void> check_tags() {
    SHEAF_TRY_ASSIGN(const auto names, names_in("tags"));
    for (const auto& name : names) {
      const auto part = "tags/" + name;
      ++m_result.checked["tags"];
      const auto said = twice([&] { return m_check.tag(name); });
      if (!said) {
        if (!is_gone(part)) {
          add(part, "name of an image", said.error());
        }
        continue;
      }
      m_names[said->image] = oci::Reference::parse(said->reference) ? said->reference : "";
      const auto record = fmt::format("images/{}.json", said->image);
      const auto again = os::read_file(m_check.full(part)); // it may be another image's by now, or nobody's
      if ((is_gone(record) || m_damaged.contains(record)) && !is_gone(part) && (!again || *again == said->text)) {
        add(part, fmt::format("name '{}'", said->reference), is_not("its image is gone or damaged"));
      }
    }
    return {};
  }

  void check_file(const std::string& part, const std::string& subject) {
    const auto good = is_gone(part) ? Result<void>() : m_check.json(part);
    if (!good) {
      add(part, subject, good.error());
    }
  }

  Result<void> check_index() {
    auto good = m_store.check_index();
    if (!good && good.error().code() != ErrorCode::corrupt) {
      return good;
    }
    if (!good) {
      add("index.db", "index", good.error()).remedy = Remedy::rebuild_index;
    }
    return {};
  }

  void name_users() {
    for (auto& problem : m_result.problems) {
      for (const auto& image : m_users[problem.part]) {
        const auto name = m_names.find(image);
        problem.used_by.push_back(name != m_names.end() ? name->second : image.substr(0, k_short));
      }
      if (problem.part.starts_with("images/")) {
        const auto name = m_names.find(problem.part.substr(problem.part.find('/') + 1, k_hex_digits));
        problem.subject = name != m_names.end() ? "image " + name->second : problem.subject;
      }
    }
  }

  static constexpr std::size_t k_short = 12;
  static constexpr std::uint64_t k_folders = 11; ///< that names_in is asked for
  static constexpr std::size_t k_worth_a_line = 20;
  const Session& m_session;
  store::Store& m_store;
  PartCheck m_check;
  StoreCheck m_result;
  std::uint64_t m_folder = 0;
  std::optional<Error> m_own_lack;                         ///< why nothing can be said of the store
  std::set<std::string> m_layers;                          ///< whole ones, by content key
  std::map<std::string, std::size_t> m_damaged_layers;     ///< by content key: which problem
  std::set<std::string> m_damaged;                         ///< parts
  std::map<std::string, std::vector<std::string>> m_users; ///< images, by part
  std::map<std::string, std::string> m_names;              ///< of images, by id
};

} // namespace

Result<StoreCheck> check_store(const Session& session) { return StoreChecker(session).run(); }

bool is_own_lack(const Error& error) { return is_kept_back(error) && error.errno_value() != EIO; }

namespace {

Result<void> check_record(const PartCheck& check, const std::string& folder, const std::string& name) {
  if (folder == "layers") {
    store::LayerRecord record;
    return check.layer(name, record);
  }
  if (folder == "recipes") {
    SHEAF_TRY_ASSIGN(const auto record, check.recipe(name));
    return check.is_there("layers/" + record.content_key.hex()) ? Result<void>() : is_not("its layer is gone");
  }
  if (folder == "images") {
    store::ImageRecord record;
    SHEAF_TRY(check.image(name.substr(0, name.find('.')), record));
    const auto is_there = [&](const store::TreeRef& tree) { return check.is_there(tree.folder); };
    return std::ranges::all_of(record.trees, is_there) ? Result<void>() : is_not("a part of it is gone");
  }
  SHEAF_TRY_ASSIGN(const auto said, check.tag(name));
  return check.is_there(fmt::format("images/{}.json", said.image)) ? Result<void>() : is_not("its image is gone");
}

} // namespace

Result<void> check_part(store::Store& store, const std::string& part) {
  static const std::map<std::string, Result<void> (PartCheck::*)(const std::string&) const> k_simple = {
      {"steps", &PartCheck::step},
      {"unpacked", &PartCheck::unpacked},
      {"joins", &PartCheck::join},
      {"generated", &PartCheck::generated},
      {"blobs/sha256", &PartCheck::blob},
      {"step-keys", &PartCheck::step_key},
      {"blobs/records", &PartCheck::blob_record}};
  const PartCheck check(store);
  const auto slash = part.rfind('/');
  const auto folder = part.substr(0, slash);
  const auto name = part.substr(slash + 1); // npos + 1 is the whole
  if (!check.is_there(part)) {
    return {};
  }
  if (slash == std::string::npos) {
    return check.json(part);
  }
  if (!is_name(name)) {
    return is_not("nothing has such a name here");
  }
  const auto simple = k_simple.find(folder);
  return simple != k_simple.end() ? (check.*simple->second)(name) : check_record(check, folder, name);
}

} // namespace sheaf::app
