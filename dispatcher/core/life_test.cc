// Whole lives of tickets through the core alone: what follows what, and what each lie of the world leads to.
#include <gtest/gtest.h>

#include <algorithm>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/toy_world.h"

namespace holdfast {
namespace {

const TicketId the_ticket{"T-1"};

struct Play {
  ToyWorld world;
  Brain brain;
  explicit Play(int capacity = 2) : world(capacity), brain{toy_policy(capacity), {}, {}} {}
  void pass(Duration span) {
    // Whatever the worker did makes news.
    for (const auto& [id, record] : world.records) absorb(brain, AttemptNews{id});
    absorb(brain, LedgerNews{});
    absorb(brain, BoardNews{});
    run_for(brain, world, span);
  }
  // By a person, while no dispatcher runs.
  AttemptId declare_dead(const std::string& evidence) {
    Attempt& row = *world.ledger.at(the_ticket).newest;
    row.cause = Cause::declared_dead;
    row.evidence = "declared dead by bob: " + evidence;
    row.died_at = world.now;
    row.phase = Phase::lost;
    restart();
    return row.id;
  }
  void restart() { brain = Brain{brain.policy, {}, {}}; }
  [[nodiscard]] BoardState board(const TicketId& id = the_ticket) const { return world.board.at(id).state; }
  [[nodiscard]] int count(const std::string& what) const {
    return static_cast<int>(std::ranges::count_if(
        world.trace, [&](const auto& line) { return line.find(what) != std::string::npos; }));
  }
  [[nodiscard]] std::string trace() const {
    std::string all;
    for (const auto& line : world.trace) all += line + "\n";
    return all;
  }
};

TEST(Life, AFullOne) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  ASSERT_NE(p.world.newest(the_ticket), nullptr) << p.trace();
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::running) << p.trace();
  EXPECT_EQ(p.board(), BoardState::in_progress);
  EXPECT_EQ(p.world.posted[p.world.newest(the_ticket)->id].size(), 1U);
  p.world.facts.has_commits = Tri::yes;
  p.world.facts.commits = 1;
  p.world.say(the_ticket, "DONE: it");
  p.pass(millis(100));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::finished) << p.trace();
  p.world.exit(the_ticket, 0);
  p.pass(seconds(5));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::closed) << p.trace();
  EXPECT_TRUE(p.world.newest(the_ticket)->settled);
  EXPECT_EQ(p.board(), BoardState::in_review);
  EXPECT_TRUE(p.world.sessions.empty());
  EXPECT_EQ(p.world.slots.begin()->second.state, SlotState::free);
}

TEST(Life, LandedWherePolicySaysSo) {
  Play p;
  p.brain.policy.gate = GatePolicy::land;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.facts.has_commits = Tri::yes;
  p.world.facts.commits = 1;
  p.world.say(the_ticket, "DONE: it");
  p.world.exit(the_ticket, 0);
  p.pass(seconds(5));
  EXPECT_EQ(p.board(), BoardState::done) << p.trace();
  EXPECT_EQ(p.count("land "), 1) << p.trace();
}

// A stash, say: the facts that were read before it was pinned did not know of it.
TEST(Life, WhatAPinFindsElsewhereIsKnownBeforeAnythingIsLandedOrDone) {
  for (const Tri on_target : {Tri::no, Tri::yes}) {
    Play p;
    p.brain.policy.gate = GatePolicy::land;
    p.world.add("T-1");
    p.pass(seconds(1));
    p.world.facts.has_commits = Tri::yes;
    p.world.facts.commits = 1;
    p.world.facts.ancestor_of_target = on_target;
    p.world.left_elsewhere = CommitId{"cccc"};
    p.world.say(the_ticket, "DONE: it");
    p.world.exit(the_ticket, 0);
    p.pass(seconds(5));
    EXPECT_EQ(p.board(), BoardState::in_review) << p.trace();
    EXPECT_EQ(p.count("land "), 0) << p.trace();
  }
}

