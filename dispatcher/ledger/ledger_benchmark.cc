// What the ledger costs over the bare statement: claims and events for each second, at equal durability.
//
// A claim here is everything a claim is: the fence, the slot, the row, the memory, the prompt, the event, the
// triggers. The bare statement is one conditional UPDATE of a small row.
#include <benchmark/benchmark.h>

#include <atomic>
#include <thread>

#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/sqlite_connection.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

constexpr int pool = 20'000;

struct House {
  TempFolder folder;
  std::unique_ptr<SqliteLedger> ledger;

  explicit House(int slots) {
    ledger = open_ledger(folder / "ledger.db", LedgerMode::dispatcher).value();
    std::vector<LedgerWrite> writes;
    writes.reserve(static_cast<std::size_t>(slots));
    for (int n = 0; n < slots; ++n) {
      Slot slot = kit::free_slot(1);
      slot.id.value = "slot-" + std::to_string(100'000 + n);
      writes.emplace_back(StoreSlot{slot});
    }
    ledger->write_many(writes, {1});
  }
};

void BareUpdate(benchmark::State& state, bool fsync) {
  const TempFolder folder;
  auto db = sqlite::Connection::open(folder / "bare.db", sqlite::Access::read_write_create, 1000).value();
  db.execute("PRAGMA journal_mode = WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, state INTEGER, owner TEXT);");
  db.begin_writing();
  for (int n = 0; n < pool; ++n) db.run("INSERT INTO t VALUES (?, 0, '')", n);
  db.commit();
  db.set_fsync_at_commit(fsync);
  int n = 0;
  while (state.KeepRunning()) {
    db.begin_writing();
    db.run("UPDATE t SET state = 1, owner = 'T-1-g1' WHERE id = ? AND state >= 0", n++ % pool);
    if (db.commit() != sqlite::Committed::yes) state.SkipWithError("not committed");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(BareUpdate, full, true);
BENCHMARK_CAPTURE(BareUpdate, normal, false);

void ClaimOne(benchmark::State& state) {
  House house(pool);
  int n = 0;
  while (state.KeepRunning())
    if (house.ledger->write(kit::claim_of("T-" + std::to_string(n++)), {10}).raw.code != 0) {
      state.SkipWithError("refused");
      break;
    }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ClaimOne)->Name("Claim/full");

// So many dispatcher threads at once: one fsync for all that wait.
void ClaimTogether(benchmark::State& state) {
  House house(pool);
  std::atomic<int> next{0};
  const auto threads = state.range(0);
  while (state.KeepRunning()) {
    std::vector<std::jthread> workers;
    workers.reserve(static_cast<std::size_t>(threads));
    for (std::int64_t t = 0; t < threads; ++t)
      workers.emplace_back([&] {
        for (int n = 0; n < 8; ++n) house.ledger->write(kit::claim_of("T-" + std::to_string(next++)), {10});
      });
  }
  state.SetItemsProcessed(state.iterations() * threads * 8);
}
BENCHMARK(ClaimTogether)->Name("Claim/full/threads")->Arg(4)->Arg(16)->Arg(50)->UseRealTime()->Iterations(20);

void ClaimBatch(benchmark::State& state) {
  House house(pool);
  int n = 0;
  const auto size = state.range(0);
  while (state.KeepRunning()) {
    std::vector<LedgerWrite> writes;
    writes.reserve(static_cast<std::size_t>(size));
    for (std::int64_t k = 0; k < size; ++k) writes.emplace_back(kit::claim_of("T-" + std::to_string(n++)));
    house.ledger->write_many(writes, {10});
  }
  state.SetItemsProcessed(state.iterations() * size);
}
BENCHMARK(ClaimBatch)->Name("Claim/full/batch")->Arg(10)->Arg(100)->UseRealTime()->Iterations(100);

void AppendEvent(benchmark::State& state) {
  House house(1);
  const Note note{{{"T-1"}, {1}}, "note", "cause", "evidence of some length, as it usually has"};
  while (state.KeepRunning()) house.ledger->write(note, {10});
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(AppendEvent)->Name("Event/normal");

void NothingChanged(benchmark::State& state) {
  House house(50);
  const auto seq = house.ledger->load().value.seq;
  while (state.KeepRunning()) benchmark::DoNotOptimize(house.ledger->changes_after(seq));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(NothingChanged)->Name("Changes/none");

void LoadThousandOpen(benchmark::State& state) {
  House house(1000);
  for (int n = 0; n < 1000; ++n) house.ledger->write(kit::claim_of("T-" + std::to_string(n)), {10});
  while (state.KeepRunning()) benchmark::DoNotOptimize(house.ledger->load());
}
BENCHMARK(LoadThousandOpen)->Name("Load/1000 open")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace holdfast

BENCHMARK_MAIN();
