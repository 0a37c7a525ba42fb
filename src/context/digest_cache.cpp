// SPDX-License-Identifier: Apache-2.0
#include "context/digest_cache.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "context/checksum.hpp"

namespace sheaf::context {
namespace {

/// The last byte is the version of the format; another one is another file.
constexpr std::array<char, 8> k_magic = {'s', 'h', 'f', 'd', 'i', 'g', 's', 1};

struct Header {
  std::array<char, 8> magic = k_magic;
  std::uint64_t records = 0;
  std::uint64_t path_bytes = 0;
  std::uint64_t checksum = 0;
};

/// Records that were of no use are kept up to this many beyond those that were: another build may want them.
constexpr std::size_t k_most_unused = 20'000;

template <class T>
void append(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value); // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
}

} // namespace

bool WalkOrder::operator()(std::string_view a, std::string_view b) const {
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (left == a.end() || right == b.end()) {
    return left == a.end() && right != b.end();
  }
  if (*left == '/' || *right == '/') {
    return *left == '/';
  }
  return static_cast<unsigned char>(*left) < static_cast<unsigned char>(*right);
}

DigestCache::Data::~Data() {
  if (!m_file.empty()) {
    munmap(const_cast<char*>(m_file.data()), m_file.size()); // NOLINT(cppcoreguidelines-pro-type-const-cast)
  }
}

void DigestCache::Data::load() {
  const auto file = os::open(m_path, O_RDONLY);
  const auto info = file ? os::stat_of(*file) : Result<struct stat>(file.error());
  if (!info || static_cast<std::size_t>(info->st_size) < sizeof(Header)) {
    return;
  }
  const auto size = static_cast<std::size_t>(info->st_size);
  void* mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file->get(), 0);
  if (mapped == MAP_FAILED) { // NOLINT: the macro is a cast
    return;
  }
  m_file = {static_cast<const char*>(mapped), size};
  Header header;
  std::memcpy(&header, m_file.data(), sizeof header);
  const auto body = m_file.substr(sizeof header);
  if (header.magic != k_magic || header.records > body.size() / sizeof(Record) ||
      header.path_bytes != body.size() - header.records * sizeof(Record) || header.checksum != checksum(body)) {
    return;
  }
  m_count = header.records;
  m_paths = body.substr(m_count * sizeof(Record));
  m_used.assign(m_count, false);
}

DigestCache::Data::Record DigestCache::Data::record(std::size_t index) const {
  Record record;
  std::memcpy(&record, m_file.data() + sizeof(Header) + index * sizeof(Record), sizeof record);
  return record;
}

std::string_view DigestCache::Data::path_of(const Record& record) const {
  return record.path_begin <= m_paths.size() ? m_paths.substr(record.path_begin, record.path_size) : std::string_view();
}

std::size_t DigestCache::Data::lower_bound(std::string_view path) const {
  std::size_t low = 0;
  for (std::size_t high = m_count; low < high;) {
    const auto middle = low + (high - low) / 2;
    if (WalkOrder()(path_of(record(middle)), path)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<Digest> DigestCache::Data::find(std::string_view path, const os::FileStamp& stamp) {
  if (!m_learnt.empty()) {
    if (const auto learnt = m_learnt.find(path); learnt != m_learnt.end()) {
      return learnt->second.stamp == stamp ? learnt->second.digest : std::nullopt;
    }
  }
  for (const bool searched : {false, true}) {
    const auto index = searched ? lower_bound(path) : m_next;
    if (index >= m_count) {
      continue;
    }
    const auto known = record(index);
    if (path_of(known) == path) {
      m_next = index + 1;
      m_used[index] = true;
      return known.stamp == stamp ? std::optional(Digest(known.digest)) : std::nullopt;
    }
  }
  return std::nullopt;
}

void DigestCache::Data::learn(const std::string& path, const os::FileStamp& stamp,
                              const std::optional<Digest>& digest) {
  m_learnt.insert_or_assign(path, Learnt{stamp, digest});
}

std::string DigestCache::Data::file_content() const {
  const auto used = static_cast<std::size_t>(std::count(m_used.begin(), m_used.end(), true)) + m_learnt.size();
  const bool all = m_count <= 2 * used + k_most_unused;
  std::string records;
  std::string paths;
  std::uint64_t count = 0;
  const auto add = [&](std::string_view path, const os::FileStamp& stamp, const Digest& digest) {
    if (paths.size() + path.size() < std::numeric_limits<std::uint32_t>::max()) {
      append(records, Record{stamp, digest.bytes(), static_cast<std::uint32_t>(paths.size()),
                             static_cast<std::uint32_t>(path.size())});
      paths.append(path);
      ++count;
    }
  };
  auto learnt = m_learnt.begin();
  const auto add_learnt = [&] {
    if (learnt->second.digest) {
      add(learnt->first, learnt->second.stamp, *learnt->second.digest);
    }
    ++learnt;
  };
  for (std::size_t i = 0; i < m_count; ++i) {
    const auto known = record(i);
    const auto path = path_of(known);
    while (learnt != m_learnt.end() && WalkOrder()(learnt->first, path)) {
      add_learnt();
    }
    const bool is_replaced = learnt != m_learnt.end() && learnt->first == path;
    if (!is_replaced && (all || m_used[i])) {
      add(path, known.stamp, Digest(known.digest));
    }
  }
  while (learnt != m_learnt.end()) {
    add_learnt();
  }
  const auto body = records + paths;
  std::string content;
  append(content, Header{k_magic, count, paths.size(), checksum(body)});
  return content + body;
}

Result<void> DigestCache::Data::save() {
  const std::scoped_lock lock(m_mutex);
  if (m_learnt.empty()) {
    return {};
  }
  return os::write_file(m_path, file_content()).context("remembering the digests of files");
}

DigestCache::DigestCache(std::unique_ptr<Data> data) : m_data(std::move(data)) {}
DigestCache::DigestCache(DigestCache&&) noexcept = default;
DigestCache& DigestCache::operator=(DigestCache&&) noexcept = default;
DigestCache::~DigestCache() = default;

DigestCache DigestCache::load(const std::string& path) {
  auto data = std::make_unique<Data>(path);
  data->load();
  return DigestCache(std::move(data));
}

Result<void> DigestCache::save() { return m_data->save(); }

} // namespace sheaf::context