TEST(Life, NewsDuringALookIsNotLost) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  bool said = false;
  p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (!std::holds_alternative<Look>(e) || said) return std::nullopt;
    said = true;
    return ToyWorld::Fault{{Transport::answered, 0, "", ""}, true};
  };
  const AttemptId id = p.world.newest(the_ticket)->id;
  p.brain.policy.look_every = minutes(10);  // routine does not come to help
  absorb(p.brain, AttemptNews{id});
  const auto effects = next_effects(p.brain, p.world.now);
  ASSERT_EQ(effects.size(), 1U);
  ASSERT_TRUE(std::holds_alternative<Look>(effects.front()));
  const Answer seen_before = p.world.perform(effects.front());
  p.world.say(the_ticket, "DONE: it");
  absorb(p.brain, AttemptNews{id});
  absorb(p.brain, seen_before);
  run_for(p.brain, p.world, millis(100));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::finished) << p.trace();
}

// Pins while it lives: after each look, and never in the way of anything.

TEST(Life, WhatALookStoodBeforeIsPinnedOnceAfterEachLook) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  EXPECT_GE(p.count("T-1 pin what was seen while it lives"), 1) << p.trace();
  p.pass(minutes(2));
  const int pins = p.count("T-1 pin what was seen while it lives");
  EXPECT_GE(pins, 120 / 15) << p.trace();
  EXPECT_LE(pins, p.count("T-1 look at the runtime")) << p.trace();
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::running);
  p.world.trace.clear();
  p.world.say(the_ticket, "REVIEW: look");
  p.world.exit(the_ticket, 0);
  p.pass(seconds(3));
  EXPECT_EQ(p.count("while it lives"), 0) << "of one that is dead all is said by its closing\n" << p.trace();
}

TEST(Life, AnAnswerComesBeforeAPin) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  TicketKnowledge& t = p.brain.knowledge.tickets.at(the_ticket);
  t.work.pin_due = true;
  t.work.look_now = false;
  t.work.looked_at = p.brain.knowledge.now = p.world.now;
  Message answer;
  answer.id = {"m-2"};
  answer.attempt = t.newest->id;
  answer.kind = MessageKind::answer;
  answer.text = "the second";
  answer.queued_at = answer.changed_at = p.world.now;
  t.messages.push_back(answer);
  Plan plan = decide(p.brain.knowledge, the_ticket, p.brain.policy);
  ASSERT_TRUE(plan.effect);
  EXPECT_FALSE(is_by_the_way(*plan.effect)) << describe(*plan.effect);
  t.messages.pop_back();
  plan = decide(p.brain.knowledge, the_ticket, p.brain.policy);
  EXPECT_TRUE(plan.effect && is_by_the_way(*plan.effect));
}

TEST(Life, APinThatFailsIsTriedAgainAfterTheNextLookAndHoldsNothingUp) {
  for (const RawReply& raw : {RawReply{Transport::answered, 1, "", "busy: the lock is held"},
                              RawReply{Transport::no_answer, 0, "", "deadline"}}) {
    Play p;
    p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
      if (!is_by_the_way(e)) return std::nullopt;
      return ToyWorld::Fault{raw, false};
    };
    p.world.add("T-1");
    p.pass(minutes(2));
    const TicketKnowledge& t = p.brain.knowledge.tickets.at(the_ticket);
    EXPECT_EQ(t.tries, 0);
    EXPECT_FALSE(t.hold_until.set());
    EXPECT_TRUE(t.work.release_failure.empty());
    EXPECT_GE(p.count("while it lives"), 120 / 15) << p.trace();
    EXPECT_LE(p.count("while it lives"), p.count("T-1 look at the runtime")) << p.trace();
    p.world.say(the_ticket, "REVIEW: look");
    p.world.exit(the_ticket, 0);
    p.pass(seconds(5));
    EXPECT_EQ(p.board(), BoardState::in_review) << p.trace();
  }
}

// What fails for another reason keeps its growing waits: a pin in between is no progress of it.
TEST(Life, APinIsNoProgressOfWhatIsTriedInVain) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  TicketKnowledge& t = p.brain.knowledge.tickets.at(the_ticket);
  t.tries = 3;
  const Answer pinned{PinBranch{branch_order(*t.newest, p.brain.policy, true), PinWhen::seen},
                      {Transport::answered, 0, "", ""},
                      Salvaged{},
                      p.world.now,
                      p.world.now};
  absorb(p.brain.knowledge, pinned, p.brain.policy);
  EXPECT_EQ(t.tries, 3);
  EXPECT_FALSE(t.work.pinned) << "its closing pins it again";
}

