#include "sim/explore/certificate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "dispatcher/core/words.h"

namespace holdfast::sim {
namespace {

const char* words_for(ProveEnd end) {
  switch (end) {
    case ProveEnd::complete: return "complete";
    case ProveEnd::violated: return "violated";
    case ProveEnd::stuck: return "stuck";
    case ProveEnd::incomplete: return "incomplete";
  }
  __builtin_unreachable();
}

// That any two of n states share a fingerprint of 128 bits: at most n^2 / 2^129.
double omission(std::uint64_t states) {
  const auto n = static_cast<double>(states);
  return n * n * std::pow(2.0, -129);
}

std::string decimal(double value, const char* format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += ' ';
    else
      out += c;
  }
  return out + "\"";
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? ", " : "") + quoted(text);
  return out + "]";
}

// Every counter that is not zero, by its name.
template <class Each>
void each_fired(const ProveResult& r, const Each& each) {
  for (std::size_t i = 1; i < fault_ids; ++i)
    if (r.tally.fired[i] > 0) each(std::string(name_of(static_cast<FaultId>(i))), r.tally.fired[i]);
}
template <class Each>
void each_risk(const ProveResult& r, const Each& each) {
  for (std::size_t i = 0; i < invariants; ++i)
    if (r.tally.at_risk[i] > 0) each(std::string(name_of(static_cast<Invariant>(i))), r.tally.at_risk[i]);
}
template <class Each>
void each_death(const ProveResult& r, const Each& each) {
  for (std::size_t i = 1; i < causes; ++i)
    if (r.tally.deaths[i] > 0)
      each(std::string(holdfast::words_for(static_cast<Cause>(i))), r.tally.deaths[i]);
}

}  // namespace

std::vector<std::string> vacuous_in(const ProveBounds& bounds, const ProveResult& r) {
  std::vector<std::string> why;
  if (r.end != ProveEnd::complete) return why;
  if (bounds.crashes > 0 && r.tally.fired[static_cast<std::size_t>(FaultId::E1)] == 0)
    why.emplace_back("no dispatcher ever died");
  // What can strike within these bounds: nothing that needs a person, a second dispatcher, or a larger pool.
  for (std::size_t i = 1; bounds.faults > 0 && i < fault_ids; ++i) {
    const auto id = static_cast<FaultId>(i);
    const Actor actor = fault(id).actor;
    if (!bounds.kinds.has(id) || (actor != Actor::port && actor != Actor::world)) continue;
    if (r.tally.fired[i] == 0) why.push_back(std::string(name_of(id)) + " never fired");
  }
  for (const Invariant one : {Invariant::S2, Invariant::S6, Invariant::S12, Invariant::S20, Invariant::S22})
    if (r.tally.at_risk[static_cast<std::size_t>(one)] == 0)
      why.push_back(std::string(name_of(one)) + " was never at risk");
  if (r.twins_tried > 0 && r.twins_killed.empty())
    why.emplace_back("none of " + std::to_string(r.twins_tried) +
                     " broken twins was caught within these bounds");
  if (bounds.attempts > 1 && r.tally.at_risk[static_cast<std::size_t>(Invariant::S1)] == 0)
    why.emplace_back("S1 was never at risk");
  return why;
}

std::vector<std::string> excluded_by(const ProveBounds& bounds) {
  std::vector<std::string> out{
      "times other than those of the search's own coarse policy, and orders of polls among each other",
      "floods: the rate of claims and spawns, and the breaker of young deaths",
      "workers beyond the limits (" + std::to_string(bounds.commits) + " commits, " +
          std::to_string(bounds.changes) + " uncommitted changes, no questions, children or chatter)",
      "several hosts: two dispatchers stand for overlap at a restart or takeover on one host"};
  const Reductions& on = bounds.reductions;
  if (on.prompt_reads || on.prompt_answers || on.prompt_calls)
    out.emplace_back(
        "slowness beyond the budget of faults: a call during which the world moves, and a runner or a kill "
        "that takes "
        "longer than a timer, is a fault (F5)");
  if (bounds.attempts < 2)
    out.emplace_back("second attempts (--attempts 2): nothing returns to todo, S1 is not at risk");
  if (bounds.persons == 0) out.emplace_back("acts of people");
  if (!bounds.liveness) out.emplace_back("liveness");
  return out;
}

