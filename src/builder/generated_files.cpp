// SPDX-License-Identifier: Apache-2.0
#include "builder/generated_files.hpp"

#include "base/path_pattern.hpp"
#include "base/text.hpp"
#include "builder/generator_run.hpp"
#include "builder/output_tree.hpp"
#include "layer/capture.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "generate/certificates.hpp"
#include "generate/generator.hpp"
#include "generate/java_keystore.hpp"

namespace sheaf::builder {
namespace {

using generate::Generator;
using generate::k_keystore;
using layer::EntryType;
using layer::InventoryLine;
using Clock = std::chrono::steady_clock;

constexpr std::string_view k_folder = "etc/ssl/certs/";

/// What the layers above the base say of a generator's sources: path to what decides the result.
using Sources = std::map<std::string, std::string>;

/// Type, content and link text; the time only if the generator looks at it.
std::string meaning(const InventoryLine& line, bool with_time) {
  const auto fields = split(line.attributes, '\t');
  auto text = fmt::format("{} {} {}", fields[0], fields.at(6), fields.at(7));
  return with_time ? fmt::format("{} {}", text, fields.at(4)) : text;
}

Result<void> collect(const Generator& generator, std::string_view inventory, Sources& sources) {
  for (const auto pattern : generator.sources) {
    const auto prefix = literal_prefix(pattern);
    SHEAF_TRY_ASSIGN(const auto lines, layer::lines_with_prefix(inventory, prefix));
    for (const auto& line : lines) {
      const bool is_directory = line.type == EntryType::directory;
      if ((!is_directory || generator.records_times) &&
          is_source(generator, std::string(line.path), generate::Change::put)) {
        sources.insert_or_assign(std::string(line.path), meaning(line, generator.records_times));
      }
    }
    // A folder above the sources that was deleted or replaced took them along.
    for (auto slash = prefix.find('/'); slash != std::string_view::npos; slash = prefix.find('/', slash + 1)) {
      const auto folder = prefix.substr(0, slash);
      SHEAF_TRY_ASSIGN(const auto line, layer::line_of(inventory, folder));
      if (line && line->type != EntryType::directory) {
        sources.insert_or_assign(std::string(folder), meaning(*line, false));
      }
    }
  }
  return {};
}

Result<Sources> sources_of(const Generator& generator, const GeneratorInput& input) {
  Sources sources;
  for (std::size_t i = 1; i < input.layers.size(); ++i) {
    SHEAF_TRY(collect(generator, input.inventories[i], sources)
                  .context(fmt::format("reading the inventory of layer '{}'", input.layers[i].record.name)));
  }
  for (const auto& [path, content] : input.merged) {
    if (is_source(generator, path, generate::Change::put)) {
      sources.insert_or_assign(path, Digest::of(content).hex());
    }
  }
  return sources;
}

/// The layer that holds an output as a file of its own: made by hand, so nobody may replace it.
Result<std::optional<std::string>> kept_by(const Generator& generator, const GeneratorInput& input) {
  for (std::size_t i = 1; i < input.layers.size(); ++i) {
    for (const auto pattern : generator.outputs) {
      SHEAF_TRY_ASSIGN(const auto lines, layer::lines_with_prefix(input.inventories[i], literal_prefix(pattern)));
      for (const auto& line : lines) {
        if (line.type == EntryType::file && is_output(generator, std::string(line.path), std::nullopt)) {
          return std::optional(input.layers[i].record.name);
        }
      }
    }
  }
  return std::optional<std::string>();
}

Digest key_of(const Generator& generator, const Sources& sources, const store::LayerRecord& base) {
  Sha256 hash;
  hash.field("sheaf-generated 1").field(generator.name).field(std::to_string(generator.version));
  hash.field(base.content_key.hex()).field(std::to_string(base.epoch));
  for (const auto& [path, what] : sources) {
    hash.field(path).field(what);
  }
  return hash.finish();
}

/// What `path` holds in the root, whose last component is not followed.
bool has_content(const layer::ParentView& view, const std::string& path, const std::string& content) {
  const auto present = view.read(path);
  return present && *present && **present == content;
}

/// Writes only what differs from what the root has.
Result<void> add_certificates(const layer::ParentView& view, OutputTree& tree) {
  SHEAF_TRY_ASSIGN(const auto folder, generate::make_certificate_folder(view.root()));
  const auto bundle = std::string(k_folder) + "ca-certificates.crt";
  if (!has_content(view, bundle, folder.bundle)) {
    SHEAF_TRY(tree.add_file(bundle, folder.bundle));
  }
  for (const auto& [name, target] : folder.links) {
    const auto found = folder.present.find(name);
    if (found == folder.present.end() || found->second != target) {
      SHEAF_TRY(tree.add_link(std::string(k_folder) + name, target));
    }
  }
  for (const auto& [name, target] : folder.present) {
    if (!folder.links.contains(name)) {
      SHEAF_TRY(tree.add_deletion(std::string(k_folder) + name));
    }
  }
  return {};
}

Result<void> add_keystore(const layer::ParentView& view, OutputTree& tree, std::int64_t epoch, EventSink& events) {
  SHEAF_TRY_ASSIGN(const auto text, view.read("etc/default/cacerts"));
  const auto settings = generate::parse_keystore_settings(text.value_or("cacerts_updates=yes"));
  SHEAF_TRY_ASSIGN(const auto present, view.read(std::string(k_keystore)));
  std::vector<generate::KeystoreEntry> entries;
  if (present) {
    auto parsed = generate::parse_keystore(*present);
    if (!parsed) {
      events.emit(
          {EventKind::warning, "", fmt::format("'/{}' is left as it is: {}", k_keystore, parsed.error().message())});
      return {};
    }
    entries = std::move(*parsed);
  }
  if (!settings.updates) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto files, generate::trusted_files(view.root()));
  const auto bytes = generate::make_keystore(files, entries, settings, epoch);
  return present && *present == bytes ? Result<void>() : tree.add_file(std::string(k_keystore), bytes);
}

/// One composition's generators, from the decision to the tree.
class Generation {
public:
  Generation(const GeneratorInput& input, const GeneratorTools& tools) : m_input(input), m_tools(tools) {}

