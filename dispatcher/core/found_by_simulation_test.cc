// One test for each defect of the core that the simulator has found. Each is named after what was wrong.
#include <gtest/gtest.h>

#include <algorithm>

#include "dispatcher/core/gate.h"
#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/core/schedule.h"
#include "dispatcher/core/toy_world.h"

namespace holdfast {
namespace {

const TicketId t1{"T-1"};
const AttemptId g1{t1, {1}}, g2{t1, {2}};
const Instant noon{100'000'000};

// A ticket whose newest attempt is in this state, everything looked at a moment ago.
TicketKnowledge ticket_with(const AttemptId& id, Phase phase) {
  TicketKnowledge t;
  BoardTicket board;
  board.id = t1;
  board.state = BoardState::in_progress;
  board.version = 3;
  board.moved_by = attempt_key(id);
  t.board = board;
  Attempt a;
  a.id = id;
  a.phase = phase;
  a.step = Step::spawn_begun;
  a.spawned_at = a.changed_at = noon + millis(-100);
  t.newest = a;
  t.work.look_now = false;
  t.work.looked_at = noon;
  return t;
}

BranchFacts nothing_left() {
  BranchFacts facts;
  facts.has_commits = facts.uncommitted = facts.untracked = facts.operation_in_progress = facts.detached =
      Tri::no;
  return facts;
}

Knowledge knowing(TicketKnowledge t) {
  Knowledge k;
  k.now = noon;
  k.ledger_loaded = true;
  k.tickets[t1] = std::move(t);
  return k;
}

TEST(FoundBySimulation, AFullPoolWithMoreToDoDoesNotSpin) {
  ToyWorld world(1);
  Brain brain{toy_policy(1), {}, {}};
  world.add("T-1");
  world.add("T-2");
  run_for(brain, world, seconds(5));
  ASSERT_EQ(world.newest(t1)->phase, Phase::running);
  const Instant wake = next_wake(brain);
  EXPECT_TRUE(!wake.set() || wake > world.now + millis(-1))
      << "it would wake for ever and find nothing to do";
}

TEST(FoundBySimulation, ACertificateThatASpawnOvertookIsRefused) {
  Attempt claimed;
  claimed.id = g1;
  const auto certificate = certify(claimed, {}, noon);
  ASSERT_TRUE(certificate);
  EXPECT_TRUE(certificate->unless_announced());

  LedgerView view;
  view.newest = claimed;
  EXPECT_TRUE(apply(view, RecordLost{g1, *certificate}, noon));
  view.newest->step = Step::spawn_begun;
  const auto late = apply(view, RecordLost{g1, *certificate}, noon);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().why, LedgerRefusal::conflict);
  EXPECT_TRUE(apply(view, RecordLost{g1, kit::certificate_for(g1)}, noon)) << "a real death stays one";
}

TEST(FoundBySimulation, AnAnswerAboutAnOldAttemptSaysNothingAboutTheNewOne) {
  Knowledge k = knowing(ticket_with(g2, Phase::planned));
  Answer answer{SpawnSession{{}, g1},
                {Transport::answered, 0, "", ""},
                SpawnedPane{{0, 9, 1}, "$1", "%1", 5},
                noon,
                noon};
  absorb(k, answer, {});
  EXPECT_FALSE(k.tickets[t1].work.pane);
  EXPECT_FALSE(k.tickets[t1].work.spawn_tried);
  answer.effect = SpawnSession{{}, g2};
  absorb(k, answer, {});
  EXPECT_TRUE(k.tickets[t1].work.pane);
}

TEST(FoundBySimulation, AReviewDoesNotGoByFactsFromBeforeTheSalvage) {
  BranchFacts facts;
  facts.commits = 1;
  facts.has_commits = facts.ancestor_of_target = facts.stranded_known = Tri::yes;
  facts.uncommitted = facts.untracked = Tri::no;
  EXPECT_TRUE(seen_landed(facts, {}));
  facts.uncommitted = Tri::yes;
  EXPECT_FALSE(seen_landed(facts, {}));

  TicketKnowledge t = ticket_with(g1, Phase::lost);
  t.work.facts = facts;
  t.work.reviewed_at = noon;
  LedgerDelta closed;
  closed.attempt = t.newest;
  closed.attempt->phase = Phase::closed;
  closed.attempt->revision = 1;
  const Answer answer{WriteLedger{kit::close_of(g1)}, {Transport::answered, 0, "", ""}, closed, noon, noon};
  Knowledge nothing_saved = knowing(t);
  absorb(nothing_saved, answer, {});
  EXPECT_TRUE(nothing_saved.tickets[t1].work.facts) << "the review would begin by inspecting it once more";
  t.work.salvaged = Salvaged{};
  Knowledge k = knowing(t);
  absorb(k, answer, {});
  EXPECT_FALSE(k.tickets[t1].work.facts);
}

TEST(FoundBySimulation, AClockThatGoesBackHoldsNobodyForAsLong) {
  EXPECT_TRUE(still_waits(noon, noon + seconds(5), minutes(1)));
  EXPECT_FALSE(still_waits(noon, noon, minutes(1)));
  EXPECT_FALSE(still_waits(noon, noon + minutes(60), minutes(1))) << "nobody ever set so long a wait";

  ToyWorld world(1);
  Brain brain{toy_policy(1), {}, {}};
  world.add("T-1");
  run_for(brain, world, seconds(2));
  world.exit(t1, 3);
  absorb(brain, AttemptNews{g1});
  for (int i = 0; i < 200 && world.newest(t1)->phase != Phase::closed; ++i) run_for(brain, world, millis(5));
  ASSERT_EQ(world.newest(t1)->phase, Phase::closed);
  world.now = world.now + minutes(-60);
  run_for(brain, world, minutes(1));
  EXPECT_EQ(world.newest(t1)->id, g2);
}

TEST(FoundBySimulation, AnOldSightingFromAClockThatWentBackIsNotFresh) {
  std::optional<Seen<int>> seen = Seen<int>{1, noon + minutes(60)};
  EXPECT_FALSE(seen_within(seen, seconds(3), noon));
  seen->at = noon + seconds(-2);
  EXPECT_TRUE(seen_within(seen, seconds(3), noon));
  seen->at = noon + seconds(-4);
  EXPECT_FALSE(seen_within(seen, seconds(3), noon));
}

TEST(FoundBySimulation, AWriteThatChangedNothingIsReadAfter) {
  Knowledge k = knowing(ticket_with(g1, Phase::ready));
  const WriteLedger write{MoveMessage{g1, {"m"}, MessageState::posted, ""}};
  absorb(k, {write, {Transport::answered, 0, "", ""}, LedgerDelta{}, noon, noon}, {});
  EXPECT_TRUE(k.tickets[t1].ledger_unsure);
}

TEST(FoundBySimulation, ACancelledNewbornWhoseRunnerNeverCameIsSealed) {
  TicketKnowledge t = ticket_with(g1, Phase::newborn);
  t.newest->wish = StopWish::cancel;
  t.seen.record = Seen<RecordSighting>{{}, noon};
  Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<Seal>(*plan.effect)) << describe(*plan.effect);
  t.seen.record->what.decision = Decision::started;
  plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_FALSE(std::holds_alternative<Seal>(*plan.effect)) << describe(*plan.effect);
}