std::string certificate(const ProveBounds& bounds, const ProveResult& r) {
  std::string out;
  const auto line = [&](const std::string& text) { out += text + "\n"; };
  const auto n = [](std::uint64_t value) { return std::to_string(value); };
  line(std::string(words_for(r.end)) + (r.why_incomplete.empty() ? "" : ": " + r.why_incomplete));
  line("bounds       " + std::to_string(bounds.tickets) + " tickets, " + std::to_string(bounds.dispatchers) +
       " dispatchers, " + std::to_string(bounds.faults) + " faults, " + std::to_string(bounds.crashes) +
       " crashes, " + std::to_string(bounds.attempts) + " attempts");
  line("states       " + n(r.states) + " stored, " + n(r.transitions) + " transitions, depth " +
       std::to_string(r.depth) + ", " + n(r.fair_states) + " more on fair paths");
  if (r.frontier > 0) line("not expanded " + n(r.frontier));
  line("probabilistic: fingerprints of 128 bits stand for states; one was missed with a chance below " +
       decimal(omission(r.states), "%.1e"));
  line("took         " + decimal(r.seconds, "%.1f") + " s, " +
       decimal(static_cast<double>(r.states) / std::max(r.seconds, 0.001), "%.0f") + " states/s, " +
       n(r.most_bytes >> 20) + " MiB at most, " +
       decimal(static_cast<double>(r.bytes) / static_cast<double>(std::max<std::uint64_t>(1, r.states)),
               "%.0f") +
       " bytes a state in the sets, " +
       n((r.most_bytes - std::min(r.most_bytes, r.bytes)) / std::max<std::uint64_t>(1, r.widest)) +
       " while it waits to be expanded");
  line("digest       " + r.digest.text());
  std::string words;
  const auto add = [&](const std::string& name, std::uint64_t count) {
    words += " " + name + ":" + n(count);
  };
  const auto section = [&](const char* title) {
    line(title + (words.empty() ? std::string(" none") : words));
    words.clear();
  };
  each_fired(r, add);
  section("fired       ");
  each_risk(r, add);
  section("at risk     ");
  each_death(
      r, [&](const std::string& name, std::uint64_t count) { words += " " + name + ": " + n(count) + ";"; });
  section("certified   ");
  if (r.twins_tried == 0) line("twins        none tried within these bounds");
  for (const std::string& one : r.twins_killed) words += " " + one;
  if (r.twins_tried > 0) section("twins killed");
  for (const std::string& one : excluded_by(bounds)) line("excluded     " + one);
  for (const std::string& one : vacuous_in(bounds, r)) line("VACUOUS      " + one);
  for (const Violation& v : r.violations)
    line("violated     " + std::string(name_of(v.invariant)) + " " + v.ticket.value + ": " + v.words);
  for (std::size_t i = 0, told = 0; i < r.trace.size(); ++i)
    line(r.follows[i] ? "        " + r.trace[i] : "  " + n(++told) + ". " + r.trace[i]);
  if (!r.fair.empty()) line("then, with everything fair:");
  for (const std::string& one : r.fair) line("  " + one);
  return out;
}

std::string certificate_json(const ProveBounds& bounds, const ProveResult& r) {
  std::string out = "{";
  const auto field = [&](const std::string& name, const std::string& value) {
    out += (out.size() > 1 ? ",\n " : "") + quoted(name) + ": " + value;
  };
  const auto n = [](std::uint64_t value) { return std::to_string(value); };
  field("end", quoted(words_for(r.end)));
  if (!r.why_incomplete.empty()) field("why_incomplete", quoted(r.why_incomplete));
  field("tickets", std::to_string(bounds.tickets));
  field("dispatchers", std::to_string(bounds.dispatchers));
  field("faults", std::to_string(bounds.faults));
  field("crashes", std::to_string(bounds.crashes));
  field("attempts", std::to_string(bounds.attempts));
  field("states", n(r.states));
  field("transitions", n(r.transitions));
  field("fair_states", n(r.fair_states));
  field("not_expanded", n(r.frontier));
  field("depth", std::to_string(r.depth));
  field("seconds", decimal(r.seconds, "%.3f"));
  field("bytes_of_sets", n(r.bytes));
  field("bytes_at_most", n(r.most_bytes));
  field("probabilistic", "true");
  field("omission_probability", decimal(omission(r.states), "%.3e"));
  field("digest", quoted(r.digest.text()));
  std::string object;
  const auto add = [&](const std::string& name, std::uint64_t count) {
    object += (object.empty() ? "" : ", ") + quoted(name) + ": " + n(count);
  };
  const auto section = [&](const char* name) {
    field(name, "{" + object + "}");
    object.clear();
  };
  each_fired(r, add);
  section("fired");
  each_risk(r, add);
  section("at_risk");
  each_death(r, add);
  section("certified");
  field("twins_tried", std::to_string(r.twins_tried));
  field("twins_killed", list_of(r.twins_killed));
  field("excluded", list_of(excluded_by(bounds)));
  field("vacuous", list_of(vacuous_in(bounds, r)));
  std::vector<std::string> violations;
  for (const Violation& v : r.violations)
    violations.push_back(std::string(name_of(v.invariant)) + " " + v.ticket.value + ": " + v.words);
  field("violations", list_of(violations));
  field("trace", list_of(r.trace));
  std::vector<std::string> choices;
  for (std::size_t i = 0; i < r.trace.size(); ++i)
    if (!r.follows[i]) choices.push_back(r.trace[i]);
  field("choices", list_of(choices));
  field("fair", list_of(r.fair));
  return out + "}\n";
}

}  // namespace holdfast::sim
