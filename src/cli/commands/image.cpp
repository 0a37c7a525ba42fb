// SPDX-License-Identifier: Apache-2.0
#include "app/pull_image.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "cli/stored_image.hpp"
#include "oci/image_config.hpp"
#include "oci/reference.hpp"
#include "ui/date.hpp"
#include "ui/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {k_json_option};
constexpr std::array<std::string_view, 2> k_list_examples = {"sheaf image list", "sheaf image list --json"};
constexpr std::array<std::string_view, 2> k_show_examples = {"sheaf image show app", "sheaf image show app:2 --json"};
constexpr std::array<std::string_view, 1> k_tag_examples = {"sheaf image tag app app:2"};
constexpr std::array<std::string_view, 1> k_rm_examples = {"sheaf image rm app:2"};

std::string short_id(const Digest& id) { return id.hex().substr(0, 12); }

std::vector<std::string> names_of(const store::StoredImage& image) {
  std::vector<std::string> names;
  names.reserve(image.tags.size());
  for (const auto& tag : image.tags) {
    names.push_back(tag.familiar());
  }
  return names;
}

Result<int> list(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto images, store.images());
  tell_of_damaged_images(store, invocation);
  auto json = Json::array();
  ui::Table table({"NAME", "ID", "CREATED", "TREES"});
  for (const auto& image : images) {
    json.push_back({{"id", image.id.to_string()},
                    {"names", names_of(image)},
                    {"created", image.record.created},
                    {"trees", image.record.trees.size()}});
    auto names = names_of(image);
    if (names.empty()) {
      names.emplace_back("-");
    }
    for (const auto& name : names) {
      table.add({name, short_id(image.id), ui::date(image.record.created), std::to_string(image.record.trees.size())});
    }
  }
  Invocation::print(invocation.json() ? json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                                      : table.to_string());
  return 0;
}

std::string describe(const store::StoredImage& image) {
  std::string text = fmt::format("id       {}\n", image.id.to_string());
  text += fmt::format("names    {}\n", joined(names_of(image), " "));
  text += fmt::format("created  {}\n", ui::date(image.record.created));
  text += fmt::format("platform {}/{}\n\n", image.record.image.os, image.record.image.architecture);
  ui::Table history({"STEP", "CREATED BY"});
  for (std::size_t i = 0; i < image.record.image.history.size(); ++i) {
    auto line = image.record.image.history[i].created_by;
    std::ranges::replace(line, '\n', ' '); // a RUN with a heredoc
    history.add({std::to_string(i + 1), std::move(line)});
  }
  return text + history.to_string();
}

Result<int> show(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto image, stored_image(store, invocation.operands.front()));
  if (!invocation.json()) {
    Invocation::print(describe(image));
    return 0;
  }
  auto json = Json::parse(oci::serialise(image.record.image));
  json["id"] = image.id.to_string();
  json["names"] = names_of(image);
  Invocation::print(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  return 0;
}

Result<int> tag(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto image, stored_image(store, invocation.operands[0]));
  SHEAF_TRY_ASSIGN(const auto reference, oci::Reference::parse(invocation.operands[1]));
  SHEAF_TRY(store.tag(reference, image.id));
  return 0;
}

Result<int> remove(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  for (const auto& name : invocation.operands) {
    SHEAF_TRY_ASSIGN(const auto reference, oci::Reference::parse(name));
    SHEAF_TRY_ASSIGN(const bool was_there, store.untag(reference));
    if (!was_there) {
      return Error(ErrorCode::not_found, fmt::format("there is no image '{}'", name))
          .with_hint("'sheaf image list' shows all");
    }
  }
  return 0;
}

} // namespace

const Command k_image_list = {"image list",
                              "list the images of the store",
                              "Shows every image that was built or imported, the newest first.",
                              {"", 0, 0},
                              k_options,
                              k_list_examples,
                              list};

const Command k_image_show = {
    "image show",
    "show one image: what it is made of and how it starts",
    "Prints names, platform and history of an image, by name or by the beginning of its id. With --json: its whole "
    "configuration, with the fields of the OCI image specification.",
    {"NAME", 1, 1},
    k_options,
    k_show_examples,
    show};

const Command k_image_tag = {"image tag",
                             "give an image one more name",
                             "NEW is taken from another image if that one has it.",
                             {"IMAGE NEW", 2, 2},
                             {},
                             k_tag_examples,
                             tag};

const Command k_image_rm = {"image rm",
                            "take a name from its image",
                            "The trees of the image stay in the store: other images and the cache of steps use them.",
                            {"NAME…", 1, 1000},
                            {},
                            k_rm_examples,
                            remove};

} // namespace sheaf::cli