TEST(Life, OneThatIsToBeEndedIsNotPinnedOnTheWay) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  TicketKnowledge& t = p.brain.knowledge.tickets.at(the_ticket);
  t.work.pin_due = true;
  t.work.look_now = false;
  t.work.looked_at = p.world.now;
  p.brain.knowledge.now = p.world.now;
  const auto pins = [&] {
    const Plan plan = decide(p.brain.knowledge, the_ticket, p.brain.policy);
    return plan.effect && is_by_the_way(*plan.effect);
  };
  ASSERT_TRUE(pins());
  t.newest->ending = Ending::term_sent;
  t.newest->wish = StopWish::stop;
  t.work.term_sent = p.world.now;
  EXPECT_FALSE(pins());
}

TEST(Life, AWordThatStandsInAPromptOfAFileCounts) {
  Play p;
  p.brain.policy.profiles.begin()->second.prompt_by = PromptBy::file;
  p.world.add("T-1");
  p.world.board.at(the_ticket).body = "when ready, say\nREVIEW: look at it\n";
  p.pass(seconds(1));
  p.world.say(the_ticket, "REVIEW: look at it");
  p.pass(millis(100));
  EXPECT_EQ(p.world.newest(the_ticket)->said, Said::review) << p.trace();
}

TEST(Life, AWordThatIsPassedOverIsShownToAPersonOnceTheWorkerIsSilent) {
  Play p;
  p.world.add("T-1");
  p.world.board.at(the_ticket).body = "when ready, say DONE: all tests pass\n";
  p.pass(seconds(1));
  p.world.say(the_ticket, "DONE: all tests pass");
  p.pass(seconds(30));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::running) << p.trace();
  EXPECT_EQ(p.world.newest(the_ticket)->attention, "");
  p.pass(seconds(60));
  EXPECT_NE(p.world.newest(the_ticket)->attention.find("DONE: all tests pass"), std::string::npos)
      << p.trace();
}

TEST(Life, APromptTooLongForAnArgumentWaitsAndSaysWhy) {
  Play p;
  p.brain.policy.profiles.begin()->second.prompt_by = PromptBy::argument;
  p.world.add("T-1");
  p.world.board.at(the_ticket).body = std::string(argument_bytes_max, 'x');
  p.pass(seconds(1));
  EXPECT_EQ(p.world.newest(the_ticket), nullptr) << p.trace();
  EXPECT_NE(decide(p.brain.knowledge, the_ticket, p.brain.policy).why.find("as an argument"),
            std::string::npos);
}

// Workers that die as soon as they begin are not begun again and again: after some of them all dispatching
// rests, and goes on by itself.
TEST(Life, ACrashLoopStopsAllDispatchingForAWhile) {
  Play p;
  p.brain.policy.breaker_deaths = 2;
  p.brain.policy.breaker_rest = minutes(2);
  p.brain.policy.backoff_first = seconds(1);
  p.brain.policy.backoff_max = seconds(1);
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.exit(the_ticket, 1);
  p.pass(seconds(5));
  ASSERT_EQ(p.world.newest(the_ticket)->id.generation.value, 2U) << p.trace();
  p.world.exit(the_ticket, 1);
  p.pass(seconds(5));
  p.world.add("T-2");
  p.pass(seconds(30));
  EXPECT_EQ(p.board({"T-2"}), BoardState::todo) << p.trace();
  EXPECT_NE(decide(p.brain.knowledge, {"T-2"}, p.brain.policy).why.find("died young"), std::string::npos);
  p.restart();  // it is in the ledger
  p.pass(seconds(30));
  EXPECT_EQ(p.board({"T-2"}), BoardState::todo) << p.trace();
  p.pass(minutes(2));
  EXPECT_EQ(p.board({"T-2"}), BoardState::in_progress) << p.trace();
}

