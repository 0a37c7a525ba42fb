// SPDX-License-Identifier: Apache-2.0
#include "store/usage.hpp"

#include "os/file.hpp"
#include "store/walk.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>

namespace sheaf::store {
namespace {

/// The part that unreadable layers are counted as.
const std::string k_damaged = "damaged layers";

/// An inode with several names, and the layers that have one.
struct Linked {
  std::uint64_t bytes = 0;
  std::vector<std::size_t> layers;
};

class Measure {
public:
  explicit Measure(Store& store) : m_store(store) {}

  Result<Usage> run() {
    SHEAF_TRY_ASSIGN(const os::Fd root, os::open(m_store.root(), O_RDONLY | O_DIRECTORY));
    SHEAF_TRY(add_layers(root));
    share_out();
    SHEAF_TRY(add_images(root));
    SHEAF_TRY(add_running(root));
    SHEAF_TRY(add_parts(root));
    std::ranges::sort(m_usage.layers, {},
                      [](const LayerUsage& layer) { return std::tuple(layer.record.name, layer.record.content_key); });
    return std::move(m_usage);
  }

private:
  /// A link in the place of 'layers' or 'cache' leads to another disk.
  Result<void> add_layers(const os::Fd& root) {
    SHEAF_TRY_ASSIGN(const auto layers, m_store.all());
    SHEAF_TRY_ASSIGN(const os::Fd folder, os::open_at(root, "layers", O_RDONLY | O_DIRECTORY));
    for (const auto& layer : layers) {
      const auto index = m_usage.layers.size();
      m_usage.layers.push_back({layer.record});
      SHEAF_TRY(walk(folder, layer.record.content_key.hex(), std::nullopt,
                     [&](const struct stat& info) { add_to_layer(index, info); }));
    }
    return {};
  }

  void add_to_layer(std::size_t index, const struct stat& info) {
    const auto bytes = allocated_bytes(info);
    if (S_ISDIR(info.st_mode) || info.st_nlink == 1) {
      m_usage.layers[index].exclusive += bytes;
      return;
    }
    auto& linked = m_linked[info.st_ino];
    linked.bytes = bytes;
    if (linked.layers.empty() || linked.layers.back() != index) {
      linked.layers.push_back(index);
    }
  }

  /// Once all layers are known: who shares what.
  void share_out() {
    for (const auto& [inode, linked] : m_linked) {
      const bool is_shared = linked.layers.size() > 1;
      for (const auto index : linked.layers) {
        (is_shared ? m_usage.layers[index].shared : m_usage.layers[index].exclusive) += linked.bytes;
      }
      m_usage.saved += linked.bytes * (linked.layers.size() - 1);
      m_counted.insert(inode);
    }
    for (auto& layer : m_usage.layers) {
      layer.bytes = layer.exclusive + layer.shared;
      m_usage.layers_total += layer.bytes;
    }
    m_usage.layers_total -= m_usage.saved;
  }

  Result<void> add_images(const os::Fd& root) {
    SHEAF_TRY_ASSIGN(const auto images, m_store.images());
    std::map<std::string, std::size_t> users;
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& image : images) {
      for (const auto& tree : folders_of(image)) {
        if (++users[tree] == 1) {
          SHEAF_TRY_ASSIGN(bytes[tree], bytes_of(root, tree));
        }
      }
    }
    for (const auto& image : images) {
      ImageUsage usage;
      usage.id = image.id;
      std::ranges::transform(image.tags, std::back_inserter(usage.names), &oci::Reference::familiar);
      for (const auto& tree : folders_of(image)) {
        (users[tree] > 1 ? usage.shared : usage.exclusive) += bytes[tree];
      }
      usage.bytes = usage.shared + usage.exclusive;
      m_usage.images.push_back(std::move(usage));
    }
    return {};
  }

  static std::set<std::string> folders_of(const StoredImage& image) {
    std::set<std::string> folders;
    std::ranges::transform(image.record.trees, std::inserter(folders, folders.end()), &TreeRef::folder);
    return folders;
  }

