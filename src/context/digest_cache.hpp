// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside of context::DigestCache: one file of fixed-size records, sorted as a walk meets the paths, mapped and not
// read.
//
//   header   magic, number of records, bytes of paths, checksum of all that follows
//   records  stamp, digest, where the path is
//   paths    one after another

#include "base/digest.hpp"
#include "os/file.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "context/content_digest.hpp"

namespace sheaf::context {

/// The order of a walk: as bytes, but '/' before all else.
struct WalkOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};

struct DigestCache::Data {
  struct Record {
    os::FileStamp stamp;
    Digest::Bytes digest;
    std::uint32_t path_begin = 0;
    std::uint32_t path_size = 0;
  };

  explicit Data(std::string path) : m_path(std::move(path)) {}
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;
  ~Data();

  void load();
  Result<void> save();
  /// The caller holds `mutex()`. Fast if the paths are asked for in their order.
  std::optional<Digest> find(std::string_view path, const os::FileStamp& stamp);
  /// Nothing: what is known of `path` is wrong.
  void learn(const std::string& path, const os::FileStamp& stamp, const std::optional<Digest>& digest);
  std::mutex& mutex() { return m_mutex; }

private:
  struct Learnt {
    os::FileStamp stamp;
    std::optional<Digest> digest;
  };
  Record record(std::size_t index) const;
  std::string_view path_of(const Record& record) const;
  std::size_t lower_bound(std::string_view path) const;
  std::string file_content() const;

  std::string m_path;
  std::mutex m_mutex; ///< guards all below
  /// The mapped file; empty if there is none that can be used.
  std::string_view m_file;
  std::size_t m_count = 0;
  std::string_view m_paths;
  std::size_t m_next = 0;
  std::vector<bool> m_used;
  std::map<std::string, Learnt, WalkOrder> m_learnt;
};

} // namespace sheaf::context
