// A fleet of toys is run and watched; the text is read as Prometheus reads it, and the dashboard asks for
// nothing that is not in it.
#include "dispatcher/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "dispatcher/core/toy_world.h"

namespace holdfast {
namespace {

using testing::HasSubstr;

// As run_for, with somebody who watches.
void watch_for(Brain& brain, ToyWorld& world, Metrics& metrics, Duration span) {
  const Instant end = world.now + span;
  for (int turns = 0; turns < 10'000; ++turns) {
    const auto effects = next_effects(brain, world.now);
    for (const Effect& effect : effects) {
      const Answer answer = world.perform(effect);
      metrics.saw(answer);
      absorb(brain, answer);
      if (const auto* go = std::get_if<GiveGo>(&effect)) absorb(brain, AttemptNews{go->attempt});
      if (const auto* spawn = std::get_if<SpawnSession>(&effect)) absorb(brain, AttemptNews{spawn->attempt});
    }
    metrics.saw(brain, world.now);
    if (!effects.empty()) continue;
    const Instant wake = next_wake(brain);
    if (!wake.set() || wake >= end) break;
    world.now = std::max(wake, world.now + millis(1));
  }
  world.now = std::max(world.now, end);
  metrics.saw(brain, world.now);
}

struct Fleet {
  ToyWorld world{3};
  Brain brain{toy_policy(3), {}, {}};
  Metrics metrics{"1.2.3"};
  void run(Duration span) { watch_for(brain, world, metrics, span); }
  // The first effect of that kind is answered so; `effect_happens` all the same, or not.
  template <class Struck>
  void strike_first(const RawReply& raw, bool effect_happens) {
    world.fault = [this, raw, effect_happens](const Effect& effect) -> std::optional<ToyWorld::Fault> {
      if (struck || !std::holds_alternative<Struck>(effect)) return std::nullopt;
      struck = true;
      return ToyWorld::Fault{raw, effect_happens};
    };
  }
  bool struck = false;
  // "holdfast_x{a="b"}" -> value; nothing: no such series
  [[nodiscard]] std::optional<double> value(const std::string& series) const {
    std::istringstream in(metrics.text());
    for (std::string line; std::getline(in, line);)
      if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
    return std::nullopt;
  }
};

TEST(Metrics, FollowATicketFromItsClaimToItsEnd) {
  Fleet fleet;
  fleet.world.add("T-1");
  fleet.run(seconds(5));
  EXPECT_EQ(fleet.value("holdfast_pickups_total"), 1);
  EXPECT_EQ(fleet.value("holdfast_claim_to_live_seconds_count"), 1);
  EXPECT_EQ(fleet.value("holdfast_claim_to_prompt_seconds_count"), 1);
  EXPECT_EQ(fleet.value("holdfast_prompts_delivered_total"), 1);
  EXPECT_EQ(fleet.value(R"(holdfast_runtimes{phase="running"})"), 1);
  EXPECT_EQ(fleet.value(R"(holdfast_verdicts{verdict="alive"})"), 1);
  EXPECT_EQ(fleet.value(R"(holdfast_tickets{state="in_progress"})"), 1);
  EXPECT_EQ(fleet.value(R"(holdfast_worktrees{state="leased"})"), 1);
  EXPECT_EQ(fleet.value("holdfast_returns_total"), 0);
  EXPECT_EQ(fleet.value("holdfast_adoptions_total"), 0);
  EXPECT_EQ(fleet.value("holdfast_drift_repairs_total"), 0);

  fleet.world.exit({"T-1"}, 3);
  fleet.run(minutes(3));
  EXPECT_EQ(fleet.value(R"(holdfast_deaths_total{cause="exit_code"})"), 1);
  EXPECT_EQ(fleet.value(R"(holdfast_closes_total{disposition="todo"})"), 1);
  EXPECT_EQ(fleet.value("holdfast_returns_total"), 1);
}

TEST(Metrics, ASpawnWhoseAnswerWasLostIsAnAdoption) {
  Fleet fleet;
  fleet.world.add("T-1");
  fleet.strike_first<SpawnSession>({Transport::no_answer, 0, "", ""}, true);
  fleet.run(minutes(2));
  EXPECT_EQ(fleet.value(R"(holdfast_effects_total{call="spawn",outcome="unknown"})"), 1);
  EXPECT_EQ(fleet.value("holdfast_adoptions_total"), 1);
  EXPECT_EQ(fleet.value("holdfast_returns_total"), 0);
}

TEST(Metrics, TheBoardIsToldAgainIsARepair) {
  Fleet fleet;
  fleet.world.add("T-1");
  fleet.run(seconds(5));
  BoardTicket& ticket = fleet.world.board.at({"T-1"});
  ticket.state = BoardState::todo;  // somebody's hand, while the worker lives
  ticket.version += 1;
  fleet.run(minutes(3));
  EXPECT_EQ(fleet.world.board.at({"T-1"}).state, BoardState::in_progress);
  EXPECT_EQ(fleet.value("holdfast_drift_repairs_total"), 1);
}

TEST(Metrics, ARefusalBecauseSomebodyWasFirstIsAConflictInItsPhase) {
  Fleet fleet;
  fleet.world.add("T-1");
  fleet.strike_first<MoveTicket>({Transport::answered, 409, "", "somebody was first"}, false);
  fleet.run(minutes(2));
  EXPECT_TRUE(fleet.struck);
  EXPECT_THAT(fleet.metrics.text(),
              testing::ContainsRegex("holdfast_conflicts_total\\{call=\"board_move\",phase=\"planned\","
                                     "reason=\"conflict\"\\} 1"));
}

// What `promtool check metrics` looks at, as far as one dispatcher's text can break it.
TEST(Metrics, TheTextIsWellFormed) {
  Fleet fleet;
  fleet.world.add("T-1");
  fleet.world.add("T-2");
  fleet.run(seconds(5));
  fleet.world.exit({"T-1"}, 0);
  fleet.run(minutes(1));

  const std::regex sample(R"re(([a-z_]+)(\{([a-z_]+="[^"\\\n]*",?)*\})? ([0-9eE.+-]+|\+Inf|NaN))re");
  std::map<std::string, std::string> type_of;
  std::set<std::string> series;
  std::string family;
  double bucket = 0;
  std::istringstream in(fleet.metrics.text());
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# HELP ")) {
      EXPECT_GT(line.size(), line.find(' ', 7) + 10) << "no help: " << line;
      continue;
    }
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(family.starts_with("holdfast_")) << family;
      EXPECT_TRUE(type_of.emplace(family, line.substr(8 + family.size())).second) << family << " twice";
      continue;
    }
    std::smatch part;
    ASSERT_TRUE(std::regex_match(line, part, sample)) << line;
    const std::string name = part[1];
    EXPECT_TRUE(series.insert(name + part[2].str()).second) << line << " twice";
    EXPECT_TRUE(name.starts_with(family)) << name << " stands below " << family;
    EXPECT_EQ(name.ends_with("_total"), type_of[family] == "counter") << name;
    if (name.ends_with("_bucket")) {
      const double n = std::stod(part[4]);
      if (part[2].str().find("le=\"0.001\"") != std::string::npos || part[2].str() == "{le=\"0.01\"}")
        bucket = 0;
      EXPECT_GE(n, bucket) << "buckets grow: " << line;
      bucket = n;
    } else {
      bucket = 0;
    }
  }
  EXPECT_EQ(type_of.at("holdfast_effect_seconds"), "histogram");
  EXPECT_EQ(fleet.value(R"(holdfast_build_info{version="1.2.3"})"), 1);
}

