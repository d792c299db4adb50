// What a person (or a file) may put on the board. Everything here ends up in terminals, file names, refs and
// other people's pages, so it is refused at the door or never.
//
// Each function says what is wrong in words that follow the field's name ("is empty"); nullopt: it is fine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/core/board_ticket.h"

namespace holdfast {

using Wrong = std::optional<std::string>;

inline constexpr std::size_t title_bytes_max = 500;
inline constexpr std::size_t body_bytes_max = 16UL << 20;
inline constexpr std::size_t text_bytes_max = 1UL << 20;  // a comment, a reason
inline constexpr std::size_t label_bytes_max = 64;
inline constexpr std::size_t list_max = 1000;  // labels or dependencies of one ticket

Wrong what_is_wrong_with_title(std::string_view);
Wrong what_is_wrong_with_body(std::string_view);
Wrong what_is_wrong_with_text(std::string_view);  // may be empty
Wrong what_is_wrong_with_label(std::string_view);
Wrong what_is_wrong_with_profile(std::string_view);  // empty: the installation's default
Wrong what_is_wrong_with_person(std::string_view);   // a name, or empty

// Field and words of the first thing that is wrong with a ticket, whether its dependencies exist aside.
struct WrongField {
  std::string path;  // JSON pointer: "/labels/1"
  std::string words;
};
std::optional<WrongField> what_is_wrong_with(const BoardTicket&);

bool is_utf8(std::string_view);

}  // namespace holdfast
