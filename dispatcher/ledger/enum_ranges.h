// The largest number of every enumeration that is kept in the ledger file. A number beyond it (a hand-made
// row, a file from the future) is refused at reading; the tables' CHECKs refuse it at writing.
#pragma once

#include "dispatcher/core/attempt.h"

namespace holdfast::sqlite {

template <class E>
inline constexpr int last_enumerator = -1;
template <>
inline constexpr int last_enumerator<Phase> = static_cast<int>(Phase::closed);
template <>
inline constexpr int last_enumerator<Step> = static_cast<int>(Step::spawn_begun);
template <>
inline constexpr int last_enumerator<Cause> = static_cast<int>(Cause::unknown);
template <>
inline constexpr int last_enumerator<StopWish> = static_cast<int>(StopWish::cancel);
template <>
inline constexpr int last_enumerator<Ending> = static_cast<int>(Ending::kill_sent);
template <>
inline constexpr int last_enumerator<Said> = static_cast<int>(Said::question);
template <>
inline constexpr int last_enumerator<BoardState> = static_cast<int>(BoardState::cancelled);
template <>
inline constexpr int last_enumerator<SlotState> = static_cast<int>(SlotState::quarantined);
template <>
inline constexpr int last_enumerator<MessageKind> = static_cast<int>(MessageKind::note);
template <>
inline constexpr int last_enumerator<MessageState> = static_cast<int>(MessageState::dropped);

}  // namespace holdfast::sqlite
