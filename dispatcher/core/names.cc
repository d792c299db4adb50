#include "dispatcher/core/names.h"

#include <algorithm>
#include <charconv>

namespace holdfast {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Splits "<head>-g<digits>"; digits have no leading zero, so that every key has one spelling.
std::optional<std::pair<std::string_view, Generation>> split_generation(std::string_view text) {
  const auto at = text.rfind("-g");
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  const std::string_view digits = text.substr(at + 2);
  if (digits.empty() || digits.size() > 9 || digits.front() == '0') return std::nullopt;
  Generation generation;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), generation.value);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  return std::pair{text.substr(0, at), generation};
}

}  // namespace

std::optional<std::string> what_is_wrong_with_ticket_id(std::string_view id) {
  if (id.empty()) return "is empty";
  if (id.size() > 64) return "is longer than 64 characters";
  if (!is_alnum(id.front())) return "must begin with a letter or a digit";
  if (!std::ranges::all_of(id, [](char c) { return is_alnum(c) || c == '_' || c == '-'; }))
    return "may hold only letters, digits, '_' and '-'";
  if (split_generation(id)) return "must not end in '-g' and a number (that is how attempts are named)";
  return std::nullopt;
}

SessionName session_name(const AttemptId& attempt) {
  return {"hf-" + attempt_key(attempt)};
}

std::string attempt_key(const AttemptId& attempt) {
  return attempt.ticket.value + "-g" + std::to_string(attempt.generation.value);
}

std::optional<AttemptId> parse_attempt_key(std::string_view key) {
  const auto split = split_generation(key);
  if (!split || what_is_wrong_with_ticket_id(split->first)) return std::nullopt;
  return AttemptId{{std::string(split->first)}, split->second};
}

BranchName branch_name(const AttemptId& attempt, std::string_view title) {
  std::string slug;
  for (const char c : title) {
    if (slug.size() >= 40) break;
    if (is_alnum(c))
      slug += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!slug.empty() && slug.back() != '.')
      slug += '.';
  }
  while (!slug.empty() && slug.back() == '.') slug.pop_back();
  if (slug.empty()) slug = "work";
  return {"hf/" + attempt.ticket.value + "-" + slug + "-g" + std::to_string(attempt.generation.value)};
}

std::optional<AttemptId> parse_branch(std::string_view branch) {
  if (!branch.starts_with("hf/")) return std::nullopt;
  const auto split = split_generation(branch.substr(3));
  if (!split) return std::nullopt;
  const auto dash = split->first.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view ticket = split->first.substr(0, dash);
  if (what_is_wrong_with_ticket_id(ticket)) return std::nullopt;
  return AttemptId{{std::string(ticket)}, split->second};
}

}  // namespace holdfast
