#include "dispatcher/board/ticket_checks.h"

#include <algorithm>
#include <set>

#include "dispatcher/core/names.h"

namespace holdfast {
namespace {

// The next code point, or -1 where the bytes are not UTF-8 (overlong forms, surrogates and what is beyond
// U+10FFFF included). Advances past it.
std::int32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
  const unsigned first = byte(at++);
  if (first < 0x80) return static_cast<std::int32_t>(first);
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || text.size() - at < static_cast<std::size_t>(more)) return -1;
  std::int32_t point = static_cast<std::int32_t>(first & (0x3FU >> more));
  for (int n = 0; n < more; ++n) {
    const unsigned next = byte(at++);
    if ((next & 0xC0U) != 0x80) return -1;
    point = (point << 6) | static_cast<std::int32_t>(next & 0x3FU);
  }
  constexpr std::int32_t smallest[] = {0, 0x80, 0x800, 0x10000};
  if (point < smallest[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return -1;
  return point;
}

bool is_control(std::int32_t point) {
  if ((point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069))
    return true;  // they change the order in which the rest of the line is read
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029;
}

// One line that a terminal can be given as it is.
Wrong wrong_line(std::string_view text, std::size_t most) {
  if (text.size() > most) return "is longer than " + std::to_string(most) + " bytes";
  for (std::size_t at = 0; at < text.size();) {
    const std::int32_t point = next_code_point(text, at);
    if (point < 0) return "is not valid UTF-8";
    if (is_control(point)) return "must not hold control characters or line breaks";
  }
  return std::nullopt;
}

Wrong wrong_text(std::string_view text, std::size_t most) {
  if (text.size() > most) return "is longer than " + std::to_string(most) + " bytes";
  if (text.find('\0') != std::string_view::npos) return "must not hold NUL";
  if (!is_utf8(text)) return "is not valid UTF-8";
  return std::nullopt;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();)
    if (next_code_point(text, at) < 0) return false;
  return true;
}

Wrong what_is_wrong_with_title(std::string_view title) {
  if (title.find_first_not_of(' ') == std::string_view::npos) return "is empty";
  return wrong_line(title, title_bytes_max);
}

Wrong what_is_wrong_with_body(std::string_view body) {
  return wrong_text(body, body_bytes_max);
}

Wrong what_is_wrong_with_text(std::string_view text) {
  return wrong_text(text, text_bytes_max);
}

Wrong what_is_wrong_with_label(std::string_view label) {
  if (label.empty()) return "is empty";
  if (label.find_first_of(" ,") != std::string_view::npos) return "must not hold blanks or commas";
  return wrong_line(label, label_bytes_max);
}

Wrong what_is_wrong_with_profile(std::string_view profile) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  };
  if (profile.size() > 64) return "is longer than 64 characters";
  if (!std::ranges::all_of(profile, allowed)) return "may hold only letters, digits, '_', '-' and '.'";
  return std::nullopt;
}

Wrong what_is_wrong_with_person(std::string_view name) {
  return wrong_line(name, 100);
}

std::optional<WrongField> what_is_wrong_with(const BoardTicket& t) {
  if (auto wrong = what_is_wrong_with_ticket_id(t.id.value)) return WrongField{"/id", *wrong};
  if (auto wrong = what_is_wrong_with_title(t.title)) return WrongField{"/title", *wrong};
  if (auto wrong = what_is_wrong_with_body(t.body)) return WrongField{"/body", *wrong};
  if (auto wrong = what_is_wrong_with_profile(t.profile)) return WrongField{"/profile", *wrong};
  if (auto wrong = what_is_wrong_with_text(t.reason)) return WrongField{"/reason", *wrong};
  if (t.labels.size() > list_max) return WrongField{"/labels", "are more than " + std::to_string(list_max)};
  std::set<std::string> labels;
  for (std::size_t n = 0; n < t.labels.size(); ++n) {
    const std::string path = "/labels/" + std::to_string(n);
    if (auto wrong = what_is_wrong_with_label(t.labels[n])) return WrongField{path, *wrong};
    if (!labels.insert(t.labels[n]).second) return WrongField{path, "is there twice"};
  }
  if (t.depends_on.size() > list_max)
    return WrongField{"/depends_on", "are more than " + std::to_string(list_max)};
  std::set<TicketId> dependencies;
  for (std::size_t n = 0; n < t.depends_on.size(); ++n) {
    const std::string path = "/depends_on/" + std::to_string(n);
    if (auto wrong = what_is_wrong_with_ticket_id(t.depends_on[n].value)) return WrongField{path, *wrong};
    if (t.depends_on[n] == t.id) return WrongField{path, "is the ticket itself"};
    if (!dependencies.insert(t.depends_on[n]).second) return WrongField{path, "is there twice"};
  }
  return std::nullopt;
}

}  // namespace holdfast
