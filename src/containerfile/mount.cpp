// SPDX-License-Identifier: Apache-2.0
#include "containerfile/mount.hpp"

#include "base/quantity.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "containerfile/truth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace sheaf::containerfile {
namespace {

using Type = Mount::Type;

const std::array<std::string, 5> k_types = {"bind", "cache", "tmpfs", "secret", "ssh"};
const std::array<std::string, 3> k_sharings = {"shared", "private", "locked"};

constexpr unsigned bit(Type type) { return 1U << static_cast<unsigned>(type); }
constexpr unsigned k_any = ~0U;
constexpr unsigned k_file_like = bit(Type::cache) | bit(Type::secret) | bit(Type::ssh);

enum class Value { needed, truth };

struct OptionRule {
  std::string_view name;
  /// What the others are short for.
  std::string_view meaning;
  /// Where it is allowed. An option that BuildKit reads but does not use is allowed, too.
  unsigned types = k_any;
  Value value = Value::needed;
};

constexpr std::array<OptionRule, 19> k_options = {
    {{"type", "type"},
     {"target", "target"},
     {"dst", "target"},
     {"destination", "target"},
     {"source", "source"},
     {"src", "source"},
     {"from", "from", ~bit(Type::secret)},
     {"id", "id"},
     {"readonly", "readonly", k_any, Value::truth},
     {"ro", "readonly", k_any, Value::truth},
     {"readwrite", "readwrite", k_any, Value::truth},
     {"rw", "readwrite", k_any, Value::truth},
     {"sharing", "sharing", bit(Type::cache)},
     {"required", "required", bit(Type::secret) | bit(Type::ssh), Value::truth},
     {"env", "env", bit(Type::secret)},
     {"mode", "mode", k_file_like},
     {"uid", "uid", k_file_like},
     {"gid", "gid", k_file_like},
     {"size", "size", bit(Type::tmpfs)}}};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return result;
}

const OptionRule* rule_of(std::string_view name) {
  const auto key = lower(name);
  const auto* found =
      std::find_if(k_options.begin(), k_options.end(), [&](const OptionRule& rule) { return rule.name == key; });
  return found != k_options.end() ? found : nullptr;
}

bool is_root(std::string_view path) {
  const auto parts = split(path, '/');
  return path.starts_with('/') && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return part.empty() || part == "." || part == "..";
         });
}

/// Says what is wrong with the names of options; true if nothing is.
bool check_names(const std::shared_ptr<const SourceText>& source, const MountFlag& flag, Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  std::vector<std::string> known;
  known.reserve(k_options.size());
  for (const auto& rule : k_options) {
    known.emplace_back(rule.name);
  }
  for (const auto& option : flag.options) {
    const auto* rule = rule_of(option.name.text);
    if (rule == nullptr) {
      diagnostics.error(source, option.name.span, "unknown-mount-option",
                        fmt::format("'--mount' has no option '{}'", option.name.text),
                        did_you_mean(option.name.text, known));
    } else if (!option.value && rule->value == Value::needed) {
      diagnostics.error(source, option.name.span, "missing-value",
                        fmt::format("the option '{}' of '--mount' has no value", option.name.text),
                        fmt::format("write '{}=VALUE'", option.name.text));
    } else if (rule->meaning == "from" && option.value->text.find('$') != std::string::npos) {
      diagnostics.error(source, option.value->span, "variable-in-from", "'from' does not expand variables",
                        "give the image a name with 'FROM IMAGE AS NAME', and write 'from=NAME'");
    }
  }
  return diagnostics.error_count() == errors_before;
}

struct ResolvedOption {
  const OptionRule* rule;
  /// "true" if there is no '='.
  std::string value;
  Span span;
};

class MountResolver {
public:
  MountResolver(const std::shared_ptr<const SourceText>& source, const MountFlag& flag, Diagnostics& diagnostics)
      : m_source(source), m_flag(flag), m_diagnostics(diagnostics), m_errors_before(diagnostics.error_count()) {}