TEST(FoundBySimulation, ATicketClosedOnAnOldViewOfTheBoardIsToldAfterAll) {
  TicketKnowledge t = ticket_with(g1, Phase::closed);
  t.newest->cause = Cause::exit_code;
  t.newest->disposition = std::nullopt;  // "a person has moved it", said an old view
  Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  ASSERT_TRUE(std::holds_alternative<MoveTicket>(*plan.effect) ||
              std::holds_alternative<ReadTicket>(*plan.effect));
  t.work.board_read = true;
  plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  const auto* move = std::get_if<MoveTicket>(&*plan.effect);
  ASSERT_NE(move, nullptr) << describe(*plan.effect);
  EXPECT_EQ(move->to, BoardState::blocked);
}

TEST(FoundBySimulation, AnOldDispatcherDoesNotMoveTheBoardForAGenerationThatIsOver) {
  TicketKnowledge t = ticket_with(g1, Phase::closed);
  t.newest->cause = Cause::exit_code;
  t.newest->disposition = BoardState::todo;
  t.board->moved_by = attempt_key(g2);  // another one has begun the next attempt
  const Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_FALSE(std::holds_alternative<ReturnToTodo>(*plan.effect)) << describe(*plan.effect);
}

TEST(FoundBySimulation, ASessionWhoseSpawnsAnswerWasLostIsEndedAtClosing) {
  TicketKnowledge t = ticket_with(g1, Phase::lost);
  t.newest->cause = Cause::exit_code;
  t.newest->session = session_name(g1);
  PaneSighting pane;
  pane.session = t.newest->session;
  pane.session_id = "$7";
  t.seen.pane = Seen<PaneView>{{{0, 9, 1}, pane}, noon};
  t.work.facts = nothing_left();
  const Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  const auto* end = std::get_if<EndSession>(&*plan.effect);
  ASSERT_NE(end, nullptr) << describe(*plan.effect);
  EXPECT_EQ(end->session_id, "$7");
}

