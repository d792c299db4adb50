// holdfast-sim twins: hunts every broken twin, and says how many seeds it took.
#include <algorithm>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "sim/cli/commands.h"
#include "sim/twins/hunt.h"

namespace holdfast::sim::cli {
namespace {

struct Row {
  const Twin* twin = nullptr;
  std::vector<Hunt> hunts;  // one for each schedule
};

std::string names_of(const std::vector<Invariant>& all) {
  std::string names;
  for (const Invariant i : all) names += (names.empty() ? "" : " ") + std::string(sim::name_of(i));
  return names;
}

nlohmann::json as_json(const Row& row, const std::vector<Schedule>& schedules) {
  nlohmann::json one = {{"id", row.twin->id},
                        {"title", row.twin->title},
                        {"from", row.twin->from},
                        {"breaks", names_of(row.twin->breaks)}};
  for (std::size_t i = 0; i < schedules.size(); ++i) {
    const Hunt& h = row.hunts[i];
    one["schedules"][std::string(name_of(schedules[i]))] = {
        {"median", h.median()}, {"p95", h.p95()},           {"escaped", h.escaped},
        {"seeds", h.took},      {"by_others", h.by_others}, {"first_seed", h.first_seed}};
  }
  return one;
}

void print(const Row& row, const std::vector<Schedule>& schedules) {
  std::printf("%-28s %-12s", std::string(row.twin->id).c_str(), names_of(row.twin->breaks).c_str());
  for (std::size_t i = 0; i < schedules.size(); ++i) {
    const Hunt& h = row.hunts[i];
    std::printf("  %s %5llu %5llu%s", std::string(name_of(schedules[i])).c_str(),
                static_cast<unsigned long long>(h.median()), static_cast<unsigned long long>(h.p95()),
                h.was_caught() ? "" : (" ESCAPED " + std::to_string(h.escaped) + "x").c_str());
    if (!h.was_caught() && !h.others.empty()) std::printf(" (others: %s)", h.others.c_str());
  }
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int twins(const TwinsCommand& o) {
  if (o.list) {
    for (const Twin& twin : sim::twins())
      say(std::string(twin.id) + "\t" + names_of(twin.breaks) + "\t" + std::string(twin.title) +
          (twin.from.empty() ? "" : " (" + std::string(twin.from) + ")"));
    return passed;
  }
  std::vector<const Twin*> chosen;
  for (const std::string& id : o.ids) {
    const Twin* twin = twin_named(id);
    if (twin == nullptr) {
      std::fprintf(stderr, "there is no twin '%s'; `holdfast-sim twins --list` shows them\n", id.c_str());
      return usage;
    }
    chosen.push_back(twin);
  }
  if (chosen.empty())
    for (const Twin& twin : sim::twins()) chosen.push_back(&twin);
  std::vector<Schedule> schedules;
  for (const std::string& name : o.schedules) schedules.push_back(schedule_named(name).value());
  if (schedules.empty()) schedules = {Schedule::swarm, Schedule::pct, Schedule::uniform};

  std::vector<Row> rows(chosen.size());
  std::atomic<std::size_t> next = 0;
  std::mutex output;
  const auto work = [&] {
    for (std::size_t i = next++; i < chosen.size() && !interrupted; i = next++) {
      Row& row = rows[i];
      row.twin = chosen[i];
      for (const Schedule schedule : schedules) {
        HuntOptions how;
        how.schedule = schedule;
        how.starts = o.starts;
        how.most = o.seeds;
        row.hunts.push_back(hunt(*row.twin, how));
      }
      const std::scoped_lock lock(output);
      if (!o.json) print(row, schedules);
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 1; i < o.jobs; ++i) workers.emplace_back(work);
    work();
  }
  if (interrupted) return unfinished;

  int escaped = 0;
  std::vector<std::uint64_t> medians;
  nlohmann::json all = nlohmann::json::array();
  for (const Row& row : rows) {
    const bool caught = std::ranges::any_of(row.hunts, &Hunt::was_caught);
    escaped += caught ? 0 : 1;
    medians.push_back(row.hunts.front().median());
    all.push_back(as_json(row, schedules));
  }
  std::ranges::sort(medians);
  const std::uint64_t median = medians[medians.size() / 2];
  if (o.json)
    say(nlohmann::json{{"twins", all}, {"escaped", escaped}, {"median", median}}.dump(1));
  else
    std::printf("%zu twins, %d escaped, median of the medians with %s: %llu seeds\n", rows.size(), escaped,
                std::string(name_of(schedules.front())).c_str(), static_cast<unsigned long long>(median));
  return escaped == 0 ? passed : unsafe;
}

}  // namespace holdfast::sim::cli
