// SPDX-License-Identifier: Apache-2.0
#include "app/store_check.hpp"

#include "app/part_check.hpp"
#include "app/pins.hpp"
#include "base/kept_back.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace sheaf::app {
namespace {

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
      const auto good = is_part_name(name) ? twice([&] { return (m_check.*check)(name); })
                                           : Result<void>(is_not("nothing has such a name here"));
      if (!good && !is_gone(part)) {
        add(part, fmt::format("{} {}", subject, name.substr(0, k_short)), good.error());
        m_check.call_damaged(part);
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
      const auto good = is_part_name(name) ? twice([&] { return m_check.layer(name, record); })
                                           : Result<void>(is_not("nothing has such a name here"));
      if (good) {
        m_layers.insert(name);
      } else if (!is_gone(part)) {
        auto& problem =
            add(part, record.name.empty() ? "layer " + name.substr(0, k_short) : "layer " + record.name, good.error());
        problem.remedy = Remedy::fetch;
        m_check.call_damaged(part);
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
      const auto record = is_part_name(name) ? twice([&] { return m_check.recipe(name); })
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
      const auto good = is_part_name(name) && name.ends_with(".json")
                            ? twice([&] { return m_check.image(hex, record); })
                            : Result<void>(is_not("nothing has such a name here"));
      for (const auto& tree : record.trees) {
        m_users[tree.folder].push_back(hex);
      }
      if (!good && !is_gone(part)) {
        add(part, "image " + hex.substr(0, k_short), good.error());
        m_check.call_damaged(part);
      }
      if (good) {
        SHEAF_TRY(check_blobs_of(part, "image " + hex.substr(0, k_short), record));
      }
    }
    return {};
  }

  Result<void> check_blobs_of(const std::string& part, const std::string& subject, const store::ImageRecord& record) {
    SHEAF_TRY_ASSIGN(const auto lost, m_check.lost_blobs(record));
    if (lost > 0 && !is_gone(part)) {
      m_result.incomplete.push_back({part, subject, lost});
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
      const auto good = m_check.image_of(*said);
      const auto again = os::read_file(m_check.full(part)); // it may be another image's by now, or nobody's
      if (!good && !is_gone(part) && (!again || *again == said->text)) {
        add(part, fmt::format("name '{}'", said->reference), good.error());
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
      name_image(problem.part, problem.subject);
    }
    for (auto& image : m_result.incomplete) {
      name_image(image.part, image.subject);
    }
  }

  void name_image(const std::string& part, std::string& subject) const {
    const auto name =
        part.starts_with("images/") ? m_names.find(part.substr(part.find('/') + 1, k_digits)) : m_names.end();
    if (name != m_names.end() && !name->second.empty()) {
      subject = "image " + name->second;
    }
  }

  static constexpr std::size_t k_short = 12;
  static constexpr std::size_t k_digits = 64;    ///< of an image's id
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
  std::map<std::string, std::vector<std::string>> m_users; ///< images, by part
  std::map<std::string, std::string> m_names;              ///< of images, by id
};

} // namespace

Result<StoreCheck> check_store(const Session& session) { return StoreChecker(session).run(); }

bool is_own_lack(const Error& error) { return is_kept_back(error) && error.errno_value() != EIO; }

} // namespace sheaf::app