// It woke every millisecond for as long as the lock was held.
TEST(FoundBySimulation, ADeadAttemptThatWaitsAfterARestartSleepsUntilItsWaitIsOver) {
  Brain brain;
  brain.policy = toy_policy(1);
  TicketKnowledge t = ticket_with(g1, Phase::lost);
  t.newest->cause = Cause::exit_code;
  t.work.looked_at = {};
  t.hold_until = noon + millis(700);
  brain.knowledge = knowing(t);
  absorb(brain, News{AttemptNews{g1}});
  next_effects(brain, noon);
  ASSERT_TRUE(brain.agenda.alarm_of.contains(t1));
  EXPECT_EQ(brain.agenda.alarm_of.at(t1), noon + millis(700));
}

TEST(FoundBySimulation, ASessionThatTookUpTheNameOfTheFirstOneIsEndedToo) {
  // Two dispatchers spawned it one after the other; the row has the first one's id.
  TicketKnowledge t = ticket_with(g1, Phase::lost);
  t.newest->cause = Cause::exit_code;
  t.newest->session = session_name(g1);
  t.newest->server = {0, 9, 1};
  t.newest->session_id = "$1";
  PaneSighting pane;
  pane.session = t.newest->session;
  pane.session_id = "$2";
  pane.dead = true;
  t.seen.pane = Seen<PaneView>{{{0, 9, 1}, pane}, noon};
  t.work.facts = nothing_left();
  const Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  const auto* end = std::get_if<EndSession>(&*plan.effect);
  ASSERT_NE(end, nullptr) << describe(*plan.effect);
  EXPECT_EQ(end->session_id, "$2");
}

TEST(FoundBySimulation, ABoardThatIsToldTooLateThatAnAttemptBeganIsToldAgainThatItIsOver) {
  TicketKnowledge t = ticket_with(g1, Phase::closed);
  t.newest->cause = Cause::exit_code;
  t.newest->disposition = BoardState::todo;
  t.newest->settled = true;
  Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<ReturnToTodo>(*plan.effect)) << describe(*plan.effect);
  t.newest->id = g2;
  plan = decide(knowing(t), t1, toy_policy(1));
  EXPECT_TRUE(plan.effect) << "also in the name of an attempt before it";
  t.newest->id = g1;
  t.board->moved_by = "person:alice";
  plan = decide(knowing(t), t1, toy_policy(1));
  EXPECT_FALSE(plan.effect) << "what a person says stays";
  t.board->moved_by = attempt_key(g2);
  plan = decide(knowing(t), t1, toy_policy(1));
  EXPECT_FALSE(plan.effect) << "and what is said of an attempt that is not known here yet";
}

TEST(FoundBySimulation, ABoardThatSpeaksOfAnEarlierAttemptIsToldOfThisOneBeforeItIsSpawned) {
  // Else somebody who knows only the earlier one might put it back to todo beside the live runtime.
  TicketKnowledge t = ticket_with(g2, Phase::planned);
  t.newest->step = Step::claimed;
  t.newest->spawned_at = {};
  t.board->moved_by = attempt_key(g1);
  const Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  const auto* move = std::get_if<MoveTicket>(&*plan.effect);
  ASSERT_NE(move, nullptr) << describe(*plan.effect);
  EXPECT_EQ(move->to, BoardState::in_progress);
  EXPECT_EQ(move->key, attempt_key(g2));

  t.board->moved_by = "person";  // somebody's whole-row write
  const Plan again = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(again.effect);
  EXPECT_TRUE(std::holds_alternative<MoveTicket>(*again.effect)) << describe(*again.effect);
  t.board->moved_by = "";
  EXPECT_FALSE(std::holds_alternative<MoveTicket>(*decide(knowing(t), t1, toy_policy(1)).effect))
      << "a board that keeps no names is not told for ever";
}

TEST(FoundBySimulation, AClosingThatIsHeldDoesNotWakeEveryMillisecond) {
  TicketKnowledge t = ticket_with(g1, Phase::lost);
  t.newest->cause = Cause::exit_code;
  t.work.looked_at = noon + minutes(-5);
  t.hold_until = noon + seconds(10);
  t.trouble = "the server does not answer";
  Brain brain{toy_policy(1), knowing(t), {}};
  brain.agenda.queue.push_back(t1);
  brain.agenda.queued.insert(t1);
  next_effects(brain, noon);
  EXPECT_EQ(next_wake(brain), noon + seconds(10));
}

