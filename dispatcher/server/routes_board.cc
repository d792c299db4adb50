// This installation's board for a dispatcher elsewhere: changes since a cursor, transitions under a
// condition, comments that are appended once.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "dispatcher/core/words.h"
#include "dispatcher/server/api.h"
#include "dispatcher/server/request.h"

namespace holdfast::server {
namespace {

HttpAnswer board_changes(const ApiParts& parts, const HttpRequest& request) {
  const auto since = number_asked(request, "since");
  if (!since) return problem(since.error());
  const auto limit = limit_asked(request, 200, 1000);
  if (!limit) return problem(limit.error());
  const auto bodies = request.asked("bodies").value_or("yes");
  if (bodies != "yes" && bodies != "no") return problem(422, "invalid", "bodies must be yes or no");
  const auto changes = parts.desk.changes_after(*since, *limit);
  if (!changes) return problem(refusal_of(changes.error()));
  Json rows = Json::array();
  for (const BoardTicket& one : changes->tickets) rows.push_back(row_of(one, bodies == "yes"));
  return json_answer(200, {{"cursor", changes->cursor}, {"complete", changes->complete}, {"tickets", rows}});
}

// Of what a ticket may have died, to be put back to `todo`; `none` is no death.
bool is_a_cause(const std::string& word) {
  constexpr std::array causes{
      Cause::never_came_to_be,
      Cause::clean_exit,
      Cause::exit_code,
      Cause::signal,
      Cause::oom_kill,
      Cause::session_killed,
      Cause::server_lost,
      Cause::host_lost,
      Cause::stopped_by_us,
      Cause::provider_limit,
      Cause::declared_dead,
      Cause::unknown,
      Cause::stopped_by_operator,
  };
  return std::ranges::any_of(causes, [&](Cause cause) { return word == words_for(cause); });
}

HttpAnswer with_the_ticket(const ApiParts& parts, const TicketId& id, int status, std::string_view code,
                           const std::string& words) {
  const auto now = parts.desk.show(id);
  return problem(status, code, words, now ? Json{{"ticket", row_of(now->ticket, true)}} : Json::object());
}

HttpAnswer transition_ticket(const ApiParts& parts, const HttpRequest& request) {
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  auto object = object_in(request);
  if (!object) return problem(object.error());
  Fields fields(std::move(*object));
  const auto version = fields.number("version", std::int64_t{1} << 60U);
  const auto to = fields.state("to");
  TicketTransition wanted;
  wanted.from = fields.state("from");
  wanted.reason = fields.text("reason").value_or("");
  const auto key = fields.text("key");
  const std::string cause = fields.text("cause").value_or("");
  const std::string evidence = fields.text("evidence").value_or("");
  if (const auto wrong = fields.mistake()) return problem(*wrong);
  if (!version || !to || !key) return problem(422, "invalid", "/version, /to and /key are needed");
  if (!cause.empty() && !is_a_cause(cause))
    return problem(422, "invalid", "/cause must be a cause of death, such as exit_code");
  if (*to == BoardState::todo && cause.empty())
    return problem(422, "death_needed", "back to todo only a death leads: /cause and /evidence");
  wanted.expected_version = *version;
  wanted.to = *to;
  wanted.key = *key;
  if (!cause.empty())
    wanted.reason +=
        (wanted.reason.empty() ? "" : " ") + ("(" + cause) + (evidence.empty() ? "" : ": " + evidence) + ")";
  const auto now = parts.desk.transition(*id, wanted, parts.now());
  if (now) {
    parts.wake();
    return ticket_answer(200, *now);
  }
  const DeskError& error = now.error();
  const auto page = parts.desk.show(*id);
  const bool as_expected =
      page && page->ticket.version == *version && (!wanted.from || page->ticket.state == *wanted.from);
  const bool over =
      page && (page->ticket.state == BoardState::done || page->ticket.state == BoardState::cancelled);
  if (error.status == 409)
    return with_the_ticket(parts, *id, 409, as_expected ? "conflict" : "version_conflict", error.words);
  if (error.status == 422 && as_expected && over)
    return with_the_ticket(parts, *id, 422, "no_such_transition", error.words);
  return problem(refusal_of(error));
}

HttpAnswer comment_ticket(const ApiParts& parts, const HttpRequest& request) {
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  auto object = object_in(request);
  if (!object) return problem(object.error());
  Fields fields(std::move(*object));
  const auto text = fields.text("text");
  const auto key = fields.text("key");
  if (const auto wrong = fields.mistake()) return problem(*wrong);
  if (!text) return problem(422, "invalid", "/text is needed");
  if (key) {
    const auto appended = parts.desk.comment_once(*id, *key, *text, person_of(request), parts.now());
    if (!appended) return problem(refusal_of(appended.error()));
    return json_answer(*appended ? 201 : 200, {{"ticket", id->value}, {"key", *key}});
  }
  const auto comment = parts.desk.comment(*id, *text, person_of(request), parts.now());
  if (!comment) return problem(refusal_of(comment.error()));
  return json_answer(201, {{"ticket", id->value}, {"key", comment->key}});
}

}  // namespace

std::vector<Route> board_routes() {
  return {
      {"GET",
       "board/changes",
       "Every ticket that changed after a cursor, as it is now",
       board_changes,
       "",
       {"since", "limit", "bodies"},
       {{422, "invalid"}}},
      {"POST",
       "tickets/{id}/transitions",
       "Moves it if it is at the version that was read, for a dispatcher elsewhere",
       transition_ticket,
       R"({"version": 1, "from": "todo", "to": "in_progress", "key": "T-1-g1", "reason": "picked up"})",
       {},
       {{404, "no_such_ticket"},
        {409, "version_conflict"},
        {409, "conflict"},
        {422, "no_such_transition"},
        {422, "death_needed"},
        {422, "invalid"}}},
      {"POST",
       "tickets/{id}/comments",
       "Adds a comment; with a key, once",
       comment_ticket,
       R"({"text": "Seen on two machines.", "key": "seen-1"})",
       {},
       {{404, "no_such_ticket"}, {422, "invalid"}}},
  };
}

}  // namespace holdfast::server
