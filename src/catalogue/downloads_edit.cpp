// SPDX-License-Identifier: Apache-2.0
#include "catalogue/downloads_edit.hpp"

#include "catalogue/yaml_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace sheaf::catalogue {
namespace {

/// What takes the place of a part of the text; an empty part is where it is put in.
struct Edit {
  Span span;
  std::string text;
};

class Editor {
public:
  explicit Editor(std::string_view text) : m_text(text) {}

  void set_pin(const YamlNode& artefact, const Pin& pin) {
    const auto* version = entry_of(artefact, "version");
    replace(version->value, pin.version);
    const auto* digests = entry_of(artefact, "sha256");
    if (digests == nullptr) {
      add_digests(*version, pin);
    } else if (digests->value.entries.empty()) {
      fill(*digests, pin);
    } else {
      set_digests(digests->value, pin);
    }
  }

  std::string result() {
    std::ranges::stable_sort(m_edits, {}, [](const Edit& edit) { return edit.span.begin; });
    std::string text;
    std::size_t at = 0;
    for (const auto& edit : m_edits) {
      text += m_text.substr(at, edit.span.begin - at);
      text += edit.text;
      at = edit.span.end;
    }
    return text + std::string(m_text.substr(at));
  }

private:
  static const YamlEntry* entry_of(const YamlNode& map, std::string_view key) {
    const auto found = std::ranges::find(map.entries, key, &YamlEntry::key);
    return found != map.entries.end() ? &*found : nullptr;
  }

  /// Keeps the quotes.
  void replace(const YamlNode& scalar, const std::string& value) {
    const auto old = m_text.substr(scalar.span.begin, scalar.span.end - scalar.span.begin);
    const bool is_quoted = !old.empty() && (old.front() == '"' || old.front() == '\'');
    const auto text = is_quoted ? fmt::format("{0}{1}{0}", old.front(), value) : value;
    if (text != old) {
      m_edits.push_back({scalar.span, text});
    }
  }

  /// The spaces in front of a key that begins its line; nothing if something else stands there.
  std::optional<std::string> indent_of(const YamlEntry& entry) const {
    const auto line = entry.key_span.begin == 0 ? std::string_view::npos : m_text.rfind('\n', entry.key_span.begin - 1);
    const auto begin = line == std::string_view::npos ? 0 : line + 1;
    const auto front = m_text.substr(begin, entry.key_span.begin - begin);
    const bool is_blank = front.find_first_not_of(' ') == std::string_view::npos;
    return is_blank ? std::optional<std::string>(front) : std::nullopt;
  }

  /// Behind the line in which `at` is; a comment there stays with it.
  std::size_t end_of_line(std::size_t at) const { return std::min(m_text.find('\n', at), m_text.size()); }

  static std::string in_braces(const Pin& pin) {
    std::string text;
    for (const auto& [arch, digest] : pin.sha256) {
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", arch, digest);
    }
    return "{" + text + "}";
  }

  void add_digests(const YamlEntry& version, const Pin& pin) {
    const auto indent = indent_of(version);
    if (!indent) {
      const auto at = version.value.span.end;
      m_edits.push_back({{at, at}, ", sha256: " + in_braces(pin)});
      return;
    }
    auto text = fmt::format("\n{}sha256:", *indent);
    for (const auto& [arch, digest] : pin.sha256) {
      text += fmt::format("\n{}  {}: {}", *indent, arch, digest);
    }
    const auto at = end_of_line(version.value.span.end);
    m_edits.push_back({{at, at}, text});
  }

  /// `sha256:` and `sha256: {}`
  void fill(const YamlEntry& digests, const Pin& pin) {
    if (digests.value.kind == YamlNode::Kind::map) {
      const auto begin = digests.value.span.begin;
      const auto end = m_text.find('}', begin);
      m_edits.push_back({{begin, std::min(end, m_text.size() - 1) + 1}, in_braces(pin)});
      return;
    }
    const auto colon = m_text.find(':', digests.key_span.end);
    const auto at = std::min(colon, m_text.size() - 1) + 1;
    m_edits.push_back({{at, at}, " " + in_braces(pin)});
  }

  void set_digests(const YamlNode& digests, const Pin& pin) {
    const auto& last = digests.entries.back();
    const auto indent = indent_of(last);
    const auto at = indent ? end_of_line(last.value.span.end) : last.value.span.end;
    for (const auto& [arch, digest] : pin.sha256) {
      if (const auto* entry = entry_of(digests, arch);
          entry != nullptr && entry->value.kind == YamlNode::Kind::scalar) {
        replace(entry->value, digest);
      } else {
        m_edits.push_back({{at, at}, fmt::format("{}{}: {}", indent ? "\n" + *indent : ", ", arch, digest)});
      }
    }
  }

  std::string_view m_text;
  std::vector<Edit> m_edits;
};

/// Does the text say what it was changed to say?
bool says(const std::string& text, const std::map<std::string, Pin>& pins) {
  Diagnostics diagnostics;
  const auto downloads = parse_downloads(std::make_shared<const SourceText>("downloads.yml", text), diagnostics);
  return downloads && std::ranges::all_of(pins, [&](const auto& entry) {
           const auto found = std::ranges::find(downloads->artefacts, entry.first, &Artefact::name);
           return found != downloads->artefacts.end() && found->current.version == entry.second.version &&
                  found->current.sha256 == entry.second.sha256;
         });
}

} // namespace

Result<std::string> with_pins(const Downloads& downloads, const std::map<std::string, Pin>& pins) {
  Diagnostics diagnostics;
  const auto root = parse_yaml(downloads.source, diagnostics);
  std::string text;
  if (root) {
    Editor editor(downloads.source->text());
    for (const auto& entry : root->entries) {
      if (const auto pin = pins.find(entry.key); pin != pins.end()) {
        editor.set_pin(entry.value, pin->second);
      }
    }
    text = editor.result();
  }
  if (!says(text, pins)) {
    return Error(ErrorCode::invalid,
                 fmt::format("'{}' is not written so that its values can be changed", downloads.source->name()))
        .with_hint("write each of 'version' and 'sha256' on a line of its own");
  }
  return text;
}

} // namespace sheaf::catalogue
