// How those words for a person begin that somebody else goes by (what is told outside): one spelling for who
// writes them and who reads them.
#pragma once

#include <string_view>

namespace holdfast {

// Of an attempt's attention.
inline constexpr std::string_view told_unknown = "nobody can tell whether it lives";
inline constexpr std::string_view told_undying = "it does not die";
inline constexpr std::string_view told_attached = "a person is attached";
// Of the reason of a ticket in review.
inline constexpr std::string_view told_stranded = "stranded commits of the ticket";
// Of the reason of a move that puts right what the board says, and of one that nobody else has made.
inline constexpr std::string_view told_kept = "its runtime is not dead: kept";
inline constexpr std::string_view told_ended = "its attempt has ended";
// Of the breaker's cause: nothing new is begun for a while.
inline constexpr std::string_view told_crash_loop = "too many attempts died young";

}  // namespace holdfast