  /// Finds the generators whose sources changed.
  Result<void> choose() {
    for (const auto& generator : generate::generators()) {
      SHEAF_TRY_ASSIGN(auto sources, sources_of(generator, m_input));
      if (sources.empty()) {
        continue;
      }
      SHEAF_TRY_ASSIGN(const auto owner, kept_by(generator, m_input));
      if (owner && generator.method != generate::Method::java_keystore) { // a keystore keeps entries made by hand
        m_tools.events.emit(
            {EventKind::warning, "",
             fmt::format("layer '{}' brings its own {} file; that of the stack is not made", *owner, generator.name)});
        continue;
      }
      m_chosen.push_back({&generator, key_of(generator, sources, m_input.layers.front().record)});
    }
    return {};
  }

  Result<void> make(std::stop_token stop) {
    if (m_chosen.empty()) {
      return {};
    }
    auto lowers = m_input.lowers;
    lowers.push_back(m_input.join_tree);
    SHEAF_TRY_ASSIGN(const auto view, layer::ParentView::open(lowers));
    std::erase_if(m_chosen, [&](const GeneratorTask& task) {
      const auto& needed = task.generator->requires_paths;
      return !std::all_of(needed.begin(), needed.end(), [&](auto one) { return any_match(view.root(), one); });
    });
    const auto epoch = m_input.layers.front().record.epoch;
    OutputTree tree(m_input.join_tree, view.root(), epoch);
    SHEAF_TRY(add_tool_outputs(view, lowers, tree, stop));
    for (const auto& task : m_chosen) {
      const auto start = Clock::now();
      if (task.generator->method == generate::Method::certificates) {
        SHEAF_TRY(add_certificates(view, tree).context("collecting the trusted certificates"));
        tell(task, start);
      } else if (task.generator->method == generate::Method::java_keystore) {
        SHEAF_TRY(add_keystore(view, tree, epoch, m_tools.events).context("making the keystore of Java"));
        tell(task, start);
      }
    }
    return tree.finish();
  }

private:
  void tell(const GeneratorTask& task, Clock::time_point start) {
    const std::chrono::duration<double, std::milli> took = Clock::now() - start;
    m_tools.events.emit({EventKind::end, fmt::format("generated {}", task.generator->name),
                         std::string(task.generator->reason), 0, 0, took.count()});
  }

  /// From the store where the tool ran on the same sources before.
  Result<void> add_tool_outputs(const layer::ParentView& view, const std::vector<std::string>& lowers, OutputTree& tree,
                                std::stop_token stop) {
    std::vector<GeneratorTask> missing;
    for (const auto& task : m_chosen) {
      if (task.generator->method == generate::Method::tool && !m_tools.store.find_generated(task.key)) {
        missing.push_back(task);
      }
    }
    if (!missing.empty()) {
      SHEAF_TRY(run_generators(missing, {lowers, view, m_input.layers.front().record.epoch}, m_tools, stop));
    }
    for (const auto& task : m_chosen) {
      if (task.generator->method == generate::Method::tool) {
        SHEAF_TRY(add_stored(task, tree).context(fmt::format("adding the files of '{}'", task.generator->name)));
      }
    }
    return {};
  }

  Result<void> add_stored(const GeneratorTask& task, OutputTree& tree) const {
    const auto path = m_tools.store.find_generated(task.key);
    if (!path) {
      return Error(ErrorCode::not_found, "the files vanished from the store");
    }
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(*path + "/inventory"));
    SHEAF_TRY_ASSIGN(const auto inventory, layer::parse_inventory(text));
    for (const auto& entry : inventory.entries) {
      SHEAF_TRY(tree.add_existing(entry, *path + "/tree"));
    }
    return {};
  }

  const GeneratorInput& m_input;
  const GeneratorTools& m_tools;
  std::vector<GeneratorTask> m_chosen;
};

} // namespace

Result<void> add_generated_files(const GeneratorInput& input, const GeneratorTools& tools, std::stop_token stop) {
  Generation generation(input, tools);
  SHEAF_TRY(generation.choose());
  return generation.make(stop);
}

} // namespace sheaf::builder