TEST(FoundBySimulation, AFinishedOneWhoseWorktreeCouldNotBeGivenBackIsJudgedWithoutFacts) {
  TicketKnowledge t = ticket_with(g1, Phase::finished);
  t.newest->said = Said::done;
  t.newest->cause = Cause::clean_exit;
  t.work.session_ended = true;
  t.work.release_failure = "it could not be given back: dirty";  // and what was seen of it was forgotten
  const Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  const auto* write = std::get_if<WriteLedger>(&*plan.effect);
  ASSERT_NE(write, nullptr) << describe(*plan.effect);
  const auto* close = std::get_if<Close>(&write->write);
  ASSERT_NE(close, nullptr) << describe(*plan.effect);
  EXPECT_EQ(close->disposition, BoardState::in_review);
  EXPECT_EQ(close->slot_after, SlotState::quarantined);
}

TEST(FoundBySimulation, ATicketIsNotReadBackwards) {
  TicketKnowledge t = ticket_with(g1, Phase::closed);
  t.newest->cause = Cause::exit_code;
  t.newest->disposition = BoardState::todo;
  TicketKnowledge unread;
  Knowledge k = knowing(unread);
  BoardTicket now = *t.board;
  absorb(k, {ReadTicket{t1}, {Transport::answered, 200, "", ""}, now, noon, noon}, {});
  k.tickets[t1].newest = t.newest;
  // An answer was lost: what is known of the ticket may be wrong, and it is read again, from a cache.
  absorb(k, {MoveTicket{t1, 3, BoardState::todo, "", ""}, {Transport::no_answer, 0, "", ""}, {}, noon, noon},
         {});
  ASSERT_FALSE(k.tickets[t1].board);
  BoardTicket before = now;
  before.version = 2;
  before.state = BoardState::todo;
  k.tickets[t1].hold_until = {};
  absorb(k, {ReadTicket{t1}, {Transport::answered, 200, "", ""}, before, noon, noon}, {});
  EXPECT_FALSE(k.tickets[t1].board);
  EXPECT_FALSE(k.tickets[t1].work.board_read);
  EXPECT_GT(k.tickets[t1].board_hold_until, noon) << "it is not asked again at once";
  absorb(k, {ReadTicket{t1}, {Transport::answered, 200, "", ""}, now, noon, noon}, {});
  EXPECT_TRUE(k.tickets[t1].board);
}

TEST(FoundBySimulation, AReadThatIsOvertakenByAWriteForgetsNoCharge) {
  Knowledge k = knowing(ticket_with(g1, Phase::closed));
  k.tickets[t1].newest->revision = 7;
  k.tickets[t1].memory.charged = 2;
  TicketLedger row;
  row.ticket = t1;
  row.newest = k.tickets[t1].newest;
  row.newest->revision = 6;
  row.memory.charged = 1;
  LedgerContents contents;
  contents.tickets = {row};
  const Answer late{ReadLedgerChanges{}, {Transport::answered, 0, "", ""}, contents, noon, noon};
  absorb(k, late, {});
  EXPECT_EQ(k.tickets[t1].memory.charged, 2);
  contents.tickets.front().newest->revision = 7;
  contents.tickets.front().memory.charged = 0;  // a person's retry
  absorb(k, {ReadLedgerChanges{}, {Transport::answered, 0, "", ""}, contents, noon, noon}, {});
  EXPECT_EQ(k.tickets[t1].memory.charged, 0);
}

// A finished worker that has been told to end, and what tmux shows of it.
TicketKnowledge ending_with(int persons) {
  TicketKnowledge t = ticket_with(g1, Phase::finished);
  t.newest->said = Said::done;
  t.newest->ending = Ending::term_sent;
  t.newest->ending_at = noon;
  t.newest->session = session_name(g1);
  RecordSighting record;
  record.decision = Decision::started;
  record.runner = record.worker = {"boot", "ns", 5, 5};
  t.seen.record = Seen<RecordSighting>{record, noon};
  ProcessSighting process;
  process.host = process.runner = process.worker = Presence::present;
  t.seen.process = Seen<ProcessSighting>{process, noon};
  PaneSighting pane;
  pane.session = t.newest->session;
  pane.session_id = "$1";
  pane.persons_attached = persons;
  t.seen.pane = Seen<PaneView>{{{0, 9, 1}, pane}, noon};
  return t;
}

TEST(FoundBySimulation, APersonWhoComesWhileItIsBeingEndedIsRespectedToo) {
  Plan plan = decide(knowing(ending_with(0)), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<EndTree>(*plan.effect)) << describe(*plan.effect);
  TicketKnowledge t = ending_with(1);
  t.newest->attention = "a person is attached";
  plan = decide(knowing(t), t1, toy_policy(1));
  EXPECT_FALSE(plan.effect) << describe(*plan.effect);
  t.newest->wish = StopWish::cancel;
  t.work.notice_given = true;
  plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<EndTree>(*plan.effect)) << "an explicit cancel, after a notice";
}

