// One effect, one port call: what is handed on, and what becomes of an adapter that throws.
#include "dispatcher/driver/perform.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "dispatcher/core/classify.h"
#include "dispatcher/driver/toy_ports.h"

namespace holdfast {
namespace {

const TicketId t1{"T-1"};
const AttemptId a1{t1, {1}};

struct Rehearsal {
  ToyPorts ports{1};
  World world = ports.world();
  std::vector<std::string> calls;
  Rehearsal() {
    ports.with([](ToyWorld& toy) { toy.add("T-1"); });
    ports.before = [this](const Effect& e) { calls.push_back(words_for(call_of(e))); };
  }
  Answer perform(const Effect& e) { return holdfast::perform(e, world, {}); }
};

std::vector<Effect> one_of_each_kind() {
  SpawnOrder spawn;
  spawn.session = session_name(a1);
  Look look;
  look.containment.attempt = a1;
  return {WriteLedger{Settle{a1}},
          ReadTicket{t1},
          MoveTicket{t1, 1, BoardState::in_progress, "", "k"},
          CommentTicket{t1, "k", "words"},
          PrepareWorktree{},
          WriteSpec{},
          SpawnSession{spawn, a1},
          Seal{a1, "why"},
          GiveGo{a1},
          Post{a1, {"m"}, "text"},
          look,
          ListServer{0, t1},
          EndTree{{a1, {}, {}, {}, {}, {}}, EndSignal::term},
          EndSession{},
          GiveNotice{},
          InspectBranch{},
          PinBranch{},
          SalvageWorktree{},
          ReleaseSlot{},
          LandBranch{},
          PushBranch{},
          LoadLedger{},
          ReadLedgerChanges{1},
          ReadBoard{1},
          StartServer{0},
          ListRecords{},
          ListTraces{},
          EnsurePool{1, "main"}};
}

TEST(Perform, EveryEffectIsItsOwnCallOnce) {
  for (const Effect& effect : one_of_each_kind()) {
    if (std::holds_alternative<Look>(effect)) continue;  // several reads; below
    Rehearsal p;
    const Answer answer = p.perform(effect);
    EXPECT_EQ(p.calls, std::vector<std::string>{words_for(call_of(effect))});
    EXPECT_EQ(answer.effect.index(), effect.index());
    EXPECT_EQ(answer.raw.transport, Transport::answered) << describe(effect);
    EXPECT_TRUE(answer.at.set());
    EXPECT_LE(answer.asked_at, answer.at);
  }
}

TEST(Perform, AnAdapterThatThrowsIsUnknownWhateverItWasAskedFor) {
  for (const Effect& effect : one_of_each_kind()) {
    for (const int kind : {0, 1, 2}) {
      Rehearsal p;
      p.ports.before = [&](const Effect&) {
        if (kind == 0) throw std::runtime_error("disk on fire");
        if (kind == 1) throw std::bad_alloc();
        throw 7;  // NOLINT: not every thrown thing is an exception
      };
      const Answer answer = p.perform(effect);
      EXPECT_TRUE(std::holds_alternative<Unknown>(classify(call_of(effect), answer.raw))) << describe(effect);
      EXPECT_TRUE(std::holds_alternative<std::monostate>(answer.value)) << describe(effect);
      EXPECT_TRUE(answer.at.set());
      if (kind == 0) {
        EXPECT_NE(answer.raw.error.find("disk on fire"), std::string::npos) << answer.raw.error;
      }
    }
  }
}

TEST(Perform, AClaimGetsItsTokenAndAPaneItsRunner) {
  Rehearsal p;
  std::string token;
  p.ports.before = [&](const Effect& e) {
    if (const auto* write = std::get_if<WriteLedger>(&e)) token = std::get<Claim>(write->write).token;
    if (const auto* spawn = std::get_if<SpawnSession>(&e)) {
      EXPECT_EQ(spawn->order.argv, (std::vector<std::string>{"runner", "T-1"}));
      p.calls.emplace_back("spawned");
    }
  };
  Claim claim;
  claim.ticket = t1;
  p.perform(WriteLedger{claim});
  EXPECT_EQ(token, "token");
  SpawnOrder order;
  order.session = session_name(a1);
  p.perform(SpawnSession{order, a1});
  EXPECT_EQ(p.calls, std::vector<std::string>{"spawned"});
}

// And what is done by the way gets no more time than a call does.
TEST(Perform, APinSaysWhetherItsAttemptLives) {
  for (const PinWhen when : {PinWhen::seen, PinWhen::closing}) {
    Rehearsal p;
    p.ports.before = [&](const Effect& e) { EXPECT_EQ(std::get<PinBranch>(e).when, when); };
    p.perform(PinBranch{{}, when});
  }
}

TEST(Perform, ALookAsksTheProcessesOnlyOfARunnerThatBegan) {
  Rehearsal p;
  Look look;
  look.containment.attempt = a1;
  Answer answer = p.perform(look);
  EXPECT_EQ(p.calls.size(), 3U);  // record, stream, said
  EXPECT_EQ(std::get<Looked>(answer.value).process.runner, Presence::unknown);

  p.calls.clear();
  p.ports.with([](ToyWorld& toy) {
    toy.records[a1].decision = Decision::started;
    toy.processes[a1] = true;
    toy.streams[a1] = "abcdef";
  });
  look.stream_offset = 2;
  answer = p.perform(look);
  EXPECT_EQ(p.calls.size(), 4U);
  EXPECT_EQ(std::get<Looked>(answer.value).process.runner, Presence::present);
  EXPECT_EQ(std::get<Looked>(answer.value).stream, "cdef");
  EXPECT_EQ(std::get<Looked>(answer.value).stream_offset, 2);
}

}  // namespace
}  // namespace holdfast