// A worker had been started for it, and sat in its slot with nothing to do.
TEST(Life, APromptTooLongToBePastedWaitsAndSaysWhy) {
  Play p;
  p.brain.policy.profiles.begin()->second.prompt_by = PromptBy::paste;
  p.world.add("T-1");
  p.world.board.at(the_ticket).body = std::string(pasted_bytes_max, 'x');
  p.pass(seconds(1));
  EXPECT_EQ(p.world.newest(the_ticket), nullptr) << p.trace();
  EXPECT_NE(decide(p.brain.knowledge, the_ticket, p.brain.policy).why.find("pastes it"), std::string::npos);
}

// A person declared dead what lived: it was back in the queue at once, and two workers were in one worktree.
TEST(Life, WhatWasDeclaredDeadAndLivesIsEndedBeforeAnythingIsGivenBack) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  const AttemptId id = p.declare_dead("I think so");
  bool lived_at_todo = false;
  p.world.fault = [&](const Effect&) -> std::optional<ToyWorld::Fault> {
    lived_at_todo = lived_at_todo || (p.board() == BoardState::todo && p.world.processes[id]);
    return std::nullopt;
  };
  p.pass(seconds(3));
  EXPECT_FALSE(lived_at_todo) << p.trace();
  EXPECT_FALSE(p.world.processes[id]) << p.trace();
  EXPECT_GE(p.count("end the worker's tree"), 1) << p.trace();
}

// Its record is gone, so nothing can be looked at any more: it stayed `lost` for good, and held its lease.
TEST(Life, WhatWasDeclaredDeadAndCannotBeLookedAtIsBelieved) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  const AttemptId id = p.declare_dead("its host burnt");
  p.world.processes[id] = false;
  p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (!std::holds_alternative<Look>(e)) return std::nullopt;
    return ToyWorld::Fault{{Transport::answered, 2, "", "No such file or directory"}, false};
  };
  p.pass(minutes(30));
  EXPECT_NE(p.world.newest(the_ticket)->id, id) << "closed, and tried again\n" << p.trace();
}

// What went wrong again and again before says nothing about whether it can be looked at.
TEST(Life, OneThatCanBeLookedAtIsLookedAtHoweverOftenOtherThingsFailed) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  TicketKnowledge& t = p.brain.knowledge.tickets[the_ticket];
  t.newest->cause = Cause::declared_dead;
  t.newest->phase = Phase::lost;
  t.newest->died_at = p.world.now;
  t.tries = 100;
  ASSERT_TRUE(t.seen.process);
  p.brain.knowledge.now = p.world.now + minutes(5);  // since the last look
  const Plan plan = decide(p.brain.knowledge, the_ticket, p.brain.policy);
  ASSERT_TRUE(plan.effect);
  EXPECT_TRUE(std::holds_alternative<Look>(*plan.effect)) << plan.why;
}

// Another installation in the same repository had made a branch of that name: its commit was "recovered".
TEST(Life, WhatIsOnTheBranchOfOneThatNeverRanIsNotItsWork) {
  Play p;
  p.world.add("T-1");
  p.world.facts.has_commits = Tri::yes;
  p.world.facts.commits = 1;
  p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (!std::holds_alternative<PrepareWorktree>(e)) return std::nullopt;
    return ToyWorld::Fault{{Transport::answered, 1, "", "refused"}, false};
  };
  bool reviewed = false;
  for (int i = 0; i < 60; ++i) {
    p.pass(seconds(10));
    reviewed = reviewed || p.board() == BoardState::in_review;
  }
  EXPECT_FALSE(reviewed) << p.trace();
  EXPECT_EQ(p.board(), BoardState::blocked) << p.trace();
}

// "Declare it dead if you know that it is" stood beside "alive" for good.
TEST(Life, OneThatIsKnownToLiveAgainNeedsNobody) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.ledger.at(the_ticket).newest->attention = "nobody can tell whether it lives: no answer";
  p.restart();
  p.pass(seconds(10));
  EXPECT_EQ(p.world.newest(the_ticket)->attention, "") << p.trace();
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::running);
}

