// For tests of the ledger's rules and of every ledger: certificates, the way into each phase, and one write
// of each kind.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "dispatcher/core/ledger_rules.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/verdict.h"
#include "dispatcher/core/words.h"

namespace holdfast::kit {

inline DeathCertificate certificate_for(const AttemptId& id, Cause cause = Cause::exit_code, int code = 3) {
  Attempt dead;  // certify() believes a death that the ledger holds already
  dead.id = id;
  dead.cause = cause;
  dead.exit_code = code;
  dead.evidence = "runner's record: it ended";
  dead.died_at = {5000};
  return certify(dead, {}, {5000}).value();
}

inline Doubt doubt_for(const AttemptId& id, Instant now = {5000}) {
  Attempt spawned;
  spawned.id = id;
  spawned.step = Step::spawn_begun;
  return doubt_about(spawned, {}, now, now).value();
}

inline Claim claim_of(const std::string& ticket) {
  Claim w;
  w.ticket = {ticket};
  w.title = "Fix the parser: it's broken";
  w.profile = "agent";
  w.prompt = "Do the work.\nSay DONE.";
  w.start = "main";
  w.shard = 1;
  w.token = "token-of-" + ticket;
  return w;
}

inline Slot free_slot(int number) {
  const std::string name = "slot-00" + std::to_string(number);
  return {{name}, SlotState::free, {}, "/pool/" + name, ""};
}

inline ProcessIdentity process(std::int64_t pid) {
  return {"boot-1", "pid:[4026531836]", pid, 77'000'000'000'000'000'00U};
}

inline Close close_of(const AttemptId& id, std::optional<BoardState> disposition = BoardState::todo) {
  Close w;
  w.attempt = id;
  w.disposition = disposition;
  w.reason = "exited with 3; tried again";
  w.last_words = std::string("panic: \0 and \xff bytes", 20);
  w.branch_facts = "2 commits, clean";
  w.salvage_refs = {"refs/holdfast/salvage/T-1/g1/index", "refs/holdfast/keep/T-1/g1/tip"};
  w.memory.charged = 1;
  w.memory.not_before = {90'000};
  w.memory.continue_from = {"hf/T-1-old-g1"};
  return w;
}

inline Message answer_for(const AttemptId& id) {
  Message message;
  message.id = {attempt_key(id) + "-answer"};
  message.attempt = id;
  message.kind = MessageKind::answer;
  message.text = "yes, go on";
  message.by = "alice";
  return message;
}

// Every row state that the rules tell apart.
enum class Stage {
  claimed,
  spawn_begun,
  newborn,
  ready,
  running,
  waiting,
  finished,
  finished_dead,
  lost,
  closed,
  settled
};
inline constexpr std::array all_stages{
    Stage::claimed,  Stage::spawn_begun,   Stage::newborn, Stage::ready,  Stage::running, Stage::waiting,
    Stage::finished, Stage::finished_dead, Stage::lost,    Stage::closed, Stage::settled};

inline const char* name_of(Stage stage) {
  switch (stage) {
    case Stage::claimed: return "claimed";
    case Stage::spawn_begun: return "spawn_begun";
    case Stage::newborn: return "newborn";
    case Stage::ready: return "ready";
    case Stage::running: return "running";
    case Stage::waiting: return "waiting";
    case Stage::finished: return "finished";
    case Stage::finished_dead: return "finished_dead";
    case Stage::lost: return "lost";
    case Stage::closed: return "closed";
    case Stage::settled: return "settled";
  }
  __builtin_unreachable();
}

// The writes that lead a claimed attempt there.
inline std::vector<LedgerWrite> way_to(Stage stage, const AttemptId& id) {
  std::vector<LedgerWrite> way;
  const auto then = [&](LedgerWrite w) { way.push_back(std::move(w)); };
  if (stage == Stage::claimed) return way;
  then(BeginSpawn{id, {"0123456789abcdef"}, "/pool/slot-001"});
  if (stage == Stage::spawn_begun) return way;
  then(RecordNewborn{id, {{1, 4242, 99}, "$1", "%1", 4243}});
  if (stage == Stage::newborn) return way;
  then(RecordReady{id, process(100), process(101), "/sys/fs/cgroup/hf"});
  if (stage == Stage::ready) return way;
  then(RecordRunning{id});
  if (stage == Stage::running) return way;
  if (stage == Stage::lost || stage == Stage::closed || stage == Stage::settled) {
    then(RecordLost{id, certificate_for(id)});
    if (stage == Stage::lost) return way;
    then(close_of(id));
    if (stage == Stage::settled) then(Settle{id});
    return way;
  }
  if (stage == Stage::waiting) {
    then(RecordWaiting{id, "which one?", 10});
    return way;
  }
  then(RecordFinished{id, Said::done, "all of it", 20});
  if (stage == Stage::finished_dead) then(RecordDeath{id, certificate_for(id, Cause::clean_exit, 0)});
  return way;
}

struct NamedWrite {
  const char* name;
  LedgerWrite write;
};

// One of each kind about this attempt, such that each can succeed from some stage.
inline std::vector<NamedWrite> one_of_each(const AttemptId& id) {
  return {{"Claim", claim_of(id.ticket.value)},
          {"BeginSpawn", BeginSpawn{id, {"fedcba9876543210"}, "/pool/slot-001"}},
          {"RecordNewborn", RecordNewborn{id, {}}},
          {"RecordReady", RecordReady{id, process(7), process(8), ""}},
          {"RecordRunning", RecordRunning{id}},
          {"RecordWaiting", RecordWaiting{id, "left or right?", 500}},
          {"RecordFinished", RecordFinished{id, Said::review, "please look", 600}},
          {"RecordLost", RecordLost{id, certificate_for(id, Cause::oom_kill, 9)}},
          {"RecordDeath", RecordDeath{id, certificate_for(id, Cause::signal, 15)}},
          {"RecordWish", RecordWish{id, StopWish::cancel, "alice: wrong ticket"}},
          {"RecordEnding", RecordEnding{id, Ending::term_sent}},
          {"RecordAttention", RecordAttention{id, "look at me"}},
          {"DeclareDead", DeclareDead{id, doubt_for(id), "bob", "I pulled the plug"}},
          {"QueueMessage", QueueMessage{answer_for(id)}},
          {"MoveMessage", MoveMessage{id, {attempt_key(id) + "-prompt"}, MessageState::posted, ""}},
          {"Close", close_of(id, BoardState::in_review)},
          {"Settle", Settle{id}},
          {"StoreSlot", StoreSlot{{{"slot-001"}, SlotState::quarantined, {}, "/pool/slot-001", "odd"}}},
          {"StoreServer", StoreServer{{2, 31337, 18'000'000'000'000'000'000U}, "started"}},
          {"PauseAccount", PauseAccount{{{"team"}, {99'000}, "limit reached"}, id}},
          {"StoreBreaker", StoreBreaker{{{{100}, {200}}, {7000}}, "three young deaths"}},
          {"Retry", Retry{id.ticket, "alice"}},
          {"Waive", Waive{id.ticket, "hf/T-1-old-g1", "alice"}},
          {"Note", Note{id, "stranded", "branch", "hf/T-1-old-g1 has 2 commits"}}};
}

}  // namespace holdfast::kit
