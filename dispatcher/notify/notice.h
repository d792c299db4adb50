// What is told to people who are not looking: a line of the ledger's log that needs a person, as a notice.
//
// A notice is made from one event and nothing else, so that the same event is the same notice with the same
// id, told by whichever dispatcher reads it. Its texts are what others wrote (a worker's question, the reason
// of a gate): they are shown without control characters and marks that turn the direction of writing, and
// cut.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/core/attempt.h"

namespace holdfast {

enum class NoticeKind {
  question,    // a worker asks
  blocked,     // a ticket was given up, or kept from being landed
  stranded,    // commits of a ticket are on no target
  unknown,     // nobody can tell whether a runtime lives, for too long
  undying,     // killed, and still there
  drift,       // the board said todo beside a live runtime, and was put right
  crash_loop,  // attempts die young one after the other: nothing new is begun for a while
  attention,  // anything else that a runtime shows to a person: a permission, silence, an unverified delivery
};

struct Notice {
  NoticeKind kind = NoticeKind::attention;
  std::int64_t seq = 0;  // of the event
  Instant at;
  AttemptId attempt;  // without a ticket: the installation's
  std::string words;  // one line, as it was written: hostile
};

const char* words_for(NoticeKind);  // "crash_loop"; stable
std::optional<NoticeKind> notice_kind_from(std::string_view);
const std::vector<NoticeKind>& notice_kinds();

// nullopt: nobody needs to be told.
std::optional<Notice> notice_of(const LedgerEvent&);

// "T-1 asks: which file?": one line.
std::string summary_of(const Notice&);

// Tells a notice from every other one, of any installation; a receiver that has seen it drops it.
std::string id_of(const Notice&, const std::string& installation);

// The JSON that is sent. `title`: of its ticket, as far as known.
std::string body_of(const Notice&, const std::string& installation, const std::string& title);

}  // namespace holdfast
