// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes a tar archive (PAX), deterministically: what is given decides every byte.

#include "archive/packing.hpp"
#include "archive/reader.hpp"

namespace sheaf::archive {

class TarWriter {
public:
  /// The descriptor must outlive this object.
  explicit TarWriter(const os::Fd& to);
  explicit TarWriter(Output to);
  TarWriter(TarWriter&&) noexcept;
  ~TarWriter();
  /// For a file, `content` is read from its position to `entry.size`.
  Result<void> add(const Entry& entry, const os::Fd* content);
  /// The end mark.
  Result<void> finish();

private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

} // namespace sheaf::archive
