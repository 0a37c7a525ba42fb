// SPDX-License-Identifier: Apache-2.0
#pragma once

// The system calls that can be broken, and how the kernel may break each of them.

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sheaf::faults {

/// What happens at a call: the process is killed before it, or the call fails.
enum class Fault : std::uint8_t { kill, enospc, edquot, eio, eintr, emfile };

inline constexpr std::array k_faults = {Fault::kill, Fault::enospc, Fault::edquot,
                                        Fault::eio,  Fault::eintr,  Fault::emfile};

/// "kill", "ENOSPC", ….
std::string_view to_string(Fault fault);
std::optional<Fault> fault_from(std::string_view text);
/// The errno value; 0 for `kill`.
int errno_of(Fault fault);

/// A set of faults.
class Faults {
public:
  constexpr Faults() = default;
  template <class... Each>
  constexpr explicit Faults(Each... each) : m_bits((0U | ... | bit(each))) {}
  constexpr bool has(Fault fault) const { return (m_bits & bit(fault)) != 0; }
  constexpr Faults operator|(Faults other) const { return from(m_bits | other.m_bits); }
  constexpr Faults operator&(Faults other) const { return from(m_bits & other.m_bits); }
  constexpr bool empty() const { return m_bits == 0; }

private:
  static constexpr unsigned bit(Fault fault) { return 1U << static_cast<unsigned>(fault); }
  static constexpr Faults from(unsigned bits) {
    Faults made;
    made.m_bits = bits;
    return made;
  }
  unsigned m_bits = 0;
};

constexpr int k_none = -1;

/// One system call: which arguments say what it is about.
struct Call {
  int number;
  std::string_view name;
  /// Index of the argument that is a directory or a file descriptor; `k_none` if there is none.
  int descriptor;
  /// Index of the argument that points to a path; `k_none` if there is none.
  int path;
  Faults faults;
  /// Index of open's flags: with O_CREAT the call writes. `k_none` for others.
  int flags = k_none;
  /// It makes data durable and does nothing else.
  bool is_flush = false;
};

/// Nothing for a call that is not watched.
const Call* find_call(int number);
std::span<const Call> all_calls();

using Arguments = std::array<std::uint64_t, 6>;

/// How `call` may fail on `target` (a path, or "pipe:[…]" and the like; empty if unknown). Nothing at all for what is
/// no business of the program: libraries that its loader reads, devices.
Faults faults_of(const Call& call, const Arguments& arguments, std::string_view target);

} // namespace sheaf::faults
