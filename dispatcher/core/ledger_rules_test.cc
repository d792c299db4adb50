// Every write from every stage of an attempt: which ones the ledger's rules let through, what they change,
// and that an old generation changes nothing.
#include "dispatcher/core/ledger_rules.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dispatcher/core/ledger_rules_kit.h"

namespace holdfast {
namespace {

using kit::Stage;

constexpr Instant later{50'000};
const AttemptId first{{"T-1"}, {1}};

// The rows of one ticket, kept as an adapter keeps them.
struct Rows {
  LedgerView view;

  void take(const LedgerDelta& delta) {
    if (delta.attempt) view.newest = delta.attempt;
    if (delta.memory) view.memory = *delta.memory;
    for (const Slot& slot : delta.slots) {
      view.slot = slot;
      view.leased = slot.state == SlotState::leased ? std::optional(slot) : std::nullopt;
      view.first_free = slot.state == SlotState::free ? std::optional(slot) : std::nullopt;
    }
    for (const Message& message : delta.messages) {
      view.message = message;
      view.undelivered = {message};
    }
  }

  auto write(const LedgerWrite& w, Instant now) {
    auto delta = apply(seen_by(w), w, now);
    if (delta) take(*delta);
    return delta;
  }

  // What an adapter would read for this write.
  [[nodiscard]] LedgerView seen_by(const LedgerWrite& w) const {
    LedgerView seen = view;
    if (std::holds_alternative<QueueMessage>(w)) seen.message.reset();
    return seen;
  }
};

Rows rows_at(Stage stage) {
  Rows rows;
  rows.view.first_free = kit::free_slot(1);
  EXPECT_TRUE(rows.write(kit::claim_of("T-1"), {1000}));
  std::int64_t at = 1000;
  for (const LedgerWrite& w : kit::way_to(stage, first)) {
    const auto delta = rows.write(w, {at += 1000});
    EXPECT_TRUE(delta) << kit::name_of(stage) << ": " << (delta ? "" : delta.error().words);
  }
  return rows;
}

// '+' done, '=' nothing to do, 'c' conflict, 's' stale, 'e' exhausted, 'i' invalid.
char letter(const std::expected<LedgerDelta, LedgerNo>& answer) {
  if (answer) return *answer == LedgerDelta{} ? '=' : '+';
  switch (answer.error().why) {
    case LedgerRefusal::conflict: return 'c';
    case LedgerRefusal::stale: return 's';
    case LedgerRefusal::exhausted: return 'e';
    case LedgerRefusal::invalid: return 'i';
  }
  __builtin_unreachable();
}

struct Row {
  const char* write;
  const char* answers;  // one letter for each stage, in the order of kit::all_stages
};

// clang-format off
//                      claimed, spawn_begun, newborn, ready, running, waiting, finished, finished_dead, lost, closed, settled
constexpr Row table[] = {
    {"Claim",           "cccccccccc+"},
    {"BeginSpawn",      "+cccccccc" "ss"},
    {"RecordNewborn",   "i+ccccccc" "ss"},
    {"RecordReady",     "cc+cccccc" "ss"},
    {"RecordRunning",   "ccc+c+ccc" "ss"},
    {"RecordWaiting",   "ccc+++ccc" "ss"},
    {"RecordFinished",  "cc++++ccc" "ss"},
    {"RecordLost",      "++++++ccc" "ss"},
    {"RecordDeath",     "cccccc+cc" "ss"},
    {"RecordWish",      "+++++++++" "ss"},
    {"RecordEnding",    "+++++++++" "ss"},
    {"RecordAttention", "+++++++++" "ss"},
    {"DeclareDead",     "+++++++cc" "ss"},
    {"QueueMessage",    "++++++ccc" "ss"},
    {"MoveMessage",     "+++++++++" "ss"},
    {"Close",           "cccccci++" "ss"},
    {"Settle",          "iiiiiiiii" "+="},
    {"StoreSlot",       "ccccccccc" "++"},
    {"StoreServer",     "+++++++++" "++"},
    {"PauseAccount",    "+++++++++" "++"},
    {"StoreBreaker",    "+++++++++" "++"},
    {"Retry",           "ccccccccc" "++"},
    {"Waive",           "+++++++++" "++"},
    {"Note",            "+++++++++" "++"},
};
// clang-format on

TEST(LedgerRules, EveryWriteFromEveryStageAnswersAsTheTableSays) {
  const auto writes = kit::one_of_each(first);
  ASSERT_EQ(writes.size(), std::variant_size_v<LedgerWrite>);
  ASSERT_EQ(std::size(table), writes.size());
  for (std::size_t w = 0; w < writes.size(); ++w) {
    ASSERT_EQ(writes[w].write.index(), w) << "one of each kind, in their order";
    ASSERT_STREQ(table[w].write, writes[w].name);
    std::string answers;
    for (const Stage stage : kit::all_stages) {
      const Rows rows = rows_at(stage);
      answers += letter(apply(rows.seen_by(writes[w].write), writes[w].write, later));
    }
    EXPECT_EQ(answers, table[w].answers) << writes[w].name;
  }
}

TEST(LedgerRules, AnOldGenerationChangesNothingFromAnyStage) {
  for (const Stage stage : kit::all_stages) {
    Rows rows = rows_at(stage);
    rows.view.newest->id.generation = {2};  // a later claim of the same ticket
    for (const auto& [name, write] : kit::one_of_each(first)) {
      const auto answer = apply(rows.seen_by(write), write, later);
      const bool about_the_attempt = write.index() >= 1 && write.index() <= 16;  // BeginSpawn ... Settle
      if (!about_the_attempt) continue;
      EXPECT_EQ(letter(answer), 's') << name << " at " << kit::name_of(stage);
    }
  }
}

TEST(LedgerRules, AFutureGenerationIsNobody) {
  const Rows rows = rows_at(Stage::running);
  for (const auto& [name, write] : kit::one_of_each({{"T-1"}, {7}}))
    if (write.index() >= 1 && write.index() <= 16) {
      EXPECT_EQ(letter(apply(rows.seen_by(write), write, later)), 's') << name;
    }
}

TEST(LedgerRules, NoWriteChangesWhoAnAttemptIs) {
  for (const Stage stage : kit::all_stages) {
    const Rows rows = rows_at(stage);
    const Attempt& was = *rows.view.newest;
    for (const auto& [name, write] : kit::one_of_each(first)) {
      const auto delta = apply(rows.seen_by(write), write, later);
      if (!delta || !delta->attempt || std::holds_alternative<Claim>(write)) continue;
      const Attempt& is = *delta->attempt;
      EXPECT_EQ(std::tie(was.id, was.slot, was.token, was.branch, was.session, was.shard, was.claimed_at),
                std::tie(is.id, is.slot, is.token, is.branch, is.session, is.shard, is.claimed_at))
          << name;
      EXPECT_EQ(is.revision, was.revision + 1) << name;
      EXPECT_EQ(is.changed_at, later) << name;
    }
  }
}

TEST(LedgerRules, EveryChangeAppendsALineToTheLog) {
  for (const Stage stage : kit::all_stages) {
    const Rows rows = rows_at(stage);
    for (const auto& [name, write] : kit::one_of_each(first)) {
      const auto delta = apply(rows.seen_by(write), write, later);
      if (!delta || *delta == LedgerDelta{}) continue;
      EXPECT_FALSE(delta->events.empty()) << name;
    }
  }
}

TEST(LedgerRules, ARepeatedWriteNeverHappensTwice) {
  // What a dispatcher repeats because the answer was lost is refused, or changes nothing.
  const char* repeatable[] = {
      "RecordWish", "StoreServer", "PauseAccount", "StoreBreaker",
      "Retry",      "Waive",       "Note"};  // the same again, and one more line in the log
  for (const Stage stage : kit::all_stages)
    for (const auto& [name, write] : kit::one_of_each(first)) {
      Rows rows = rows_at(stage);
      if (!rows.write(write, later)) continue;
      Rows after = rows;
      auto again = write;
      if (auto* queued = std::get_if<QueueMessage>(&again); queued != nullptr) {
        EXPECT_EQ(letter(apply(rows.view, again, later)), 'c');  // the message is there now
        continue;
      }
      const auto second = after.write(again, later);
      const bool harmless =
          std::ranges::any_of(repeatable, [&](const char* r) { return r == std::string(name); });
      EXPECT_TRUE(!second || *second == LedgerDelta{} || harmless) << name << " at " << kit::name_of(stage);
    }
}

TEST(LedgerRules, GenerationsGrowPastEverythingEverSeen) {
  Rows rows = rows_at(Stage::settled);
  rows.view.first_free = kit::free_slot(1);
  Claim claim = kit::claim_of("T-1");
  EXPECT_EQ(apply(rows.view, claim, later)->attempt->id.generation, Generation{2});
  claim.floor = {9};
  EXPECT_EQ(apply(rows.view, claim, later)->attempt->id.generation, Generation{10});
  rows.view.memory.last = {40};
  EXPECT_EQ(apply(rows.view, claim, later)->attempt->id.generation, Generation{41});
  rows.view.newest.reset();
  EXPECT_EQ(apply(rows.view, claim, later)->attempt->id.generation, Generation{41});
}

TEST(LedgerRules, AClaimLeasesTheSlotAndQueuesThePrompt) {
  LedgerView view;
  view.first_free = kit::free_slot(3);
  const auto delta = apply(view, kit::claim_of("T-1"), {1000});
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->attempt->phase, Phase::planned);
  EXPECT_EQ(delta->attempt->slot, SlotId{"slot-003"});
  EXPECT_EQ(delta->attempt->session, SessionName{"hf-T-1-g1"});
  ASSERT_EQ(delta->slots.size(), 1U);
  EXPECT_EQ(delta->slots[0].state, SlotState::leased);
  EXPECT_EQ(delta->slots[0].holder, first);
  ASSERT_EQ(delta->messages.size(), 1U);
  EXPECT_EQ(delta->messages[0].state, MessageState::queued);
  EXPECT_EQ(delta->memory->last, Generation{1});
}

TEST(LedgerRules, AClaimWithoutAFreeSlotWaits) {
  EXPECT_EQ(letter(apply({}, kit::claim_of("T-1"), later)), 'e');
}

TEST(LedgerRules, AHostileTicketIdIsRefusedAtEveryDoor) {
  LedgerView view;
  view.first_free = kit::free_slot(1);
  for (const char* id : {"", "../x", "a b", "-x", "T-1-g2", "t\n"}) {
    EXPECT_EQ(letter(apply(view, kit::claim_of(id), later)), 'i') << id;
    EXPECT_EQ(letter(apply(view, Retry{{id}, "alice"}, later)), 'i') << id;
    EXPECT_EQ(letter(apply(view, Waive{{id}, "b", "alice"}, later)), 'i') << id;
  }
}

TEST(LedgerRules, ACertificateAboutAnotherAttemptIsRefused) {
  const Rows rows = rows_at(Stage::running);
  const RecordLost foreign{first, kit::certificate_for({{"T-2"}, {1}})};
  EXPECT_EQ(letter(apply(rows.view, foreign, later)), 's');
  const Rows finished = rows_at(Stage::finished);
  const RecordDeath older{first, kit::certificate_for({{"T-1"}, {9}})};
  EXPECT_EQ(letter(apply(finished.view, older, later)), 's');
}

TEST(LedgerRules, MessagesAreNeverSentAgainOnAGuess) {
  //                    to:    queued posted delivered unverified dropped
  const std::pair<MessageState, const char*> moves[] = {{MessageState::queued, "+++++"},
                                                        {MessageState::posted, "+c+++"},
                                                        {MessageState::delivered, "ccccc"},
                                                        {MessageState::unverified, "cc+c+"},
                                                        {MessageState::dropped, "ccccc"}};
  Rows rows = rows_at(Stage::running);
  for (const auto& [from, answers] : moves) {
    rows.view.message->state = from;
    std::string got;
    for (int to = 0; to <= 4; ++to)
      got += letter(apply(
          rows.view, MoveMessage{first, rows.view.message->id, static_cast<MessageState>(to), "other words"},
          later));
    EXPECT_EQ(got, answers) << words_for(from);
  }
}

TEST(LedgerRules, ARefusedDeliveryIsCounted) {
  Rows rows = rows_at(Stage::running);
  ASSERT_TRUE(rows.write(MoveMessage{first, rows.view.message->id, MessageState::posted, ""}, later));
  const auto back =
      apply(rows.view, MoveMessage{first, rows.view.message->id, MessageState::queued, "409"}, later);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->messages[0].conflicts, 1);
  EXPECT_EQ(back->messages[0].state, MessageState::queued);
}

TEST(LedgerRules, ALeasedSlotIsFreedByNobodyButTheClose) {
  const Rows rows = rows_at(Stage::running);
  for (const SlotState state : {SlotState::free, SlotState::quarantined, SlotState::leased})
    EXPECT_EQ(letter(apply(rows.view, StoreSlot{{{"slot-001"}, state, {}, "/pool/slot-001", ""}}, later)),
              'c');
  EXPECT_EQ(letter(apply(rows.view, StoreSlot{*rows.view.slot}, later)), '=');
  LedgerView nothing;
  EXPECT_EQ(letter(apply(nothing, StoreSlot{{{"s"}, SlotState::leased, first, "/s", ""}}, later)), 'i');
  EXPECT_EQ(letter(apply(nothing, StoreSlot{{{""}, SlotState::free, {}, "/s", ""}}, later)), 'i');
}

TEST(LedgerRules, ACloseGivesTheSlotBackAndDropsWhatWasNotDelivered) {
  Rows rows = rows_at(Stage::lost);
  rows.view.memory.waived = {"hf/T-1-other-g1"};
  const auto delta = apply(rows.view, kit::close_of(first), later);
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->slots[0].state, SlotState::free);
  EXPECT_EQ(delta->slots[0].holder, AttemptId{});
  EXPECT_EQ(delta->messages[0].state, MessageState::dropped);
  EXPECT_EQ(delta->memory->waived, rows.view.memory.waived) << "a person's waiver, perhaps written meanwhile";
  EXPECT_EQ(delta->memory->last, Generation{1});
  EXPECT_FALSE(delta->attempt->settled);