TEST(FoundBySimulation, ASessionIsNotEndedWhileNobodyCanSayWhoIsInIt) {
  TicketKnowledge t = ticket_with(g1, Phase::lost);
  t.newest->cause = Cause::exit_code;
  t.newest->session = session_name(g1);
  t.newest->server = {0, 9, 1};
  t.newest->session_id = "$1";
  t.work.facts = nothing_left();
  t.work.server_looks = 3;  // in vain
  Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<ListServer>(*plan.effect)) << describe(*plan.effect);
  t.work.server_looks = looks_in_vain_max;
  plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<ReleaseSlot>(*plan.effect)) << describe(*plan.effect);
  t.work.server_looks = 3;
  t.newest->wish = StopWish::stop;
  plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<EndSession>(*plan.effect)) << "an explicit stop is not kept waiting";
}

TEST(FoundBySimulation, AClockThatWentBackDoesNotHideThatAPromptIsNotRead) {
  TicketKnowledge t = ticket_with(g1, Phase::ready);
  Message prompt;
  prompt.id = {"m"};
  prompt.attempt = g1;
  prompt.state = MessageState::posted;
  prompt.changed_at = noon + minutes(60);  // by the clock as it was
  t.messages = {prompt};
  RecordSighting record;
  record.decision = Decision::started;
  record.runner = record.worker = {"boot", "ns", 5, 5};
  record.gone_ahead = record.worker_running = record.ready = true;
  record.messages = {{{"m"}, MessageProgress::handed, ""}};
  t.seen.record = Seen<RecordSighting>{record, noon};
  ProcessSighting process;
  process.host = process.runner = process.worker = Presence::present;
  t.seen.process = Seen<ProcessSighting>{process, noon};
  const Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect) << plan.why;
  const auto* write = std::get_if<WriteLedger>(&*plan.effect);
  ASSERT_NE(write, nullptr) << describe(*plan.effect);
  const auto* move = std::get_if<MoveMessage>(&write->write);
  ASSERT_NE(move, nullptr) << describe(*plan.effect);
  EXPECT_EQ(move->to, MessageState::unverified);
}

TEST(FoundBySimulation, AnAnswerThatWasOvertakenForgetsNothingOfTheNextAttempt) {
  Knowledge k = knowing(ticket_with(g2, Phase::planned));
  Message prompt;
  prompt.id = {"m"};
  prompt.attempt = g2;
  k.tickets[t1].messages = {prompt};
  k.tickets[t1].memory.charged = 2;
  LedgerDelta closed;
  closed.attempt = ticket_with(g1, Phase::closed).newest;
  closed.memory = Memory{};
  absorb(k, {WriteLedger{kit::close_of(g1)}, {Transport::answered, 0, "", ""}, closed, noon, noon}, {});
  EXPECT_EQ(k.tickets[t1].newest->id, g2);
  EXPECT_EQ(k.tickets[t1].messages.size(), 1U) << "else its echo would be taken for the worker's word";
  EXPECT_EQ(k.tickets[t1].memory.charged, 2);
}

TEST(FoundBySimulation, ABoardThatMayHaveMovedIsReadAgain) {
  TicketKnowledge t = ticket_with(g1, Phase::running);
  t.board.reset();  // the answer to a move was lost
  Knowledge k = knowing(t);
  k.board_read = true;
  Plan plan = decide(k, t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<ReadTicket>(*plan.effect)) << describe(*plan.effect);
  k.tickets[t1].work.board_gone = BoardGone::sure;
  plan = decide(k, t1, toy_policy(1));
  EXPECT_FALSE(plan.effect && std::holds_alternative<ReadTicket>(*plan.effect));
}

// Two dispatchers at a handover (seed 93281): the one whose own spawn was refused sealed the other's attempt,
// was told that its runner had started, and sealed it again, at once and for ever.
TEST(FoundBySimulation, ASealThatComesTooLateIsFollowedByALook) {
  TicketKnowledge t = ticket_with(g1, Phase::planned);
  t.newest->wish = StopWish::stop;
  t.work.spec_written = true;
  Knowledge k = knowing(t);
  Answer late;
  late.effect = Seal{g1, "no runner has started"};
  late.raw = {Transport::answered, 0, "", ""};
  late.value = SealAnswer::already_started;
  late.asked_at = late.at = noon;
  absorb(k, late, toy_policy(1));
  const Plan plan = decide(k, t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<Look>(*plan.effect)) << describe(*plan.effect);
}