TEST(Metrics, TheDashboardAsksForWhatThereIsAndForAllOfIt) {
  Fleet fleet;
  fleet.world.add("T-1");
  fleet.world.add("T-2");
  fleet.strike_first<MoveTicket>({Transport::answered, 409, "", "somebody was first"}, false);
  fleet.run(minutes(2));
  fleet.world.exit({"T-1"}, 0);
  fleet.run(minutes(1));
  std::set<std::string> there;
  std::istringstream in(fleet.metrics.text());
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("# TYPE ")) there.insert(line.substr(7, line.find(' ', 7) - 7));

  std::ifstream file(HOLDFAST_SOURCE_DIR "/docs/grafana-dashboard.json");
  const auto dashboard = nlohmann::json::parse(file);
  std::set<std::string> asked;
  const std::regex name("holdfast_[a-z_]+");
  for (const auto& panel : dashboard.at("panels"))
    for (const auto& target : panel.value("targets", nlohmann::json::array())) {
      const std::string expression = target.at("expr");
      for (std::sregex_iterator at(expression.begin(), expression.end(), name), none; at != none; ++at) {
        std::string one = at->str();
        for (const char* suffix : {"_bucket", "_sum", "_count"})
          if (one.ends_with(suffix) && !there.contains(one))
            one.erase(one.size() - std::string(suffix).size());
        EXPECT_TRUE(there.contains(one)) << expression << " asks for " << one;
        asked.insert(one);
      }
    }
  for (const std::string& family : there) EXPECT_TRUE(asked.contains(family)) << family << " is on no panel";
}

}  // namespace
}  // namespace holdfast