  static Result<std::uint64_t> bytes_of(const os::Fd& root, const std::string& part) {
    std::uint64_t bytes = 0;
    std::set<ino_t> counted;
    SHEAF_TRY(walk(root, part, std::nullopt, [&](const struct stat& info) {
      const bool is_new = S_ISDIR(info.st_mode) || info.st_nlink == 1 || counted.insert(info.st_ino).second;
      bytes += is_new ? allocated_bytes(info) : 0;
    }));
    return bytes;
  }

  Result<void> add_running(const os::Fd& root) {
    SHEAF_TRY_ASSIGN(const auto owned, Staging::list(m_store.root() + "/tmp"));
    for (const auto& [name, pid] : owned) {
      RunningUsage usage;
      usage.part = "tmp/" + name;
      usage.pid = pid;
      auto command = os::read_file(fmt::format("/proc/{}/cmdline", pid)).value_or("");
      std::ranges::replace_if(
          command, [](unsigned char byte) { return byte < ' '; }, ' ');
      usage.command = command.substr(0, command.find_last_not_of(' ') + 1);
      SHEAF_TRY_ASSIGN(usage.bytes, bytes_of(root, usage.part));
      m_usage.running.push_back(std::move(usage));
    }
    return {};
  }

  /// Folders of caches are parts of their own, because each can be thrown away alone.
  Result<void> add_parts(const os::Fd& root) {
    m_usage.total = m_usage.layers_total;
    for (const auto* name : {".", "layers", "cache"}) { // the folders themselves; what is in them is counted by part
      struct stat info {};
      if (fstatat(root.get(), name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        m_usage.parts["other"].bytes += allocated_bytes(info);
        m_usage.total += allocated_bytes(info);
      }
    }
    SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(root));
    for (const auto& entry : entries) {
      if (entry.name == "layers") {
        SHEAF_TRY(add_damaged(root));
      } else if (entry.name == "cache") {
        SHEAF_TRY(add_caches(root));
      } else {
        SHEAF_TRY(
            add_part(root, entry.name, os::is_directory(m_store.root() + "/" + entry.name) ? entry.name : "other"));
      }
    }
    return {};
  }

  Result<void> add_caches(const os::Fd& root) {
    SHEAF_TRY_ASSIGN(const os::Fd cache, os::open_at(root, "cache", O_RDONLY | O_DIRECTORY));
    SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(cache));
    for (const auto& entry : entries) {
      SHEAF_TRY(add_part(cache, entry.name, "cache/" + entry.name));
    }
    return {};
  }

  /// Folders in layers/ that are no readable layer.
  Result<void> add_damaged(const os::Fd& root) {
    std::set<std::string> known;
    for (const auto& layer : m_usage.layers) {
      known.insert(layer.record.content_key.hex());
    }
    SHEAF_TRY_ASSIGN(const os::Fd folder, os::open_at(root, "layers", O_RDONLY | O_DIRECTORY));
    SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
    for (const auto& entry : entries) {
      if (!known.contains(entry.name)) {
        SHEAF_TRY(add_part(folder, entry.name, k_damaged));
      }
    }
    return {};
  }

  Result<void> add_part(const os::Fd& folder, const std::string& name, const std::string& part) {
    auto& usage = m_usage.parts[part];
    const auto inner = os::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (inner && part != k_damaged) {
      SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(*inner));
      usage.count += entries.size();
    } else {
      ++usage.count;
    }
    return walk(folder, name, std::nullopt, [&](const struct stat& info) {
      const bool is_new = S_ISDIR(info.st_mode) || info.st_nlink == 1 || m_counted.insert(info.st_ino).second;
      const auto bytes = is_new ? allocated_bytes(info) : 0;
      usage.bytes += bytes;
      m_usage.total += bytes;
    });
  }

  Store& m_store;
  Usage m_usage;
  std::unordered_map<ino_t, Linked> m_linked;
  std::set<ino_t> m_counted; ///< inodes with several names that are in the sums already
};

} // namespace

Result<Usage> measure(Store& store) { return Measure(store).run(); }

} // namespace sheaf::store
