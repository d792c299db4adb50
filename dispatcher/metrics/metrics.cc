#include "dispatcher/metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <mutex>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

constexpr Duration look_every = seconds(1);

// From a file that is in memory to a tmux server that has to start.
const Histogram::BucketBoundaries effect_bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                0.25,  0.5,    1,     2.5,  5,     10,   30};
// From a warm pool to a repository that takes minutes to check out.
const Histogram::BucketBoundaries pickup_bounds{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                2.5,  5,     10,   30,  60,   300};

double seconds_of(Duration d) {
  return static_cast<double>(d.ms) / 1000.0;
}

// Stable names: dashboards know them.
const char* name_of(Call call) {
  switch (call) {
    case Call::ledger_load: return "ledger_load";
    case Call::ledger_changes: return "ledger_changes";
    case Call::ledger_write: return "ledger_write";
    case Call::board_changes: return "board_changes";
    case Call::board_read: return "board_read";
    case Call::board_move: return "board_move";
    case Call::board_return: return "board_return";
    case Call::board_comment: return "board_comment";
    case Call::spec_write: return "spec_write";
    case Call::seal: return "seal";
    case Call::go: return "go";
    case Call::post: return "post";
    case Call::look: return "look";
    case Call::record_list: return "record_list";
    case Call::server_start: return "server_start";
    case Call::spawn: return "spawn";
    case Call::server_list: return "server_list";
    case Call::session_end: return "session_end";
    case Call::notice: return "notice";
    case Call::tree_end: return "tree_end";
    case Call::pool_ensure: return "pool_ensure";
    case Call::prepare: return "prepare";
    case Call::inspect: return "inspect";
    case Call::pin: return "pin";
    case Call::salvage: return "salvage";
    case Call::release: return "release";
    case Call::land: return "land";
    case Call::push: return "push";
    case Call::traces: return "traces";
  }
  return "";
}

const char* words_for_why(Why why) {
  switch (why) {
    case Why::conflict: return "conflict";
    case Why::not_ready: return "not_ready";
    case Why::gone: return "gone";
    case Why::busy: return "busy";
    case Why::exhausted: return "exhausted";
    case Why::dirty: return "dirty";
    case Why::stale: return "stale";
    case Why::invalid: return "invalid";
    case Why::denied: return "denied";
  }
  return "";
}

// A label's value: words with underscores, as the format's users expect.
std::string label(std::string_view words) {
  std::string out(words);
  for (char& c : out)
    if (c == ' ' || c == '-') c = '_';
  return out;
}

constexpr std::array phases{Phase::planned, Phase::newborn,  Phase::ready, Phase::running,
                            Phase::waiting, Phase::finished, Phase::lost};
constexpr std::array board_states{BoardState::backlog,   BoardState::todo,    BoardState::in_progress,
                                  BoardState::in_review, BoardState::blocked, BoardState::done,
                                  BoardState::cancelled};
constexpr std::array slot_states{SlotState::free, SlotState::leased, SlotState::quarantined};
constexpr std::array lives{Life::alive, Life::dead, Life::unknown};

const char* words_for_life(Life life) {
  switch (life) {
    case Life::alive: return "alive";
    case Life::dead: return "dead";
    case Life::unknown: return "unknown";
  }
  return "";
}

}  // namespace

struct Metrics::Parts {
  prometheus::Registry registry;

