// SPDX-License-Identifier: Apache-2.0
#pragma once

// Turns the progress of blobs into events: a line for each as it begins to come, and the sum of bytes.

#include "base/event.hpp"
#include "image/import.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace sheaf::app {

/// Safe from several threads.
class TransferProgress {
public:
  TransferProgress(std::string subject, EventSink& events) : m_subject(std::move(subject)), m_events(events) {}
  void see(const image::Progress& now);
  /// Of blobs that were not there before.
  std::uint64_t bytes() const;

private:
  std::string m_subject;
  EventSink& m_events;
  mutable std::mutex m_mutex; ///< guards what follows
  std::map<Digest, std::uint64_t> m_done;
};

} // namespace sheaf::app
