#include "dispatcher/look/statistics.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace holdfast {
namespace {

// Further back than anybody asks.
constexpr std::size_t hours_kept = std::size_t{24} * 62;

int& counter_of(Statistics::Hour& hour, const std::string& disposition) {
  if (disposition == "done") return hour.done;
  if (disposition == "in_review") return hour.in_review;
  if (disposition == "todo") return hour.todo;
  if (disposition == "blocked") return hour.blocked;
  return hour.other;
}

}  // namespace

void Statistics::take(const LedgerEvent& event) {
  seq_ = std::max(seq_, event.seq);
  const bool death = event.kind == "lost" || event.kind == "died" || event.kind == "declared-dead";
  if (!death && event.kind != "claimed" && event.kind != "closed") return;
  Hour& hour = hours_[event.at.ms / hour_ms * hour_ms];
  if (death)
    hour.deaths[event.cause] += 1;
  else if (event.kind == "claimed")
    hour.claimed += 1;
  else
    counter_of(hour, event.cause) += 1;
  while (hours_.size() > hours_kept) hours_.erase(hours_.begin());
}

Json Statistics::row(Instant now, int hours) const {
  Json rows = Json::array();
  std::map<std::string, int> deaths;
  const std::int64_t last = now.ms / hour_ms * hour_ms;
  for (std::int64_t at = last - (hours - 1) * hour_ms; at <= last; at += hour_ms) {
    const auto found = hours_.find(at);
    const Hour hour = found == hours_.end() ? Hour{} : found->second;
    Json died = Json::object();
    for (const auto& [cause, count] : hour.deaths) {
      died[cause] = count;
      deaths[cause] += count;
    }
    rows.push_back({{"at", at},
                    {"claimed", hour.claimed},
                    {"done", hour.done},
                    {"in_review", hour.in_review},
                    {"todo", hour.todo},
                    {"blocked", hour.blocked},
                    {"other", hour.other},
                    {"deaths", died}});
  }
  Json all = Json::object();
  for (const auto& [cause, count] : deaths) all[cause] = count;
  return {{"hours", rows}, {"deaths", all}, {"seq", seq_}};
}

}  // namespace holdfast