TEST(Life, Incident409AfterTheSpawnKeepsTheRuntime) {
  Play p;
  p.world.add("T-1");
  int refusals = 5;
  p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (call_of(e) != Call::post || refusals-- <= 0) return std::nullopt;
    return ToyWorld::Fault{{Transport::answered, 11, "", "runtime is not ready for input, status=running"},
                           false};
  };
  p.pass(seconds(20));
  const Attempt& a = *p.world.newest(the_ticket);
  EXPECT_EQ(a.phase, Phase::running) << p.trace();
  EXPECT_EQ(a.cause, Cause::none);
  EXPECT_EQ(a.id.generation, Generation{1});
  EXPECT_EQ(p.board(), BoardState::in_progress);
  EXPECT_EQ(p.world.posted[a.id].size(), 1U);
  EXPECT_EQ(p.count("spawn the session"), 1);
}

TEST(Life, ALostAnswerOfTheSpawnIsLookedAfterAndAdopted) {
  Play p;
  p.world.add("T-1");
  p.world.fault = [](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (call_of(e) != Call::spawn) return std::nullopt;
    return ToyWorld::Fault{{Transport::no_answer, 0, "", "deadline"}, true};
  };
  p.pass(seconds(3));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::running) << p.trace();
  EXPECT_EQ(p.count("spawn the session"), 1);
  EXPECT_EQ(p.world.live_runtimes(the_ticket), 1);
}

TEST(Life, ASpawnThatNeverHappenedIsSealedBeforeTheTicketGoesBack) {
  Play p;
  p.world.add("T-1");
  int losses = 1;
  p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (call_of(e) != Call::spawn || losses-- <= 0) return std::nullopt;
    return ToyWorld::Fault{{Transport::no_answer, 0, "", "deadline"}, false};
  };
  p.pass(seconds(10));
  EXPECT_EQ(p.count("seal the attempt"), 1) << p.trace();
  EXPECT_EQ(p.world.newest(the_ticket)->id.generation, Generation{2});
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::running);
  EXPECT_EQ(p.world.live_runtimes(the_ticket), 1);
}

TEST(Life, ARestartAtEveryStepEndsTheSame) {
  for (int die_at = 0; die_at < 60; ++die_at) {
    Play p;
    p.world.add("T-1");
    int n = 0;
    // Performs effects one by one and forgets everything after the n-th, with or without its answer.
    for (int turn = 0; turn < 200 && n < die_at; ++turn) {
      const auto effects = next_effects(p.brain, p.world.now);
      for (const Effect& e : effects) {
        const Answer answer = p.world.perform(e);
        if (++n >= die_at) break;
        absorb(p.brain, answer);
      }
      if (effects.empty()) break;
    }
    p.restart();
    p.pass(seconds(40));
    ASSERT_EQ(p.world.newest(the_ticket)->phase, Phase::running) << "after effect " << die_at << "\n"
                                                                 << p.trace();
    ASSERT_EQ(p.world.live_runtimes(the_ticket), 1) << die_at;
    ASSERT_EQ(p.board(), BoardState::in_progress) << die_at;
    ASSERT_EQ(p.world.posted[p.world.newest(the_ticket)->id].size(), 1U) << die_at;
  }
}

TEST(Life, AQuestionIsAnsweredInTheSameRuntime) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.say(the_ticket, "QUESTION: which one?");
  p.pass(seconds(1));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::waiting) << p.trace();
  EXPECT_EQ(p.count("comment on the ticket"), 1);
  Message answer;
  answer.id = {"m1"};
  answer.attempt = p.world.newest(the_ticket)->id;
  answer.kind = MessageKind::answer;
  answer.text = "the red one";
  answer.queued_at = answer.changed_at = p.world.now;
  p.world.ledger[the_ticket].messages.push_back(answer);
  p.pass(seconds(2));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::running) << p.trace();
  EXPECT_EQ(p.world.posted[answer.attempt].back(), "the red one");
}

TEST(Life, WhatTheHookSaysCountsToo) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.say(the_ticket, "QUESTION: by terminal?");
  p.pass(seconds(1));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::waiting);
  p.world.hook[p.world.newest(the_ticket)->id] = "DONE: by hook\n";
  p.pass(seconds(1));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::finished) << p.trace();
  EXPECT_EQ(p.world.newest(the_ticket)->said_text, "by hook");
}

