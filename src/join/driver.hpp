// SPDX-License-Identifier: Apache-2.0
#pragma once

// One driver per kind of shared state: it knows which files are of its kind, how their text becomes keyed records and
// back, and when two layers can both be right. Drivers are stateless, pure and safe to use from any thread.

#include "base/result.hpp"
#include "join/facts.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::join {

struct Record {
  /// Unique in its file.
  std::string key;
  std::string value;
  bool operator==(const Record&) const = default;
};
/// The whole content of one file, in file order.
using Records = std::vector<Record>;

/// A layer as the join sees it; borrowed for the call.
struct Layer {
  std::string_view name;
  const Facts* facts = nullptr;
  /// Names of the layers whose records it declares to replace.
  std::span<const std::string> replaces = {};
};

/// One record of which a layer says something else than the merge so far. `current` and `after` differ.
struct Sides {
  std::string_view file;
  std::string_view key;
  /// What the layer saw when it was built: the common ancestor.
  const std::optional<std::string>& before;
  /// What the base and the layers before it made of the record.
  const std::optional<std::string>& current;
  /// What the layer made of it.
  const std::optional<std::string>& after;
};

/// A record both sides can live with; an absent value means that the record is gone.
struct Reconciled {
  std::optional<std::string> value;
};

/// Key of a change that is no record: `after` is the whole text of a file that the layer made, for its order.
inline constexpr std::string_view k_order_key = "\norder";

/// Two layers that cannot be joined as they are, and what can be done about it.
struct Conflict {
  std::string driver;
  std::string file;
  std::string key;
  /// The one that comes first in the stack; empty if it is the base.
  std::string layer_a;
  std::string layer_b;
  std::optional<std::string> value_a;
  std::optional<std::string> value_b;
  /// What is wrong, in one line.
  std::string message;
  /// What to try, the default first: building `layer_b` again on top of `layer_a`.
  std::vector<std::string> remedies;
};

/// `MergedRecord::set_by` of a record no layer touched.
inline constexpr std::size_t k_base = static_cast<std::size_t>(-1);

struct MergedRecord {
  Record record;
  /// Index of the layer whose value this is, or `k_base`.
  std::size_t set_by = k_base;
};

/// One file with the changes of all layers applied, as `Driver::settle` sees it.
struct FileMerge {
  std::string_view file;
  std::span<const Layer> layers;
  /// Records of the base in its order, then the added ones in no particular order.
  std::vector<MergedRecord> records;
  /// Index of the first added record.
  std::size_t added_from = 0;
  std::vector<Conflict> conflicts;
};

/// For a file that the base does not have; the owner is always root.
struct FileAttributes {
  unsigned mode = 0644;
  std::string_view group = "root";
};

/// A symbolic link that follows from merged records.
struct Link {
  /// What it points to; empty: the link must not exist.
  std::string target;
  /// Root-relative path whose existence in the composed root decides whether the link exists; empty: it always does.
  std::string only_if_exists;
  bool operator==(const Link&) const = default;
};
/// By the root-relative path of the link. What is there and is no symbolic link stays, as update-alternatives leaves
/// it.
using Links = std::map<std::string, Link, std::less<>>;

class Driver {
public:
  virtual ~Driver() = default;

  virtual std::string_view name() const = 0;
  /// Is the file at root-relative `file` of this kind? Every file has at most one driver.
  virtual bool owns(std::string_view file) const = 0;
  /// `corrupt` with the position if `text` is no such file.
  virtual Result<Records> parse(std::string_view file, std::string_view text) const = 0;
  /// The text of `records`, which are in the order of `order`; `corrupt` for records that no `parse` can have made.
  virtual Result<std::string> print(std::string_view file, const Records& records) const = 0;
  /// Puts records in canonical order: the base's own are [0, added_from) in its order, the rest come in any order.
  /// Default: the added ones follow, sorted by key.
  virtual void order(std::string_view file, Records& records, std::size_t added_from) const;
  /// Does the order of a new file mean something to people, as that of lines below a comment? Facts then hold it
  /// (`k_order_key`). Default: no.
  virtual bool keeps_order() const { return false; }
  /// Are two values of a record the same in meaning? A layer that only changes the spelling has changed nothing.
  virtual bool same(std::string_view file, std::string_view a, std::string_view b) const;
  /// A value that honours both sides, or nothing: conflict. Must not depend on which side is `current`.
  /// Default: conflict.
  virtual std::optional<Reconciled> reconcile(const Sides& sides) const;
  /// Rules that span records, after all layers are applied: may drop added records and report conflicts.
  virtual void settle(FileMerge& merge) const;
  /// What is wrong, in one line, for a conflict with all but its texts filled in.
  virtual std::string explain(const Conflict& conflict) const;
  /// The remedy that is not "build the later layer on top of the earlier one".
  virtual std::string other_remedy(const Conflict& conflict) const;
  virtual FileAttributes attributes(std::string_view file) const;
  /// The links that follow from `records`, the merged ones in canonical order. Default: none.
  virtual Links links(std::string_view file, const Records& records) const;
  /// Root-relative path of a symbolic link whose target is part of the state that `file` holds; empty: none (default).
  virtual std::string state_link(std::string_view file) const;
  /// `text` with the target of that link added, for `parse`; whoever reads the file where the link exists adds it: of
  /// the base, of a layer's parent view and of the layer. Default: `text`.
  virtual std::string with_state_link(std::string text, std::string_view target) const;
};

/// All drivers, in a fixed order.
std::span<const Driver* const> drivers();
/// The driver that owns the file, or null.
const Driver* driver_for(std::string_view file);

/// Fills in the message and the remedies.
Conflict with_texts(const Driver& driver, Conflict conflict);
/// "layer 'x'", or "the base" for the empty name.
std::string layer_text(std::string_view layer);
/// `corrupt`: "'file': line N: what"; `offset` is a byte of `text`.
Error corrupt_at(std::string_view file, std::string_view text, std::size_t offset, std::string_view what);
/// Makes keys unique by their count: the nth record of one key gets "key\nN" for n > 1. For files of lines, in which a
/// line may be repeated and no key holds a newline.
void number_repeated_keys(Records& records);
/// Passes `records` on, or `corrupt` if two have one key.
Result<Records> with_unique_keys(std::string_view file, Records records);

} // namespace sheaf::join
