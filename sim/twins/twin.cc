#include "sim/twins/twin.h"

#include <algorithm>

#include "sim/base/fold.h"
#include "sim/base/fold_values.h"
#include "sim/twins/tools.h"

namespace holdfast::sim {
namespace {

class TwinDispatcher : public ShippedDispatcher {
 public:
  explicit TwinDispatcher(const Tampering& how) : how_(how) {}

  [[nodiscard]] std::unique_ptr<DispatcherUnderTest> copy() const override {
    return std::make_unique<TwinDispatcher>(*this);
  }
  void absorb(const Answer& answer) override {
    if (how_.answer == nullptr) return ShippedDispatcher::absorb(answer);
    Answer bent = answer;
    how_.answer({brain, marked_, answer.at}, bent);
    ShippedDispatcher::absorb(bent);
  }
  void absorb(const News& news) override {
    if (!how_.drops_news) ShippedDispatcher::absorb(news);
  }
  std::vector<Effect> next_effects(Instant now) override {
    if (how_.knowledge != nullptr) how_.knowledge({brain, marked_, now});
    std::vector<Effect> effects = ShippedDispatcher::next_effects(now);
    if (how_.effects != nullptr) how_.effects({brain, marked_, now}, effects);
    return effects;
  }
  void fold(Fold& fold) const override {
    fold.whole();
    ShippedDispatcher::fold(fold);
    fold_value(fold, marked_);
  }

 private:
  Tampering how_;
  std::set<AttemptId> marked_;
};

}  // namespace

const std::vector<Twin>& twins() {
  static const std::vector<Twin> all = [] {
    std::vector<Twin> every;
    for (auto part : {twins_of_the_send(), twins_of_the_verdict(), twins_of_the_end(), twins_of_the_ports(),
                      twins_of_whole_runs()})
      for (Twin& one : part) every.push_back(std::move(one));
    std::ranges::sort(every, {}, &Twin::id);
    return every;
  }();
  return all;
}

const Twin* twin_named(std::string_view id) {
  const auto found = std::ranges::find(twins(), id, &Twin::id);
  return found == twins().end() ? nullptr : &*found;
}

DispatcherMaker maker_of(const Twin& twin) {
  return [how = twin.tampering](const Policy& policy) -> std::unique_ptr<DispatcherUnderTest> {
    auto made = std::make_unique<TwinDispatcher>(how);
    made->brain.policy = policy;
    if (how.policy != nullptr) how.policy(made->brain.policy);
    return made;
  };
}

bool leaves(TwinMind mind, std::vector<Effect>& effects, Effect effect) {
  const TicketId id = ticket_of(effect);
  Agenda& agenda = mind.brain.agenda;
  for (Effect& other : effects) {
    if (ticket_of(other) != id) continue;
    if (std::holds_alternative<LandBranch>(other)) agenda.landing = false;
    if (const auto* write = std::get_if<WriteLedger>(&other);
        write && std::holds_alternative<Claim>(write->write))
      agenda.claims_in_flight -= 1;
    other = std::move(effect);
    return true;
  }
  if (!agenda.busy.insert(id).second) return false;
  agenda.in_flight += 1;
  effects.push_back(std::move(effect));
  return true;
}

const Attempt* newest_of(TwinMind mind, const TicketId& id) {
  const auto found = mind.brain.knowledge.tickets.find(id);
  if (found == mind.brain.knowledge.tickets.end() || !found->second.newest) return nullptr;
  return &*found->second.newest;
}

DeathCertificate forged(Attempt attempt, Cause cause, int code, Instant now) {
  attempt.cause = cause;
  attempt.exit_code = code;
  attempt.evidence = "so it seemed";
  attempt.died_at = now;
  return *certify(attempt, {}, now);
}

Effect recorded_lost(TwinMind mind, const Attempt& a, Cause cause, int code) {
  const DeathCertificate certificate = forged(a, cause, code, mind.now);
  if (a.phase == Phase::finished) return WriteLedger{RecordDeath{a.id, certificate}};
  return WriteLedger{RecordLost{a.id, certificate}};
}

}  // namespace holdfast::sim