TEST(Life, ACrashIsRetriedThenBlockedWithItsEvidence) {
  Play p;
  p.world.add("T-1");
  for (int i = 0; i < 6 && p.board() != BoardState::blocked; ++i) {
    p.pass(seconds(2));
    if (p.world.newest(the_ticket)->phase == Phase::running) p.world.exit(the_ticket, 3);
    p.pass(seconds(4));
  }
  EXPECT_EQ(p.board(), BoardState::blocked) << p.trace();
  EXPECT_EQ(p.world.newest(the_ticket)->id.generation, Generation{3});
  EXPECT_EQ(p.world.newest(the_ticket)->cause, Cause::exit_code);
}

TEST(Life, AProvidersLimitPausesTheAccountAndChargesNobody) {
  Play p;
  p.brain.policy.profiles["generic"].limit_patterns = {"usage limit reached"};
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.say(the_ticket, "usage limit reached; resets later");
  p.world.exit(the_ticket, 1);
  p.pass(seconds(10));
  EXPECT_EQ(p.world.newest(the_ticket)->cause, Cause::provider_limit) << p.trace();
  EXPECT_EQ(p.board(), BoardState::todo);
  EXPECT_EQ(p.world.ledger[the_ticket].memory.charged, 0);
  EXPECT_EQ(p.count("spawn the session"), 1);
  p.pass(minutes(20));
  EXPECT_EQ(p.count("spawn the session"), 2) << p.trace();
}

TEST(Life, AGenerationSeenInASessionIsNotGivenOutAgain) {
  Play p;
  p.world.add("T-1");
  PaneSighting stray;
  stray.session = {"hf-T-1-g7"};
  p.world.sessions[stray.session] = stray;
  p.pass(seconds(2));
  EXPECT_EQ(p.world.newest(the_ticket)->id.generation, Generation{8}) << p.trace();
}

TEST(Life, CancelledByAPersonIsObeyedAndNotOverwritten) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.board[the_ticket].state = BoardState::cancelled;
  p.world.board[the_ticket].version += 1;
  p.pass(seconds(10));
  EXPECT_EQ(p.world.live_runtimes(the_ticket), 0) << p.trace();
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::closed);
  EXPECT_EQ(p.board(), BoardState::cancelled);
}

TEST(Life, SomebodyElsesTodoIsPutRightAndNothingIsSpawned) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.board[the_ticket].state = BoardState::todo;
  p.world.board[the_ticket].version += 1;
  p.pass(seconds(10));
  EXPECT_EQ(p.board(), BoardState::in_progress) << p.trace();
  EXPECT_EQ(p.count("spawn the session"), 1);
  EXPECT_EQ(p.world.live_runtimes(the_ticket), 1);
}

TEST(Life, APoolThatIsEmptyMeansWait) {
  Play p(1);
  p.world.add("T-1");
  p.world.add("T-2");
  p.pass(seconds(5));
  EXPECT_EQ(p.board({"T-2"}), BoardState::todo);
  EXPECT_EQ(p.world.newest({"T-2"}), nullptr);
  p.world.exit(the_ticket, 0);
  p.pass(seconds(3));
  EXPECT_NE(p.world.newest({"T-2"}), nullptr) << p.trace();
}

TEST(Life, ABoardThatDoesNotAnswerEndsNobody) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.fault = [](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (family_of(call_of(e)) == Family::board)
      return ToyWorld::Fault{{Transport::no_answer, 0, "", "down"}, false};
    return std::nullopt;
  };
  p.world.exit(the_ticket, 1);
  p.pass(minutes(60));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::closed) << p.trace();
  EXPECT_FALSE(p.world.newest(the_ticket)->settled);
  p.world.fault = nullptr;
  p.pass(minutes(1));
  EXPECT_EQ(p.world.newest(the_ticket)->phase, Phase::running) << p.trace();
}

TEST(Life, WithNothingToDoWritesStop) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.pass(minutes(5));
  const int before = p.count("record:");
  p.pass(minutes(5));
  EXPECT_EQ(p.count("record:"), before) << p.trace();
}

}  // namespace
}  // namespace holdfast