// Two dispatchers at a handover (seed 131214): the one that came second found the slot dirty with what the
// other's worker was doing, and closed the attempt without looking at its commits.
TEST(FoundBySimulation, ALatePreparationOfWhatIsAliveSaysNothingAboutItsSlot) {
  Knowledge k = knowing(ticket_with(g1, Phase::ready));
  Answer late;
  PrepareOrder order;
  order.attempt = g1;
  late.effect = PrepareWorktree{order};
  late.raw = {Transport::answered, 1, "", "dirty: slot-2 has changes"};
  late.asked_at = late.at = noon;
  absorb(k, late, toy_policy(1));
  EXPECT_EQ(k.tickets[t1].work.release_failure, "");
  EXPECT_EQ(k.tickets[t1].work.setup_failures, 0);
}

// The same the other way round: it failed to prepare first, and then saw that the other had spawned it.
TEST(FoundBySimulation, AFailedPreparationIsForgottenWhenAnotherHasSpawnedIt) {
  TicketKnowledge t = ticket_with(g1, Phase::planned);
  t.newest->step = Step::claimed;
  t.work.release_failure = "dirty: slot-2 has changes";
  Knowledge k = knowing(t);
  LedgerDelta spawned;
  spawned.attempt = t.newest;
  spawned.attempt->step = Step::spawn_begun;
  spawned.attempt->revision += 1;
  absorb(k, {WriteLedger{BeginSpawn{g1, {}, {}}}, {Transport::answered, 0, "", ""}, spawned, noon, noon}, {});
  EXPECT_EQ(k.tickets[t1].work.release_failure, "");
}

Answer listing_of(const ListServer& asked, std::vector<PaneSighting> panes) {
  Answer answer;
  answer.effect = asked;
  answer.raw = {Transport::answered, 0, "", ""};
  answer.value = ServerListing{asked.shard, {asked.shard, 9, 1}, std::move(panes)};
  answer.asked_at = answer.at = noon;
  return answer;
}

// Seed 319337: all within one millisecond, a listing was asked for, the spawn was announced and done, and the
// listing's answer came. It did not show the session, which was never ended.
TEST(FoundBySimulation, AListingThatWasAskedForBeforeTheSpawnDoesNotHideItsSession) {
  TicketKnowledge t = ticket_with(g1, Phase::planned);
  t.newest->step = Step::claimed;
  t.newest->spawned_at = {};
  Knowledge k = knowing(t);
  const ListServer routine{0, {}}, own{0, t1};
  begun(k, routine);
  LedgerDelta spawned;
  spawned.attempt = t.newest;
  spawned.attempt->step = Step::spawn_begun;
  spawned.attempt->spawned_at = noon;
  spawned.attempt->revision += 1;
  absorb(k, {WriteLedger{BeginSpawn{g1, {}, {}}}, {Transport::answered, 0, "", ""}, spawned, noon, noon}, {});
  absorb(k, listing_of(routine, {}), {});
  EXPECT_FALSE(k.tickets[t1].seen.pane) << "it says nothing about what came after its question";
  begun(k, own);
  absorb(k, listing_of(own, {}), {});
  EXPECT_TRUE(k.tickets[t1].seen.pane);
  begun(k, routine);
  absorb(k, listing_of(routine, {}), {});
  EXPECT_TRUE(k.shards[0].asked_by.empty());
  EXPECT_TRUE(k.tickets[t1].listings_too_old.empty());
}

// The same at the other end of its life: what was listed before it ended cannot say how it ended.
TEST(FoundBySimulation, AListingThatWasAskedForBeforeTheEndSaysNothingAboutIt) {
  Knowledge k = knowing(ticket_with(g1, Phase::running));
  const ListServer routine{0, {}};
  begun(k, routine);
  Looked looked;
  looked.record.decision = Decision::started;
  looked.record.runner = {"boot", "ns", 5, 5};
  looked.record.end = WorkerEnd{};
  const Look look = look_at(k.tickets[t1], false);
  begun(k, look);
  absorb(k, {look, {Transport::answered, 0, "", ""}, looked, noon, noon}, {});
  absorb(k, listing_of(routine, {}), {});
  EXPECT_FALSE(k.tickets[t1].seen.pane);
}

// Seed 583934: the attempt was over and settled, the answer to a move of its ticket was lost, and what the
// board said was not news to anybody.
TEST(FoundBySimulation, ATicketOfWhichNothingIsOpenIsReadAgainWhereAMovesAnswerWasLost) {
  TicketKnowledge t = ticket_with(g1, Phase::closed);
  t.newest->settled = true;
  t.board.reset();
  Knowledge k = knowing(t);
  k.board_read = true;
  const Plan plan = decide(k, t1, toy_policy(1));
  ASSERT_TRUE(plan.effect) << plan.why;
  EXPECT_TRUE(std::holds_alternative<ReadTicket>(*plan.effect)) << describe(*plan.effect);
  k.tickets[t1].work.board_gone = BoardGone::sure;
  EXPECT_FALSE(decide(k, t1, toy_policy(1)).effect);
}

