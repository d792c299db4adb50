// The log of effects: each with its ticket, generation and outcome, for people or as JSON Lines.
#include <nlohmann/json.hpp>

#include "dispatcher/cli/print.h"
#include "dispatcher/cli/progress.h"
#include "dispatcher/core/classify.h"
#include "dispatcher/core/names.h"

namespace holdfast::cli {
namespace {

AttemptId attempt_in(const LedgerWrite& write) {
  return std::visit(
      [](const auto& w) -> AttemptId {
        if constexpr (requires {
                        { w.attempt } -> std::convertible_to<AttemptId>;
                      })
          return w.attempt;
        else if constexpr (requires { w.message.attempt; })
          return w.message.attempt;
        else if constexpr (requires { w.ticket; })
          return {w.ticket, {}};
        else
          return {};
      },
      write);
}

// Whom an effect is about, as far as it says so; generation 0: a ticket, or nobody.
AttemptId attempt_in(const Effect& effect) {
  AttemptId id = std::visit(
      [](const auto& e) -> AttemptId {
        if constexpr (requires { e.write; })
          return attempt_in(e.write);
        else if constexpr (requires {
                             { e.attempt } -> std::convertible_to<AttemptId>;
                           })
          return e.attempt;
        else if constexpr (requires { e.order.attempt; })
          return e.order.attempt;
        else if constexpr (requires { e.spec.attempt; })
          return e.spec.attempt;
        else if constexpr (requires { e.containment.attempt; })
          return e.containment.attempt;
        else if constexpr (requires { e.certificate.attempt(); })
          return e.certificate.attempt();
        else
          return {};
      },
      effect);
  if (id.ticket.empty()) id.ticket = ticket_of(effect);
  return id;
}

struct Told {
  const char* outcome;
  std::string words;
};
Told told(const Answer& answer) {
  const Outcome outcome = classify(call_of(answer.effect), answer.raw);
  if (const auto* refused = std::get_if<Refused>(&outcome)) return {"refused", refused->words()};
  if (const auto* unknown = std::get_if<Unknown>(&outcome)) return {"unknown", unknown->words};
  return {"done", ""};
}

}  // namespace

void EffectLog::write(const EffectLine& line, Instant now) {
  const AttemptId id = attempt_in(line.effect);
  if (const auto* write = std::get_if<WriteLedger>(&line.effect))
    if (const auto* claim = std::get_if<Claim>(&write->write)) redactor_.learn(claim->token);
  const std::string effect = safe(redactor_.redacted(describe(line.effect)), 300);
  if (json_) {
    Json j;
    j["at"] = now.ms;
    j["ticket"] = id.ticket.empty() ? Json(nullptr) : Json(id.ticket.value);
    j["generation"] = id.generation.value == 0 ? Json(nullptr) : Json(id.generation.value);
    j["call"] = words_for(call_of(line.effect));
    j["effect"] = effect;
    j["event"] = line.answer == nullptr ? "started" : "answered";
    if (line.answer != nullptr) {
      const Told how = told(*line.answer);
      j["outcome"] = how.outcome;
      j["words"] = safe(redactor_.redacted(how.words), 500);
      j["ms"] = (line.answer->at - line.answer->asked_at).ms;
    }
    out_ << j.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n" << std::flush;
    return;
  }
  if (line.answer == nullptr) return;  // people read what came of it
  const Told how = told(*line.answer);
  std::string who = id.ticket.empty() ? "-" : id.ticket.value;
  if (id.generation.value != 0) who = attempt_key(id);
  out_ << clock_words(now) << " " << who << " " << effect << ": " << how.outcome
       << (how.words.empty() ? "" : " (" + safe(redactor_.redacted(how.words), 300) + ")") << " "
       << (line.answer->at - line.answer->asked_at).ms << " ms\n"
       << std::flush;
}

}  // namespace holdfast::cli
