// The simulated ledger beside SQLite: three tickets that share two worktrees, every kind of write in any
// order, old and future generations among them; after each, what changed and everything there is are read
// from both.
#include <gtest/gtest.h>

#include <algorithm>

#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"
#include "fidelity/sequences.h"
#include "fidelity/simulated.h"

namespace holdfast::fidelity::of_ledgers {
namespace {

constexpr std::size_t kinds = std::variant_size_v<LedgerWrite>;
constexpr const char* same = "the same";

// A fact for each part of a value: where it differs, the simulated side says so.
template <class T>
void part(Facts& real, Facts& simulated, const std::string& name, const T& there, const T& here) {
  real[name] = same;
  simulated[name] = there == here ? same : "other";
}
void part(Facts& real, Facts& simulated, const std::string& name, std::size_t there, std::size_t here) {
  real[name] = std::to_string(there);
  simulated[name] = std::to_string(here);
}

void compare_contents(Judge& judge, const std::string& call, LedgerContents there, LedgerContents here) {
  Facts real, simulated;
  real["newest event"] = std::to_string(there.seq);
  simulated["newest event"] = std::to_string(here.seq);
  part(real, simulated, "slots", there.slots, here.slots);
  part(real, simulated, "pauses", there.pauses, here.pauses);
  part(real, simulated, "servers", there.servers, here.servers);
  part(real, simulated, "breaker", there.breaker, here.breaker);
  std::map<TicketId, std::array<const TicketLedger*, 2>> rows;
  for (const TicketLedger& row : there.tickets) rows[row.ticket][0] = &row;
  for (const TicketLedger& row : here.tickets) rows[row.ticket][1] = &row;
  for (const auto& [id, both] : rows) {
    const auto& [a, b] = both;
    real[id.value] = a ? "told" : "not told";
    simulated[id.value] = b ? "told" : "not told";
    if (!a || !b) continue;
    part(real, simulated, id.value + " memory", a->memory, b->memory);
    part(real, simulated, id.value + " attempt", a->newest, b->newest);
    const auto in_order = [](std::vector<Message> all) {
      std::ranges::sort(all, {}, &Message::id);
      return all;
    };
    std::vector<Message> live = b->messages;
    std::erase_if(live, [](const Message& m) { return m.state == MessageState::dropped; });
    part(real, simulated, id.value + " messages", in_order(a->messages), in_order(live));
    part(real, simulated, id.value + " number of messages", a->messages.size(), b->messages.size());
  }
  judge.compare(call, real, simulated);
}

Judge play(const std::vector<Command>& sequence, const sim::Defects& defects = {}) {
  Judge judge("ledger");
  const TempFolder folder;
  const auto real = open_ledger(folder / "ledger.db", LedgerMode::dispatcher).value();
  Simulated simulated(defects);
  std::map<TicketId, AttemptId> newest;
  std::int64_t seen = 0;

  const auto write = [&](const std::string& name, LedgerWrite what) {
    simulated.world.now.ms += 10;
    if (auto* claim = std::get_if<Claim>(&what)) claim->token = "token";  // stamped by whoever asks
    const Effect effect{WriteLedger{what}};
    auto there = real->write(what, simulated.world.now);
    const auto got = simulated.ask(effect);
    auto here = Simulated::value<LedgerDelta>(got);
    for (LedgerEvent& event : there.value.events) event.seq = 0;
    Facts a{{"outcome", kind_of(Call::ledger_write, there.raw)}, {"words", there.raw.error}};
    Facts b{{"outcome", kind_of(Call::ledger_write, got.raw)}, {"words", got.raw.error}};
    part(a, b, "attempt", there.value.attempt, here.attempt);
    part(a, b, "memory", there.value.memory, here.memory);
    part(a, b, "slots", there.value.slots, here.slots);
    part(a, b, "messages", there.value.messages, here.messages);
    part(a, b, "events", there.value.events, here.events);
    part(a, b, "whole change", there.value, here);
    judge.compare(name, a, b);
    if (there.value.attempt) newest[there.value.attempt->id.ticket] = there.value.attempt->id;
    compare_contents(judge, "changes after " + name, real->changes_after(seen).value,
                     Simulated::value<LedgerContents>(simulated.ask(ReadLedgerChanges{seen})));
    seen = real->load().value.seq;
  };

  for (int n = 1; n <= 2; ++n) write("StoreSlot", StoreSlot{kit::free_slot(n)});
  for (const Command& c : sequence) {
    const TicketId ticket{"T-" + std::to_string(c.whom + 1)};
    AttemptId id{ticket, {1}};
    if (const auto known = newest.find(ticket); known != newest.end()) id = known->second;
    // One in eight is of the generation before, one of the next.
    if (c.how == 0 && id.generation.value > 1) id.generation.value -= 1;
    if (c.how == 1) id.generation.value += 1;
    const auto tried = kit::one_of_each(id)[static_cast<std::size_t>(c.kind)];
    write(tried.name, tried.write);
    if (!judge.content()) return judge;
  }
  compare_contents(judge, "load", real->load().value,
                   Simulated::value<LedgerContents>(simulated.ask(LoadLedger{})));
  return judge;
}

rc::Gen<std::vector<Command>> any_writes() {
  std::vector<std::size_t> weights(kinds, 2);
  weights[0] = 6;  // claims, or there is nobody to write about
  return commands(weights, 3, 8);
}

// Straight to the end of a life, and once more.
std::vector<Command> whole_lives() {
  std::vector<Command> all;
  for (int life = 0; life < 2; ++life)
    for (const int kind : {0, 1, 2, 3, 4, 9, 13, 7, 15, 16}) all.push_back({kind, 0, 5});
  return all;
}

TEST(LedgerFidelity, TheSimulatedOneAgreesWithSqlite) {
  std::set<std::string_view> met;
  const auto playing = [&](const std::vector<Command>& sequence) {
    const Judge judge = play(sequence);
    met.insert(judge.met().begin(), judge.met().end());
    return judge;
  };
  const Judge lives = playing(whole_lives());
  ASSERT_TRUE(lives.content()) << lives.in_words();
  expect_agreement(any_writes(), 300, 60, playing);
  expect_all_met("ledger", met);
}

struct Broken {
  const char* name;
  bool sim::Defects::* defect;
};
class LedgerTwins : public testing::TestWithParam<Broken> {};
TEST_P(LedgerTwins, AreFound) {
  sim::Defects defects;
  defects.*GetParam().defect = true;
  const int found =
      sequences_until_caught(any_writes(), 100, 60, [&](const auto& s) { return play(s, defects); });
  EXPECT_GT(found, 0) << "a ledger that is built wrongly agrees with SQLite";
  RecordProperty("sequences", found);
}
INSTANTIATE_TEST_SUITE_P(All, LedgerTwins,
                         testing::Values(Broken{"no_fence", &sim::Defects::ledger_without_fence},
                                         Broken{"no_log", &sim::Defects::ledger_without_log},
                                         Broken{"claim_over_open", &sim::Defects::claim_over_open},
                                         Broken{"same_slot_twice", &sim::Defects::claim_takes_any_slot},
                                         Broken{"forgotten_lease", &sim::Defects::close_keeps_lease}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace holdfast::fidelity::of_ledgers
