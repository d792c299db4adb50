#include "dispatcher/look/hindrances.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dispatcher/core/classify.h"
#include "dispatcher/look/words.h"
#include "dispatcher/rows/rows.h"
#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

constexpr const char* file_name = "hindrances.json";

// The others are tried again by looking first, and what is seen then is what is told.
bool is_followed(Call call) {
  return family_of(call) == Family::git || family_of(call) == Family::board || call == Call::spec_write ||
         call == Call::record_list;
}

std::string one_line(std::string words) {
  std::ranges::replace(words, '\n', ' ');
  while (words.ends_with(' ')) words.pop_back();
  return words;
}

}  // namespace

std::vector<std::string> Hindrances::take(const Answer& answer) {
  const Call call = call_of(answer.effect);
  const Outcome outcome = classify(call, answer.raw);
  const TicketId id = ticket_of(answer.effect);
  if (const auto* write = std::get_if<WriteLedger>(&answer.effect);
      write != nullptr && std::holds_alternative<Close>(write->write) && is_done(outcome))
    std::erase_if(tried_,
                  [&](const auto& one) { return one.first.first == id; });  // the board has the reason
  if (!is_followed(call)) return {};
  const auto key = std::pair{id, call};
  const std::string who = id.empty() ? "" : id.value + ": ";
  if (is_done(outcome)) {
    const auto old = tried_.find(key);
    if (old == tried_.end()) return {};
    const bool told = !old->second.told.empty();
    tried_.erase(old);
    if (!told) return {};
    return {who + describe(answer.effect) + ": works now"};
  }
  const auto* refused = std::get_if<Refused>(&outcome);
  // Somebody else was first, on a board: that is its ordinary life.
  if (refused != nullptr && refused->why() == Why::conflict && family_of(call) == Family::board) return {};
  std::string words = one_line(refused != nullptr ? refused->words() : std::get<Unknown>(outcome).words);
  Tried& tried = tried_[key];
  if (tried.failures++ == 0) tried.what.since = answer.at;
  tried.what.ticket = id.value;
  tried.what.effect = describe(answer.effect);
  tried.what.words = std::move(words);
  const bool at_once =
      refused != nullptr && (refused->why() == Why::denied || refused->why() == Why::exhausted);
  if ((tried.failures < 2 && !at_once) || tried.what.words == tried.told) return {};
  tried.told = tried.what.words;
  return {who + tried.what.effect + ": " + tried.what.words + "; it is tried again"};
}

std::vector<Hindrance> Hindrances::all() const {
  std::vector<Hindrance> all;
  for (const auto& [key, tried] : tried_)
    if (!tried.told.empty()) all.push_back(tried.what);
  return all;
}

void write_hindrances(const std::string& state, const std::vector<Hindrance>& all) {
  if (all.empty()) {
    ::unlink((state + "/" + file_name).c_str());
    return;
  }
  Json rows = Json::array();
  for (const Hindrance& one : all)
    rows.push_back(
        {{"ticket", one.ticket}, {"effect", one.effect}, {"words", one.words}, {"since", one.since.ms}});
  replace_file(state, file_name, rows.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::vector<Hindrance> read_hindrances(const std::string& state) {
  std::vector<Hindrance> all;
  const Json rows = Json::parse(read_file(state + "/" + file_name, 1 << 20).text, nullptr, false);
  if (!rows.is_array()) return all;
  for (const Json& row : rows) {
    if (!row.is_object()) continue;
    const auto text = [&row](const char* key) {
      return row.contains(key) && row[key].is_string() ? row[key].get<std::string>() : std::string();
    };
    const auto since =
        row.contains("since") && row["since"].is_number_integer() ? row["since"].get<std::int64_t>() : 0;
    all.push_back({text("ticket"), text("effect"), text("words"), {since}});
  }
  return all;
}

std::string describe(const Hindrance& one) {
  return (one.ticket.empty() ? "" : one.ticket + ": ") + one.effect + ": " + one.words + " (since " +
         clock_words(one.since) + ")";
}

}  // namespace holdfast