// Seed 706427: the clock went back by an hour, and an hour later "nobody is attached" was a moment old again.
TEST(FoundBySimulation, WhatWasSeenBeforeTheClockWentBackIsNeverNewAgain) {
  Brain brain;
  brain.policy = toy_policy(1);
  TicketKnowledge t = ending_with(0);
  t.newest->phase = Phase::running;
  brain.knowledge = knowing(t);
  next_effects(brain, noon + minutes(-60));
  const TicketKnowledge& after = brain.knowledge.tickets[t1];
  EXPECT_FALSE(seen_within(after.seen.pane, seconds(3), noon));
  EXPECT_FALSE(seen_within(after.seen.process, seconds(3), noon));
  EXPECT_FALSE(seen_within(after.seen.record, seconds(3), noon));
}

// And while the clock has not come back to the spawn's time, the session does not count as a new one, which
// nobody can be attached to.
TEST(FoundBySimulation, ASessionIsNotNewBecauseTheClockWentBack) {
  TicketKnowledge t = ticket_with(g1, Phase::ready);
  t.newest->spawned_at = noon + minutes(60);
  Message prompt;
  prompt.id = {"m"};
  prompt.attempt = g1;
  t.messages = {prompt};
  RecordSighting record;
  record.decision = Decision::started;
  t.seen.record = Seen<RecordSighting>{record, noon};
  const Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect) << plan.why;
  EXPECT_TRUE(std::holds_alternative<ListServer>(*plan.effect)) << describe(*plan.effect);
}

// What does say so is the spawn's own answer.
TEST(FoundBySimulation, WhatWasSpawnedJustNowIsNotListedBeforeItGetsItsPrompt) {
  TicketKnowledge t = ticket_with(g1, Phase::planned);
  t.newest->session = session_name(g1);
  Knowledge k = knowing(t);
  SpawnOrder order;
  order.session = t.newest->session;
  const SpawnedPane pane{{0, 9, 1}, "$1", "%1", 5};
  absorb(k, {SpawnSession{order, g1}, {Transport::answered, 0, "", ""}, pane, noon, noon}, toy_policy(1));
  TicketKnowledge& now = k.tickets[t1];
  ASSERT_TRUE(now.seen.pane && now.seen.pane->what.pane);
  EXPECT_EQ(now.seen.pane->what.pane->session_id, "$1");
  now.newest->phase = Phase::ready;
  now.work.look_now = false;
  Message prompt;
  prompt.id = {"m"};
  prompt.attempt = g1;
  now.messages = {prompt};
  Plan plan = decide(k, t1, toy_policy(1));
  ASSERT_TRUE(plan.effect) << plan.why;
  EXPECT_TRUE(std::holds_alternative<Post>(*plan.effect)) << describe(*plan.effect);
  k.now = noon + seconds(4);
  plan = decide(k, t1, toy_policy(1));
  ASSERT_TRUE(plan.effect) << plan.why;
  EXPECT_TRUE(std::holds_alternative<ListServer>(*plan.effect)) << describe(*plan.effect);
}

// Seed 748450: what the ledger says of a message that two dispatchers move.
Message message_of(MessageState state, int conflicts) {
  Message m;
  m.id = {"m"};
  m.attempt = g1;
  m.state = state;
  m.conflicts = conflicts;
  return m;
}

Answer read_of(const Knowledge& k, const Message& m) {
  TicketLedger row;
  row.ticket = t1;
  row.newest = k.tickets.at(t1).newest;
  row.messages = {m};
  LedgerContents contents;
  contents.tickets = {row};
  return {ReadLedgerChanges{}, {Transport::answered, 0, "", ""}, contents, noon, noon};
}

// One had handed it over, and its write's answer came late: meanwhile the other had found that nobody read
// it, and that was read here too. It wrote the same and read again, and nothing that was read was news.
TEST(FoundBySimulation, AnAnswerThatIsOlderThanWhatWasReadTakesNoMessageBack) {
  Knowledge k = knowing(ticket_with(g1, Phase::ready));
  k.tickets[t1].messages = {message_of(MessageState::queued, 0)};
  absorb(k, read_of(k, message_of(MessageState::unverified, 0)), {});
  LedgerDelta late;
  late.messages = {message_of(MessageState::posted, 0)};
  absorb(k,
         {WriteLedger{MoveMessage{g1, {"m"}, MessageState::posted, ""}},
          {Transport::answered, 0, "", ""},
          late,
          noon,
          noon},
         {});
  EXPECT_EQ(k.tickets[t1].messages.front().state, MessageState::unverified);
}

