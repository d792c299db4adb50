#include "fidelity/facts.h"

#include <algorithm>

namespace holdfast::fidelity {
namespace {

const char* word(Why why) {
  switch (why) {
    case Why::conflict: return "conflict";
    case Why::not_ready: return "not ready";
    case Why::gone: return "gone";
    case Why::busy: return "busy";
    case Why::exhausted: return "exhausted";
    case Why::dirty: return "dirty";
    case Why::stale: return "stale";
    case Why::invalid: return "invalid";
    case Why::denied: return "denied";
  }
  __builtin_unreachable();
}

std::string value_of(const Facts& facts, const std::string& name) {
  const auto found = facts.find(name);
  return found == facts.end() ? "(not said)" : found->second;
}

}  // namespace

std::string kind_of(Call call, const RawReply& raw) {
  const Outcome outcome = classify(call, raw);
  if (is_done(outcome)) return "done";
  if (const auto* refused = std::get_if<Refused>(&outcome))
    return std::string("refused: ") + word(refused->why());
  return "unknown";
}

const char* word(Tri tri) {
  switch (tri) {
    case Tri::no: return "no";
    case Tri::yes: return "yes";
    case Tri::unknown: return "unknown";
  }
  __builtin_unreachable();
}

void Judge::compare(const std::string& call, const Facts& real, const Facts& simulated) {
  std::set<std::string> names;
  for (const auto& [name, value] : real) names.insert(name);
  for (const auto& [name, value] : simulated) names.insert(name);
  for (const std::string& name : names) {
    const Mismatch one{call, name, value_of(real, name), value_of(simulated, name)};
    if (one.real == one.simulated) continue;
    const auto known = std::ranges::find_if(
        differences(), [&](const Difference& d) { return d.port == port_ && d.covers(one); });
    if (known == differences().end())
      findings_.push_back(one);
    else
      met_.insert(known->id);
  }
}

std::string Judge::in_words() const {
  std::string words;
  for (const Mismatch& one : findings_)
    words += one.call + ": " + one.fact + " is \"" + one.real + "\" in reality and \"" + one.simulated +
             "\" in the simulation\n";
  return words;
}

}  // namespace holdfast::fidelity