  Close quarantine = kit::close_of(first, std::nullopt);
  quarantine.slot_after = SlotState::quarantined;
  const auto kept = apply(rows.view, quarantine, later);
  EXPECT_EQ(kept->slots[0].holder, first);
  EXPECT_FALSE(kept->attempt->settled) << "whether there is nothing to be told is looked at once more";

  Close leased = kit::close_of(first);
  leased.slot_after = SlotState::leased;
  EXPECT_EQ(letter(apply(rows.view, leased, later)), 'i');
  rows.view.leased.reset();
  EXPECT_EQ(letter(apply(rows.view, kit::close_of(first), later)), 's');
}

TEST(LedgerRules, DeclaringADeathNeedsANameAndTheEvidence) {
  const Rows rows = rows_at(Stage::running);
  const Doubt doubt = kit::doubt_for(first, later);
  EXPECT_EQ(letter(apply(rows.view, DeclareDead{first, doubt, "", "seen"}, later)), 'i');
  EXPECT_EQ(letter(apply(rows.view, DeclareDead{first, doubt, "bob", ""}, later)), 'i');
  EXPECT_EQ(letter(apply(rows.view, DeclareDead{first, doubt, "bob", "seen"}, later)), '+');
}

TEST(LedgerRules, DeclaringADeathNeedsADoubtOfJustNowAboutThatAttempt) {
  const Rows rows = rows_at(Stage::running);
  const AttemptId other{first.ticket, {first.generation.value + 1}};
  const auto with = [&](const Doubt& doubt) {
    return letter(apply(rows.view, DeclareDead{first, doubt, "bob", "seen"}, later));
  };
  EXPECT_EQ(with(kit::doubt_for(other, later)), 'i');
  EXPECT_EQ(with(kit::doubt_for(first, later + millis(1))), 'i');
  EXPECT_EQ(with(kit::doubt_for(first, Instant{later.ms - doubt_lasts.ms - 1})), 'i');
}

