// Many seeds: over several threads, a part of them on each of several machines, some of them twice.
//
// Every 64th seed is run a second time and the digests are compared: a run that does not follow from its seed
// alone cannot be replayed, and that is a failure of its own kind.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/explore/seed_run.h"

namespace holdfast::sim {

struct RunsOptions {
  SeedOptions each;
  std::uint64_t start = 1, seeds = 1000;
  std::uint64_t shard = 0, shards = 1;  // of this: seeds whose distance from the start leaves `shard`
  std::uint64_t twice = 64;             // one in so many is run twice; 0: none
  int jobs = 1;
  bool collect = false;  // go on after a failure
};

struct RunsResult {
  Tally tally;
  std::vector<SeedResult> failures;     // by seed, without their traces
  std::vector<std::uint64_t> diverged;  // seeds that gave two digests
  std::vector<std::uint64_t> unfired;   // seeds in which a planned fault never struck
  std::uint64_t compared = 0;           // runs that were done twice
  std::uint64_t planned = 0;            // seeds that were to be run here
  Digest digest{0, 0};                  // of all runs, in whatever order they were done
  bool stopped = false;                 // before all were done: by a failure, or by the caller
  double seconds = 0;
};

// `progress` is called now and then, by one thread at a time; `stop` ends it early.
RunsResult run_seeds(const RunsOptions&, const std::function<void(const RunsResult&)>& progress,
                     const std::atomic<bool>& stop);

}  // namespace holdfast::sim