  prometheus::Family<Counter>& counters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  prometheus::Family<Gauge>& gauges(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  prometheus::Family<Histogram>& histograms(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  Counter& pickups = counters("holdfast_pickups_total", "Attempts that were claimed.").Add({});
  prometheus::Family<Counter>& deaths =
      counters("holdfast_deaths_total", "Certified deaths of runtimes, by cause.");
  prometheus::Family<Counter>& closes =
      counters("holdfast_closes_total", "Attempts that were closed, by what the board is to be told.");
  Counter& returns =
      counters("holdfast_returns_total", "Tickets put back to todo, each with the certificate of a death.")
          .Add({});
  Counter& adoptions =
      counters("holdfast_adoptions_total", "Runtimes found by looking, whose spawn was never answered.")
          .Add({});
  Counter& drift =
      counters("holdfast_drift_repairs_total",
               "Times the board was told again that a ticket whose runtime lives is in progress.")
          .Add({});
  Counter& prompts = counters("holdfast_prompts_delivered_total", "Prompts that a worker has read.").Add({});
  prometheus::Family<Counter>& effects =
      counters("holdfast_effects_total", "Answers of port calls, by call and outcome.");
  prometheus::Family<Counter>& conflicts =
      counters("holdfast_conflicts_total",
               "Refusals because somebody else was first, or the runtime was not "
               "ready, by call, reason and phase of the attempt.");

  prometheus::Family<Histogram>& effect_seconds =
      histograms("holdfast_effect_seconds", "From the beginning of a port call to its answer, by call.");
  Histogram& claim_to_live =
      histograms("holdfast_claim_to_live_seconds", "From the claim to a runner that has its worker.")
          .Add({}, pickup_bounds);
  Histogram& claim_to_prompt =
      histograms("holdfast_claim_to_prompt_seconds",
                 "From the claim to a prompt that the worker has read; of profiles that are given theirs by "
                 "argument or file there is none.")
          .Add({}, pickup_bounds);

  prometheus::Family<Gauge>& runtimes = gauges("holdfast_runtimes", "Open attempts, by phase.");
  prometheus::Family<Gauge>& verdicts =
      gauges("holdfast_verdicts", "Open attempts, by what the probes say of their runtime.");
  Gauge& unknown_age =
      gauges("holdfast_unknown_oldest_seconds",
             "For how long it could not be told of the oldest such attempt whether it lives.")
          .Add({});
  prometheus::Family<Gauge>& tickets = gauges("holdfast_tickets", "Tickets as the board has them, by state.");
  Gauge& queue = gauges("holdfast_queue_depth", "Tickets that could be claimed now.").Add({});
  prometheus::Family<Gauge>& slots = gauges("holdfast_worktrees", "Worktrees of the pool, by state.");
  Gauge& capacity = gauges("holdfast_capacity", "Runtimes that may be live at once.").Add({});
  Gauge& undelivered =
      gauges("holdfast_messages_undelivered", "Messages that no worker has read yet.").Add({});
  Gauge& in_flight = gauges("holdfast_effects_in_flight", "Port calls that have not answered yet.").Add({});
  Gauge& attention = gauges("holdfast_attention", "Open attempts that a person should look at.").Add({});
  Gauge& looked_at =
      gauges("holdfast_looked_at_timestamp_seconds", "When the loop was last seen to turn, since the epoch.")
          .Add({});

  // Between a claim and its end, for the times above; and for the phase that a conflict met.
  struct Course {
    Instant claimed_at;
    Phase phase = Phase::planned;
    bool spawned = false, live = false, prompted = false;
  };
  mutable std::mutex mutex;  // of what is below
  std::map<TicketId, Course> open;
  std::optional<Instant> looked;

  explicit Parts(const std::string& version) {
    gauges("holdfast_build_info", "1, with the version of the program.").Add({{"version", version}}).Set(1);
    // A series that begins with its first event hides that event from rate().
    for (int n = static_cast<int>(Cause::never_came_to_be); n <= static_cast<int>(Cause::unknown); ++n)
      deaths.Add({{"cause", label(words_for(static_cast<Cause>(n)))}});
  }

  void take(const WriteLedger& effect, const Answer& answer);
  void take_attempt(const Attempt& attempt, const LedgerWrite& write);
};

namespace {

template <class... F>
struct Cases : F... {
  using F::operator()...;
};

}  // namespace

void Metrics::Parts::take_attempt(const Attempt& attempt, const LedgerWrite& write) {
  const std::scoped_lock held(mutex);
  if (!attempt.open()) {
    open.erase(attempt.id.ticket);
    return;
  }
  Course& course = open[attempt.id.ticket];
  if (std::holds_alternative<Claim>(write)) course = Course{};
  course.claimed_at = attempt.claimed_at;
  course.phase = attempt.phase;
  if (std::holds_alternative<RecordNewborn>(write) && !course.spawned) adoptions.Increment();
  if (std::holds_alternative<RecordReady>(write) && !course.live) {
    course.live = true;
    claim_to_live.Observe(seconds_of(attempt.ready_at - attempt.claimed_at));
  }
}

void Metrics::Parts::take(const WriteLedger& effect, const Answer& answer) {
  const auto* delta = std::get_if<LedgerDelta>(&answer.value);
  if (delta == nullptr) return;
  if (delta->attempt) take_attempt(*delta->attempt, effect.write);
  std::visit(
      Cases{[&](const Claim&) { pickups.Increment(); },
            [&](const RecordLost& lost) {
              deaths.Add({{"cause", label(words_for(lost.certificate.cause()))}}).Increment();
            },
            [&](const RecordDeath& death) {
              deaths.Add({{"cause", label(words_for(death.certificate.cause()))}}).Increment();
            },
            [&](const Close& close) {
              closes.Add({{"disposition", close.disposition ? label(words_for(*close.disposition)) : "none"}})
                  .Increment();
            },
            [&](const MoveMessage& moved) {
              if (moved.to != MessageState::delivered) return;
              for (const Message& message : delta->messages) {
                if (message.kind != MessageKind::prompt || message.state != MessageState::delivered) continue;
                prompts.Increment();
                const std::scoped_lock held(mutex);
                const auto course = open.find(moved.attempt.ticket);
                if (course == open.end() || course->second.prompted) continue;
                course->second.prompted = true;
                claim_to_prompt.Observe(seconds_of(answer.at - course->second.claimed_at));
              }
            },
            [](const auto&) {}},
      effect.write);
}

Metrics::Metrics(const std::string& version) : parts_(std::make_unique<Parts>(version)) {}
Metrics::~Metrics() = default;

void Metrics::saw(const Answer& answer) {
  Parts& p = *parts_;
  const std::string call = name_of(call_of(answer.effect));
  const Outcome outcome = classify(call_of(answer.effect), answer.raw);
  p.effect_seconds.Add({{"call", call}}, effect_bounds).Observe(seconds_of(answer.at - answer.asked_at));
  const auto* refused = std::get_if<Refused>(&outcome);
  p.effects
      .Add({{"call", call},
            {"outcome", refused != nullptr ? "refused"
                        : is_done(outcome) ? "done"
                                           : "unknown"}})
      .Increment();
  const TicketId ticket = ticket_of(answer.effect);
  if (refused != nullptr) {
    const bool conflict =
        refused->why() == Why::conflict || refused->why() == Why::stale || refused->why() == Why::not_ready;
    if (!conflict) return;
    std::string phase = "none";
    {
      const std::scoped_lock held(p.mutex);
      if (const auto course = p.open.find(ticket); course != p.open.end())
        phase = words_for(course->second.phase);
    }
    p.conflicts.Add({{"call", call}, {"reason", words_for_why(refused->why())}, {"phase", label(phase)}})
        .Increment();
    return;
  }
  if (!is_done(outcome)) return;
  if (const auto* write = std::get_if<WriteLedger>(&answer.effect)) p.take(*write, answer);
  if (std::holds_alternative<ReturnToTodo>(answer.effect)) p.returns.Increment();
  if (std::holds_alternative<SpawnSession>(answer.effect)) {
    const std::scoped_lock held(p.mutex);
    if (const auto course = p.open.find(ticket); course != p.open.end()) course->second.spawned = true;
  }
  if (const auto* move = std::get_if<MoveTicket>(&answer.effect);
      move != nullptr && move->to == BoardState::in_progress) {
    // The first move of a pickup is before there is a runtime; a later one repairs what the board says.
    const std::scoped_lock held(p.mutex);
    const auto course = p.open.find(ticket);
    if (course != p.open.end() && course->second.phase != Phase::planned) p.drift.Increment();
  }
}

void Metrics::saw(const Brain& brain, Instant now) {
  Parts& p = *parts_;
  {
    const std::scoped_lock held(p.mutex);
    // A clock that went back counts as long enough.
    if (p.looked && now >= *p.looked && now - *p.looked < look_every) return;
    p.looked = now;
  }
  const Knowledge& k = brain.knowledge;
  std::map<Phase, int> by_phase;
  std::map<Life, int> by_life;
  std::map<BoardState, int> by_state;
  std::map<SlotState, int> by_slot;
  int undelivered = 0, attention = 0;
  Duration oldest{};
  std::map<TicketId, Parts::Course> open;
  for (const auto& [id, t] : k.tickets) {
    if (t.board) by_state[t.board->state] += 1;
    if (!t.newest || !t.newest->open()) continue;
    const Attempt& a = *t.newest;
    open[id] = {.claimed_at = a.claimed_at, .phase = a.phase};
    by_phase[a.phase] += 1;
    const Life life = verdict_of(a, t.seen, now);
    by_life[life] += 1;
    if (life == Life::unknown && t.unknown_since.ms != 0 && now - t.unknown_since > oldest)
      oldest = now - t.unknown_since;
    if (!a.attention.empty()) attention += 1;
    for (const Message& message : t.messages)
      undelivered += message.state == MessageState::queued || message.state == MessageState::posted ? 1 : 0;
  }
  for (const auto& [id, slot] : k.slots) by_slot[slot.state] += 1;
  {
    // What an earlier dispatcher claimed is known from here on; of what is followed already the times stay.
    const std::scoped_lock held(p.mutex);
    for (auto& [id, course] : open)
      if (const auto old = p.open.find(id);
          old != p.open.end() && old->second.claimed_at == course.claimed_at) {
        course.spawned = old->second.spawned;
        course.live = old->second.live;
        course.prompted = old->second.prompted;
      } else {
        course.live = course.prompted = course.phase != Phase::planned;
      }
    p.open = std::move(open);
  }
  for (const Phase phase : phases) p.runtimes.Add({{"phase", label(words_for(phase))}}).Set(by_phase[phase]);
  for (const Life life : lives) p.verdicts.Add({{"verdict", words_for_life(life)}}).Set(by_life[life]);
  for (const BoardState state : board_states)
    p.tickets.Add({{"state", label(words_for(state))}}).Set(by_state[state]);
  for (const SlotState state : slot_states)
    p.slots.Add({{"state", label(words_for(state))}}).Set(by_slot[state]);
  p.unknown_age.Set(seconds_of(oldest));
  p.queue.Set(static_cast<double>(ranking(k, brain.policy).size()));
  p.capacity.Set(brain.policy.capacity);
  p.undelivered.Set(undelivered);
  p.attention.Set(attention);
  p.in_flight.Set(brain.agenda.in_flight);
  p.looked_at.Set(static_cast<double>(now.ms) / 1000.0);
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(parts_->registry.Collect());
}

}  // namespace holdfast