TEST(LedgerRules, ARetryForgivesWhatItCostButKeepsTheGeneration) {
  Rows rows = rows_at(Stage::settled);
  const auto delta = apply(rows.view, Retry{{"T-1"}, "alice"}, later);
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->memory->charged, 0);
  EXPECT_EQ(delta->memory->not_before, Instant{});
  EXPECT_EQ(delta->memory->last, Generation{1});
  EXPECT_EQ(delta->memory->continue_from, BranchName{"hf/T-1-old-g1"});
}

TEST(LedgerRules, WhatCannotBeLearnedAgainIsFsynced) {
  const char* fsynced[] = {"Claim",      "BeginSpawn",   "RecordLost",  "RecordDeath",
                           "RecordWish", "RecordEnding", "DeclareDead", "QueueMessage",
                           "Close",      "StoreSlot",    "Retry",       "Waive"};
  for (const auto& [name, write] : kit::one_of_each(first)) {
    const bool wanted = std::ranges::any_of(fsynced, [&](const char* f) { return f == std::string(name); });
    EXPECT_EQ(durability_of(write) == Durability::fsynced, wanted) << name;
  }
}

TEST(LedgerRules, EveryWriteButTheInstallationsNamesItsTicket) {
  for (const auto& [name, write] : kit::one_of_each(first)) {
    const bool installation = std::holds_alternative<StoreSlot>(write) ||
                              std::holds_alternative<StoreServer>(write) ||
                              std::holds_alternative<StoreBreaker>(write);
    EXPECT_EQ(ticket_of(write), installation ? TicketId{} : first.ticket) << name;
  }
}

}  // namespace
}  // namespace holdfast
