// A world of maps for tests of the core alone: a ledger by the rules, a board with versions, runners that
// obey. It shows how effects follow one another; whether they hold in the real world is for the end-to-end
// tests.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/names.h"
#include "dispatcher/core/schedule.h"

namespace holdfast {

class ToyWorld {
 public:
  Instant now{1'000'000};
  std::map<TicketId, BoardTicket> board;
  std::map<TicketId, TicketLedger> ledger;
  std::map<TicketId, std::vector<Attempt>> history;
  std::map<SlotId, Slot> slots;
  Breaker breaker;
  std::map<AttemptId, RecordSighting> records;
  std::map<AttemptId, std::string> streams, hook;
  std::map<AttemptId, bool> processes;  // something of it lives
  std::map<SessionName, PaneSighting> sessions;
  std::map<AttemptId, std::vector<std::string>> posted;
  std::vector<std::string> trace;  // what was asked, in order
  BranchFacts facts;
  // What a closing pin finds besides the branch's tip: a line of commits that is stranded from then on.
  std::optional<CommitId> left_elsewhere;
  // What to answer instead; `effect_happens` says whether the world changes all the same.
  struct Fault {
    RawReply raw;
    bool effect_happens = true;
  };
  std::function<std::optional<Fault>(const Effect&)> fault;
  // Of each ticket, what the board's list last showed of it: it is told again only where it has changed.
  std::map<TicketId, BoardTicket> listed;

  explicit ToyWorld(int capacity);
  void add(const std::string& id, BoardState state = BoardState::todo);
  Answer perform(const Effect&);
  // The worker's acts.
  void say(const TicketId&, const std::string& line);
  void exit(const TicketId&, int code);
  [[nodiscard]] const Attempt* newest(const TicketId&) const;
  [[nodiscard]] int live_runtimes(const TicketId&) const;

 private:
  std::int64_t seq_ = 0;
};

Policy toy_policy(int capacity);

// Feeds answers back until nothing is left to do at this moment, then lets `span` pass, wake-up by wake-up.
void run_for(Brain&, ToyWorld&, Duration span);

}  // namespace holdfast