  std::optional<Mount> run(const ExpandWord& expand) {
    if (!check_names(m_source, m_flag, m_diagnostics)) {
      return std::nullopt;
    }
    for (const auto& option : m_flag.options) {
      m_options.push_back({rule_of(option.name.text), option.value ? expand(*option.value) : "true",
                           option.value ? option.value->span : option.name.span});
    }
    read_type();
    m_mount.read_only = m_mount.type != Type::cache && m_mount.type != Type::tmpfs;
    for (const auto& option : m_options) {
      apply(option);
    }
    check_whole();
    return m_diagnostics.error_count() == m_errors_before ? std::optional(std::move(m_mount)) : std::nullopt;
  }

private:
  void error(Span span, std::string rule, std::string message, std::string hint = {}) {
    m_diagnostics.error(m_source, span, std::move(rule), std::move(message), std::move(hint));
  }
  const std::string& type_name() const { return k_types.at(static_cast<std::size_t>(m_mount.type)); }

  void read_type() {
    for (const auto& option : m_options) {
      if (option.rule->meaning != "type") {
        continue;
      }
      const auto* const found = std::find(k_types.begin(), k_types.end(), lower(option.value));
      if (found != k_types.end()) {
        m_mount.type = static_cast<Type>(found - k_types.begin());
        continue;
      }
      const auto near = did_you_mean(option.value, k_types);
      error(option.span, "bad-mount-type", fmt::format("there is no mount of the type '{}'", option.value),
            near.empty() ? fmt::format("it is one of: {}", fmt::join(k_types, ", ")) : near);
    }
  }

  void apply(const ResolvedOption& option) {
    const auto meaning = option.rule->meaning;
    if ((option.rule->types & bit(m_mount.type)) == 0) {
      error(option.span, "bad-mount-option", fmt::format("a {} mount has no option '{}'", type_name(), meaning));
    } else if (option.rule->value == Value::truth) {
      apply_truth(option);
    } else if (meaning == "uid" || meaning == "gid" || meaning == "mode") {
      apply_number(option);
    } else if (meaning == "sharing") {
      apply_sharing(option);
    } else if (meaning == "size") {
      m_mount.size = parse_size(option.value);
      if (!m_mount.size) {
        bad_value(option, "write '64m' or '1g', for example");
      }
    } else {
      apply_text(option);
    }
  }

  void bad_value(const ResolvedOption& option, std::string hint) {
    error(option.span, "bad-value", fmt::format("'{}' cannot be '{}'", option.rule->meaning, option.value),
          std::move(hint));
  }

  void apply_truth(const ResolvedOption& option) {
    const auto value = parse_truth(option.value);
    if (!value) {
      bad_value(option, "it is 'true' or 'false'");
      return;
    }
    if (option.rule->meaning == "required") {
      m_mount.required = *value;
    } else {
      m_mount.read_only = option.rule->meaning == "readonly" ? *value : !*value;
      m_mount.read_write = m_mount.type == Type::bind && !m_mount.read_only;
    }
  }

  void apply_number(const ResolvedOption& option) {
    const bool is_mode = option.rule->meaning == "mode";
    const auto value = to_number<unsigned>(option.value, is_mode ? 8 : 10);
    if (!value || (is_mode && *value > 07777)) {
      bad_value(option, is_mode ? "write an octal mode, '0400' for example" : "write a number");
    } else if (is_mode) {
      m_mount.mode = value;
    } else {
      (option.rule->meaning == "uid" ? m_mount.uid : m_mount.gid) = value;
    }
  }

  void apply_sharing(const ResolvedOption& option) {
    const auto* const found = std::find(k_sharings.begin(), k_sharings.end(), lower(option.value));
    if (found != k_sharings.end()) {
      m_mount.sharing = static_cast<Mount::Sharing>(found - k_sharings.begin());
      return;
    }
    const auto near = did_you_mean(option.value, k_sharings);
    bad_value(option, near.empty() ? fmt::format("it is one of: {}", fmt::join(k_sharings, ", ")) : near);
  }

  void apply_text(const ResolvedOption& option) {
    constexpr std::array<std::pair<std::string_view, std::string Mount::*>, 5> k_texts = {
        {{"target", &Mount::target},
         {"source", &Mount::source},
         {"from", &Mount::from},
         {"id", &Mount::id},
         {"env", &Mount::environment}}};
    for (const auto& [name, member] : k_texts) {
      if (name == option.rule->meaning) {
        m_mount.*member = option.value;
      }
    }
  }

  void check_whole() {
    const auto type = m_mount.type;
    const bool has_place = type == Type::bind || type == Type::cache || type == Type::tmpfs;
    if (has_place && m_mount.target.empty()) {
      error(m_flag.span, "missing-mount-target", fmt::format("a {} mount needs a place", type_name()),
            "add 'target=/path'");
    } else if (is_root(m_mount.target)) {
      error(m_flag.span, "bad-mount-target", "a mount cannot be the root directory");
    }
    if (type == Type::secret || type == Type::ssh) {
      check_identity();
    } else if (type == Type::cache && m_mount.id.empty()) {
      m_mount.id = m_mount.target;
    }
  }