// The other way round: it was refused and is in the queue again, which is not older than that it was handed
// over.
TEST(FoundBySimulation, AMessageThatWasRefusedIsSeenToBeInTheQueueAgain) {
  Knowledge k = knowing(ticket_with(g1, Phase::ready));
  k.tickets[t1].messages = {message_of(MessageState::posted, 0)};
  absorb(k, read_of(k, message_of(MessageState::queued, 1)), {});
  EXPECT_EQ(k.tickets[t1].messages.front().state, MessageState::queued);
  absorb(k, read_of(k, message_of(MessageState::posted, 0)), {});
  EXPECT_EQ(k.tickets[t1].messages.front().state, MessageState::queued);
  absorb(k, read_of(k, message_of(MessageState::delivered, 1)), {});
  EXPECT_EQ(k.tickets[t1].messages.front().state, MessageState::delivered);
}

// Seed 597224: one of two dispatchers sealed what the other had just announced, before that could spawn it,
// again and again.
TEST(FoundBySimulation, WhatAnotherDispatcherHasJustAnnouncedIsNotSealedBeforeItCanBeSpawned) {
  TicketKnowledge t = ticket_with(g1, Phase::planned);
  t.seen.pane = Seen<PaneView>{{{0, 9, 1}, std::nullopt}, noon};
  Policy policy = toy_policy(1);
  Plan plan = decide(knowing(t), t1, policy);
  EXPECT_FALSE(plan.effect) << describe(*plan.effect);
  EXPECT_EQ(plan.wake_at, t.newest->spawned_at + policy.newborn_grace);
  t.newest->wish = StopWish::cancel;
  plan = decide(knowing(t), t1, policy);
  ASSERT_TRUE(plan.effect) << "nobody wants it any more";
  EXPECT_TRUE(std::holds_alternative<Seal>(*plan.effect)) << describe(*plan.effect);
  t.newest->wish = StopWish::none;
  t.work.spec_written = t.work.spawn_tried = true;
  plan = decide(knowing(t), t1, policy);
  ASSERT_TRUE(plan.effect) << "its own spawn was refused";
  EXPECT_TRUE(std::holds_alternative<Seal>(*plan.effect)) << describe(*plan.effect);
  t.work.spec_written = t.work.spawn_tried = false;
  Knowledge late = knowing(t);
  late.now = t.newest->spawned_at + policy.newborn_grace;
  late.tickets[t1].work.looked_at = late.now;
  plan = decide(late, t1, policy);
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<Seal>(*plan.effect)) << describe(*plan.effect);
}

// Seed 45358: another dispatcher found it dead, and this one closed it by a listing from before its spawn.
TEST(FoundBySimulation, ThatNoSessionWasThereIsAskedAgainWhenAnotherHasFoundItDead) {
  TicketKnowledge t = ticket_with(g1, Phase::newborn);
  t.seen.pane = Seen<PaneView>{{{0, 9, 1}, std::nullopt}, noon};
  t.work.facts = nothing_left();
  Knowledge k = knowing(t);
  TicketLedger row;
  row.ticket = t1;
  row.newest = t.newest;
  row.newest->revision += 1;
  row.newest->phase = Phase::lost;
  row.newest->cause = Cause::exit_code;
  LedgerContents contents;
  contents.tickets = {row};
  absorb(k, {ReadLedgerChanges{}, {Transport::answered, 0, "", ""}, contents, noon, noon}, {});
  const Plan plan = decide(k, t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<ListServer>(*plan.effect)) << describe(*plan.effect);
}

// Seed 90985: two dispatchers closed it. One saved what it had left, the other had inspected that before and
// found nothing to save afterwards: it took the ticket for landed and done.
TEST(FoundBySimulation, WhatAnotherHasSavedWasLeftUncommittedAllTheSame) {
  TicketKnowledge t = ticket_with(g1, Phase::finished);
  t.newest->said = Said::done;
  t.newest->cause = Cause::clean_exit;
  BranchFacts facts = nothing_left();
  facts.has_commits = facts.ancestor_of_target = facts.stranded_known = Tri::yes;
  facts.commits = 1;
  facts.unpushed = Tri::no;
  facts.uncommitted = Tri::yes;
  t.work.facts = facts;
  t.work.salvaged = Salvaged{};
  t.work.pinned = t.work.session_ended = true;
  t.work.released = SlotSighting{};
  const Plan plan = decide(knowing(t), t1, toy_policy(1));
  ASSERT_TRUE(plan.effect);
  const auto* write = std::get_if<WriteLedger>(&*plan.effect);
  ASSERT_NE(write, nullptr) << describe(*plan.effect);
  const auto* close = std::get_if<Close>(&write->write);
  ASSERT_NE(close, nullptr) << describe(*plan.effect);
  EXPECT_EQ(close->disposition, BoardState::in_review) << close->reason;
}

}  // namespace
}  // namespace holdfast
