#include "sim/explore/plan.h"

#include <algorithm>
#include <charconv>

#include "dispatcher/core/words.h"

namespace holdfast::sim {
namespace {

constexpr const char* ticket_names[] = {"T-1", "T-10", "T-2", "T-100"};
constexpr Phase all_phases[] = {Phase::planned, Phase::newborn,  Phase::ready, Phase::running,
                                Phase::waiting, Phase::finished, Phase::lost,  Phase::closed};

struct CallName {
  std::string_view name;
  Call call;
};
constexpr CallName call_names[] = {
    {"ledger-read", Call::ledger_changes},
    {"ledger-write", Call::ledger_write},
    {"board-changes", Call::board_changes},
    {"board-read", Call::board_read},
    {"board-move", Call::board_move},
    {"board-return", Call::board_return},
    {"board-comment", Call::board_comment},
    {"orders", Call::spec_write},
    {"seal", Call::seal},
    {"go", Call::go},
    {"post", Call::post},
    {"look", Call::look},
    {"spawn", Call::spawn},
    {"list", Call::server_list},
    {"session-end", Call::session_end},
    {"notice", Call::notice},
    {"tree-end", Call::tree_end},
    {"pool", Call::pool_ensure},
    {"prepare", Call::prepare},
    {"inspect", Call::inspect},
    {"pin", Call::pin},
    {"salvage", Call::salvage},
    {"release", Call::release},
    {"land", Call::land},
    {"push", Call::push},
};

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// "500ms", "10s", "2min"
std::optional<Duration> duration(std::string_view text) {
  for (const auto& [unit, ms] : {std::pair{std::string_view("ms"), 1}, {"min", 60'000}, {"s", 1000}})
    if (text.ends_with(unit))
      if (const auto n = number(text.substr(0, text.size() - unit.size())))
        return Duration{std::int64_t{*n} * ms};
  return std::nullopt;
}

}  // namespace

std::optional<Trigger> trigger_from(std::string_view words, std::string& error) {
  Trigger t;
  bool first = true;
  while (!words.empty()) {
    const std::string_view part = words.substr(0, words.find(','));
    words.remove_prefix(std::min(words.size(), part.size() + 1));
    const auto wrong = [&](std::string_view why) {
      error = "'" + std::string(part) + "': " + std::string(why);
      return std::nullopt;
    };
    if (std::exchange(first, false)) {
      const auto id = fault_named(part);
      if (!id || *id == FaultId::none)
        return wrong("no fault of that name; `holdfast-sim faults` lists them");
      t.fault = *id;
      continue;
    }
    const auto at = part.find('=');
    if (at == std::string_view::npos) return wrong("expected KEY=VALUE");
    const std::string_view key = part.substr(0, at), value = part.substr(at + 1);
    const auto n = number(value);
    if (key == "phase") {
      for (const Phase phase : all_phases)
        if (value == holdfast::words_for(phase)) t.phase = phase;
      if (!t.phase)
        return wrong("no such phase: planned, newborn, ready, running, waiting, finished, lost, closed");
    } else if (key == "call") {
      for (const CallName& one : call_names)
        if (one.name == value) t.call = one.call;
      if (!t.call) {
        std::string all;
        for (const CallName& one : call_names) all += " " + std::string(one.name);
        return wrong("no such call:" + all);
      }
      const auto& calls = fault(t.fault).calls;
      if (fault(t.fault).actor != Actor::port || std::ranges::find(calls, *t.call) == calls.end())
        return wrong("that fault does not strike there");
    } else if (key == "from" || key == "within") {
      const auto span = duration(value);
      if (!span) return wrong("expected a span such as 500ms, 10s or 2min");
      if (key == "from")
        t.from = *span;
      else
        t.within = *span;
    } else if (key == "after") {
      const auto id = fault_named(value);
      if (!id || *id == FaultId::none) return wrong("no fault of that name");
      t.after = *id;
    } else if (key == "nth" || key == "times" || key == "chance") {
      if (!n || *n < 1) return wrong("expected a number from 1");
      (key == "nth" ? t.nth : key == "times" ? t.times : t.chance) = *n;
    } else {
      return wrong("no such condition: call, nth, phase, from, within, chance, after, times");
    }
  }
  if (t.fault == FaultId::none) {
    error = "a trigger begins with the fault's id: B1,phase=ready";
    return std::nullopt;
  }
  return t;
}

std::string words_for(const Trigger& t) {
  std::string words{name_of(t.fault)};
  if (t.call)
    for (const CallName& one : call_names)
      if (one.call == *t.call) words += ",call=" + std::string(one.name);
  if (t.nth != 1) words += ",nth=" + std::to_string(t.nth);
  if (t.phase) words += std::string(",phase=") + holdfast::words_for(*t.phase);
  if (t.from.ms > 0) words += ",from=" + std::to_string(t.from.ms) + "ms";
  if (t.within) words += ",within=" + std::to_string(t.within->ms) + "ms";
  if (t.chance != 1000) words += ",chance=" + std::to_string(t.chance);
  if (t.after != FaultId::none) words += ",after=" + std::string(name_of(t.after));
  if (t.times != 1) words += ",times=" + std::to_string(t.times);
  return words;
}

std::shared_ptr<const Setup> setup_of(const WorldPlan& plan, const DispatcherMaker& maker,
                                      const Defects& defects) {
  auto setup = std::make_shared<Setup>();
  Policy& p = setup->policy;
  p.capacity = plan.capacity;
  p.shards = plan.shards;
  p.target = p.start = "refs/heads/main";
  p.gate = plan.land ? GatePolicy::land : GatePolicy::review;
  p.recovered = plan.continue_branch ? RecoveredPolicy::continue_branch : RecoveredPolicy::review;
  p.attempts_max = plan.attempts_max;
  p.effects_at_once = plan.effects_at_once;
  p.spawns_per_second = 3;  // few enough that a storm of few tickets is one
  p.backoff_first = seconds(plan.backoff_s);
  p.backoff_max = minutes(2);
  p.board_every = p.servers_every = p.look_every = seconds(plan.look_s);
  p.review_every = seconds(plan.review_s);
  p.newborn_grace = seconds(plan.newborn_s);
  Profile profile;
  profile.name = "generic";
  profile.command = {"worker"};
  if (plan.echoes) profile.preamble = "Say\nDONE: <what>\nat the end.";
  profile.finish_grace = seconds(plan.finish_s);
  profile.term_grace = seconds(plan.term_s);
  p.profiles["generic"] = profile;
  for (int i = 0; i < plan.tickets; ++i) {
    BoardTicket ticket;
    ticket.id = {ticket_names[i]};
    ticket.title = "Do it";
    ticket.body = plan.echoes ? "Please.\nDONE: said nobody" : "Please.";
    ticket.state = BoardState::todo;
    ticket.version = 1;
    setup->tickets.push_back(ticket);
  }
  setup->maker = maker;
  setup->defects = defects;
  setup->cgroups = plan.cgroups;
  setup->fault_budget = plan.faults;
  setup->crash_budget = plan.crashes;
  setup->person_budget = plan.persons;
  setup->faults = plan.kinds;
  setup->dispatchers = plan.dispatchers;
  return setup;
}

}  // namespace holdfast::sim