  /// The id of a secret is its `id`, its `source` or the last part of its target.
  void check_identity() {
    if (m_mount.type == Type::secret && !m_mount.source.empty() && !m_mount.id.empty()) {
      error(m_flag.span, "bad-mount-option", "a secret mount has 'source' or 'id', not both");
    }
    if (!m_mount.source.empty()) {
      m_mount.id = std::exchange(m_mount.source, {});
    }
    if (!m_mount.id.empty()) {
      return;
    }
    if (m_mount.type == Type::ssh) {
      m_mount.id = "default";
      return;
    }
    for (const auto part : split(m_mount.target, '/')) {
      m_mount.id = part.empty() ? m_mount.id : std::string(part);
    }
    if (m_mount.id.empty()) {
      error(m_flag.span, "missing-mount-id", "a secret mount needs to know which secret", "add 'id=NAME'");
    }
  }

  const std::shared_ptr<const SourceText>& m_source;
  const MountFlag& m_flag;
  Diagnostics& m_diagnostics;
  std::size_t m_errors_before;
  std::vector<ResolvedOption> m_options;
  Mount m_mount;
};

/// Cuts a comma separated list; a field may be in double quotes, with "" for a quote. Nothing if quotes are wrong.
std::optional<std::vector<std::pair<Range, std::string>>> fields_of(std::string_view text) {
  std::vector<std::pair<Range, std::string>> fields;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const auto begin = at;
    std::string field;
    if (at < text.size() && text[at] == '"') {
      for (++at; at < text.size() && (text[at] != '"' || text.substr(at, 2) == "\"\""); ++at) {
        if (text[at] == '"') {
          ++at;
        }
        field += text[at];
      }
      if (at++ >= text.size() || (at < text.size() && text[at] != ',')) {
        return std::nullopt;
      }
    } else {
      at = std::min(text.find(',', at), text.size());
      field = text.substr(begin, at - begin);
      if (field.find('"') != std::string::npos) {
        return std::nullopt;
      }
    }
    fields.emplace_back(Range{begin, at}, std::move(field));
  }
  return fields;
}

} // namespace

std::optional<MountFlag> parse_mount(const std::shared_ptr<const SourceText>& source, const LogicalLine& line,
                                     const Flag& flag, Diagnostics& diagnostics) {
  const auto value = flag.value.value_or(Word{});
  if (value.text.empty()) {
    diagnostics.error(source, flag.span, "missing-value", "the flag '--mount' has no value",
                      "write '--mount=type=cache,target=/path', for example");
    return std::nullopt;
  }
  const auto fields = fields_of(value.text);
  if (!fields) {
    diagnostics.error(source, value.span, "bad-mount", "the quotes of this '--mount' are not balanced");
    return std::nullopt;
  }
  // A place is exact if nothing was taken off the value and its part; else it is the whole value.
  const bool exact = line.text(flag.value_range) == value.text;
  MountFlag mount;
  mount.span = flag.span;
  bool variables = false;
  for (const auto& [range, text] : *fields) {
    const auto equals = text.find('=');
    const bool is_plain = exact && range.size() == text.size();
    const auto place = [&, begin = flag.value_range.begin + range.begin](std::size_t from, std::size_t to) {
      return is_plain ? line.span({begin + from, begin + to}) : value.span;
    };
    MountFlag::Option option;
    const auto name_end = std::min(equals, text.size());
    option.name = {text.substr(0, name_end), place(0, name_end)};
    if (equals != std::string::npos) {
      option.value = {text.substr(equals + 1), place(equals + 1, text.size())};
      variables = variables || option.value->text.find('$') != std::string::npos;
    }
    mount.options.push_back(std::move(option));
  }
  const bool good = variables ? check_names(source, mount, diagnostics)
                              : resolve_mount(
                                    source, mount, [](const Word& word) { return word.text; }, diagnostics)
                                    .has_value();
  return good ? std::optional(std::move(mount)) : std::nullopt;
}

std::optional<Mount> resolve_mount(const std::shared_ptr<const SourceText>& source, const MountFlag& flag,
                                   const ExpandWord& expand, Diagnostics& diagnostics) {
  return MountResolver(source, flag, diagnostics).run(expand);
}

} // namespace sheaf::containerfile
