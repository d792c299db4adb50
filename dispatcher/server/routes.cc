// The routes: what people and programs can ask for, each a few lines over the same hand that the command line
// has.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "dispatcher/core/decide.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/hand/retry_elsewhere.h"
#include "dispatcher/server/api.h"
#include "dispatcher/server/request.h"

namespace holdfast::server {
namespace {

// A condition that did not hold is told from a refusal for another reason.
HttpAnswer desk_refusal(const DeskError& error, const std::optional<std::int64_t>& wanted,
                        const ApiParts& parts, const TicketId& id) {
  if (wanted && error.status == 409)
    if (const auto now = parts.desk.show(id); now && now->ticket.version != *wanted) {
      HttpAnswer answer = problem(412, "version_conflict", error.words, {{"version", now->ticket.version}});
      answer.headers.emplace_back("ETag", etag_of(now->ticket));
      return answer;
    }
  return problem(refusal_of(error));
}

// --- tickets
// ------------------------------------------------------------------------------------------------------

std::vector<TicketId> ids_from(const std::vector<std::string>& words) {
  std::vector<TicketId> ids;
  for (const std::string& word : words) ids.push_back({word});
  return ids;
}

std::optional<Refusal> does_not_fit(const ApiParts& parts, const BoardTicket& ticket,
                                    const std::string& profile) {
  const Profile* known = profile_of(parts.policy, profile);
  if (known == nullptr) {
    if (profile.empty()) return std::nullopt;
    return Refusal{422, "no_such_profile", "there is no worker profile '" + printable(profile, 80) + "'"};
  }
  if (const auto wrong = too_long_to_give(ticket, *known)) return Refusal{422, "too_long", *wrong};
  return std::nullopt;
}

// --- tickets of a board elsewhere, as they were last read

HttpAnswer is_elsewhere() {
  return problem(409, "board_elsewhere",
                 "the tickets of this installation are on another board; they are made and changed there");
}

char small_letter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool holds(const std::string& text, const std::string& wanted) {
  return !std::ranges::search(text, wanted, {}, small_letter, small_letter).empty() || wanted.empty();
}

std::vector<BoardTicket> filtered(const std::vector<BoardTicket>& all, const TicketFilter& filter) {
  std::vector<BoardTicket> found;
  for (const BoardTicket& t : all) {
    const bool labelled = std::ranges::all_of(filter.labels, [&](const std::string& label) {
      return std::ranges::find(t.labels, label) != t.labels.end();
    });
    if (labelled && (filter.states.empty() || filter.states.contains(t.state)) &&
        (holds(t.id.value, filter.text) || holds(t.title, filter.text) || holds(t.body, filter.text)))
      found.push_back(t);
  }
  std::ranges::sort(found, {}, [](const BoardTicket& t) { return std::tie(t.priority, t.created_at, t.id); });
  if (std::ssize(found) > filter.at_most) found.resize(static_cast<std::size_t>(filter.at_most));
  return found;
}

// What is written on it and where it has been is known there alone.
DeskAnswer<TicketPage> page_of(const ApiParts& parts, const TicketId& id) {
  if (!parts.tickets_elsewhere) return parts.desk.show(id);
  const auto all = parts.tickets_elsewhere();
  const auto found = std::ranges::find(*all, id, &BoardTicket::id);
  if (found == all->end()) return std::unexpected(DeskError{404, "no ticket " + id.value});
  TicketPage page;
  page.ticket = *found;
  for (const BoardTicket& t : *all) {
    if (std::ranges::find(found->depends_on, t.id) != found->depends_on.end()) page.depends_on.push_back(t);
    if (std::ranges::find(t.depends_on, id) != t.depends_on.end()) page.dependents.push_back(t.id);
  }
  return page;
}

HttpAnswer list_tickets(const ApiParts& parts, const HttpRequest& request) {
  TicketFilter filter;
  if (const auto word = request.asked("state")) {
    const auto state = board_state_from(*word);
    if (!state) return problem(422, "invalid", "state: there is no state '" + printable(*word, 40) + "'");
    filter.states.insert(*state);
  }
  if (const auto label = request.asked("label")) filter.labels = {*label};
  filter.text = request.asked("text").value_or("");
  const auto limit = limit_asked(request, 1000, 10'000);
  if (!limit) return problem(limit.error());
  filter.at_most = *limit;
  if (parts.tickets_elsewhere) {
    Json rows = Json::array();
    for (const BoardTicket& t : filtered(*parts.tickets_elsewhere(), filter))
      rows.push_back(row_of(t, false));
    return json_answer(200, {{"tickets", rows}});
  }
  const auto tickets = parts.desk.list(filter);
  if (!tickets) return problem(refusal_of(tickets.error()));
  Json rows = Json::array();
  for (const BoardTicket& t : *tickets) rows.push_back(row_of(t, false));
  return json_answer(200, {{"tickets", rows}});
}

HttpAnswer add_ticket(const ApiParts& parts, const HttpRequest& request) {
  if (parts.tickets_elsewhere) return is_elsewhere();
  auto object = object_in(request);
  if (!object) return problem(object.error());
  Fields fields(std::move(*object));
  NewTicket ticket;
  ticket.id = {fields.text("id").value_or("")};
  ticket.title = fields.text("title").value_or("");
  ticket.body = fields.text("body").value_or("");
  ticket.state = fields.state("state").value_or(BoardState::todo);
  ticket.priority = static_cast<int>(fields.number("priority").value_or(100));
  ticket.profile = fields.text("profile").value_or("");
  ticket.labels = fields.texts("labels").value_or(std::vector<std::string>{});
  ticket.depends_on = ids_from(fields.texts("depends_on").value_or(std::vector<std::string>{}));
  if (const auto wrong = fields.mistake()) return problem(*wrong);
  BoardTicket asked;
  asked.title = ticket.title;
  asked.body = ticket.body;
  if (const auto wrong = does_not_fit(parts, asked, ticket.profile)) return problem(*wrong);
  const auto made = parts.desk.add(ticket, person_of(request), parts.now());
  if (!made) return problem(refusal_of(made.error()));
  parts.wake();
  HttpAnswer answer = ticket_answer(201, *made);
  answer.headers.emplace_back("Location", "/api/v1/tickets/" + made->id.value);
  return answer;
}

HttpAnswer show_ticket(const ApiParts& parts, const HttpRequest& request) {
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  const auto page = page_of(parts, *id);
  if (!page) return problem(refusal_of(page.error()));
  if (request.header("if-none-match") == etag_of(page->ticket)) {
    HttpAnswer same;
    same.status = 304;
    same.headers.emplace_back("ETag", etag_of(page->ticket));
    return same;
  }
  Json j = row_of(*page);
  const auto attempts = parts.ledger.attempts_of(*id);
  if (!answered(attempts.raw)) return problem(refusal_of(attempts.raw));
  j["attempts"] = Json::array();
  for (const Attempt& a : attempts.value) j["attempts"].push_back(row_of(a));
  HttpAnswer answer = json_answer(200, j);
  answer.headers.emplace_back("ETag", etag_of(page->ticket));
  return answer;
}

HttpAnswer edit_ticket(const ApiParts& parts, const HttpRequest& request) {
  if (parts.tickets_elsewhere) return is_elsewhere();
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  const auto wanted = version_wanted(request);
  if (!wanted) return problem(wanted.error());
  auto object = object_in(request);
  if (!object) return problem(object.error());
  Fields fields(std::move(*object));
  TicketEdit edit;
  edit.title = fields.text("title");
  edit.body = fields.text("body");
  edit.profile = fields.text("profile");
  if (const auto priority = fields.number("priority")) edit.priority = static_cast<int>(*priority);
  edit.labels = fields.texts("labels");
  if (const auto others = fields.texts("depends_on")) edit.depends_on = ids_from(*others);
  if (const auto wrong = fields.mistake()) return problem(*wrong);
  edit.expected_version = *wanted;
  if (const auto before = parts.desk.show(*id)) {
    BoardTicket asked = before->ticket;
    asked.title = edit.title.value_or(asked.title);
    asked.body = edit.body.value_or(asked.body);
    if (const auto wrong = does_not_fit(parts, asked, edit.profile.value_or(asked.profile)))
      return problem(*wrong);
  }
  const auto now = parts.desk.edit(*id, edit, parts.now());
  if (!now) return desk_refusal(now.error(), *wanted, parts, *id);
  parts.wake();
  return ticket_answer(200, *now);
}

HttpAnswer move_ticket(const ApiParts& parts, const HttpRequest& request) {
  if (parts.tickets_elsewhere) return is_elsewhere();
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  const auto wanted = version_wanted(request);
  if (!wanted) return problem(wanted.error());
  auto object = object_in(request);
  if (!object) return problem(object.error());
  Fields fields(std::move(*object));
  const auto state = fields.state("state");
  const std::string reason = fields.text("reason").value_or("");
  if (const auto wrong = fields.mistake()) return problem(*wrong);
  if (!state) return problem(422, "invalid", "/state is needed: where the ticket is to go");
  const auto now = parts.desk.move(*id, *state, reason, person_of(request), parts.now(), *wanted);
  if (!now) return desk_refusal(now.error(), *wanted, parts, *id);
  parts.wake();
  return ticket_answer(200, *now);
}

HttpAnswer end_ticket(const ApiParts& parts, const HttpRequest& request,
                      Taken<Ended> (*end)(const Hand&, const TicketId&, const std::string&)) {
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  const auto reason = reason_in(request);
  if (!reason) return problem(reason.error());
  const auto ended = end(hand_of(parts, request), *id, *reason);
  if (!ended) return problem(ended.error());
  parts.wake();
  return json_answer(ended->wished ? 202 : 200,
                     {{"ticket", id->value},
                      {"did", ended->wished ? "wish" : "moved"},
                      {"runtime", ended->wished ? Json(attempt_key(*ended->wished)) : Json(nullptr)},
                      {"state", words_for(ended->state)}});
}
HttpAnswer cancel_ticket(const ApiParts& parts, const HttpRequest& request) {
  return end_ticket(parts, request, cancel);
}
HttpAnswer park_ticket(const ApiParts& parts, const HttpRequest& request) {
  return end_ticket(parts, request, park);
}

HttpAnswer retry_ticket(const ApiParts& parts, const HttpRequest& request) {
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  const auto reason = reason_in(request);
  if (!reason) return problem(reason.error());
  if (parts.tickets_elsewhere && parts.board_elsewhere == nullptr) return is_elsewhere();
  const auto again = parts.board_elsewhere != nullptr
                         ? retry_elsewhere(hand_of(parts, request), *parts.board_elsewhere, *id, *reason)
                         : retry(hand_of(parts, request), *id, *reason);
  if (!again) return problem(again.error());
  parts.wake();
  return ticket_answer(200, *again);
}

HttpAnswer answer_question(const ApiParts& parts, const HttpRequest& request) {
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  const auto text = text_in(request);
  if (!text) return problem(text.error());
  const auto sent = answer(hand_of(parts, request), *id, *text);
  if (!sent) return problem(sent.error());
  parts.wake();
  return json_answer(202, row_of(*sent));
}

// --- runtimes
// -----------------------------------------------------------------------------------------------------

HttpAnswer list_runtimes(const ApiParts& parts, const HttpRequest&) {
  const auto open = parts.ledger.open_attempts();
  if (!answered(open.raw)) return problem(refusal_of(open.raw));
  Json rows = Json::array();
  for (const Attempt& a : open.value) rows.push_back(row_of(a));
  return json_answer(200, {{"runtimes", rows}});
}

HttpAnswer show_runtime(const ApiParts& parts, const HttpRequest& request) {
  const auto attempt = attempt_called(parts.ledger, named(request));
  if (!attempt) return problem(attempt.error());
  Json j = row_of(*attempt);
  const auto messages = parts.ledger.messages_of(attempt->id);
  if (!answered(messages.raw)) return problem(refusal_of(messages.raw));
  j["messages"] = Json::array();
  for (const Message& m : messages.value) j["messages"].push_back(row_of(m));
  const auto record = parts.records.read(attempt->id);
  j["record"] = answered(record.raw) ? row_of(record.value) : Json(nullptr);
  return json_answer(200, j);
}

// The refused send: `?if=ready` answers 409 with the runtime's status, and queues nothing.
HttpAnswer send_message(const ApiParts& parts, const HttpRequest& request) {
  const auto text = text_in(request);
  if (!text) return problem(text.error());
  const auto attempt = open_attempt_called(parts.ledger, named(request));
  if (!attempt) return problem(attempt.error());
  if (const auto condition = request.asked("if")) {
    if (*condition != "ready") return problem(422, "invalid", "if: the only condition is `ready`");
    const auto messages = parts.ledger.messages_of(attempt->id);
    const auto record = parts.records.read(attempt->id);
    if (const auto no = not_ready(*attempt, messages.value, answered(record.raw) ? &record.value : nullptr))
      return problem(*no);
  }
  // The key of the caller names the message, and the ledger takes a name once: a repeated request is one
  // message.
  const auto key = request.header("idempotency-key");
  const auto sent =
      send(hand_of(parts, request), *attempt, *text, key ? "k-" + *key : "m-" + parts.random_name());
  if (!sent) return problem(sent.error());
  parts.wake();
  return json_answer(202, row_of(*sent));
}

HttpAnswer stop_runtime(const ApiParts& parts, const HttpRequest& request) {
  const auto reason = reason_in(request);
  if (!reason) return problem(reason.error());
  const auto wished = stop(hand_of(parts, request), named(request), *reason);
  if (!wished) return problem(wished.error());
  parts.wake();
  return json_answer(202, {{"runtime", attempt_key(*wished)}, {"did", "wish"}, {"wish", "stop"}});
}

// --- the rest
// -----------------------------------------------------------------------------------------------------

HttpAnswer pool(const ApiParts& parts, const HttpRequest&) {
  const auto contents = parts.ledger.load();
  if (!answered(contents.raw)) return problem(refusal_of(contents.raw));
  Json rows = Json::array();
  for (const Slot& slot : contents.value.slots) rows.push_back(row_of(slot, nullptr));
  return json_answer(200, {{"slots", rows}});
}

HttpAnswer events(const ApiParts& parts, const HttpRequest& request) {
  const auto after = number_asked(request, "after");
  if (!after) return problem(after.error());
  const auto limit = limit_asked(request, 500, 10'000);
  if (!limit) return problem(limit.error());
  std::optional<TicketId> ticket;
  if (const auto name = request.asked("ticket")) {
    const auto id = ticket_called(*name);
    if (!id) return problem(id.error());
    ticket = *id;
  }
  const auto found = parts.ledger.events_after(*after, ticket, *limit);
  if (!answered(found.raw)) return problem(refusal_of(found.raw));
  Json rows = Json::array();
  for (const LedgerEvent& e : found.value) rows.push_back(row_of(e));
  const std::int64_t next = found.value.empty() ? *after : found.value.back().seq;
  return json_answer(200, {{"events", rows}, {"next", next}});
}

HttpAnswer health(const ApiParts& parts, const HttpRequest&) {
  return health_answer(parts, answered(parts.ledger.events_after(0, std::nullopt, 1).raw));
}

HttpAnswer describe_itself(const ApiParts& parts, const HttpRequest&) {
  return json_answer(200, openapi(parts.version));
}

}  // namespace

HttpAnswer health_answer(const ApiParts& parts, bool ledger_can_be_read) {
  return json_answer(ledger_can_be_read ? 200 : 503,
                     {{"status", ledger_can_be_read ? "ok" : "the ledger cannot be read"},
                      {"version", parts.version},
                      {"now", parts.now().ms}});
}

std::vector<Route> ticket_routes() {
  return {
      {"GET", "health", "Whether it works", health},
      {"GET", "openapi.json", "This document", describe_itself},
      {"GET",
       "tickets",
       "The tickets, by priority and age, without their bodies",
       list_tickets,
       "",
       {"state", "label", "text", "limit"},
       {{422, "invalid"}}},
      {"POST",
       "tickets",
       "Puts a ticket on the board",
       add_ticket,
       R"({"title": "Fix the parser", "body": "It fails on an empty file.", "labels": ["bug"]})",
       {},
       {{400, "not_json"}, {409, "conflict"}, {409, "board_elsewhere"}, {422, "invalid"}}},
      {"GET",
       "tickets/{id}",
       "One ticket: comments, history, attempts",
       show_ticket,
       "",
       {},
       {{404, "no_such_ticket"}}},
      {"PATCH",
       "tickets/{id}",
       "Changes what is named; If-Match makes it conditional",
       edit_ticket,
       R"({"priority": 10})",
       {},
       {{404, "no_such_ticket"}, {409, "board_elsewhere"}, {412, "version_conflict"}, {422, "invalid"}}},
      {"POST",
       "tickets/{id}/move",
       "Moves it on the board; If-Match makes it conditional",
       move_ticket,
       R"({"state": "backlog", "reason": "later"})",
       {},
       {{404, "no_such_ticket"},
        {409, "conflict"},
        {409, "board_elsewhere"},
        {412, "version_conflict"},
        {422, "invalid"}}},
      {"POST",
       "tickets/{id}/cancel",
       "Cancels it; a live worker is ended first",
       cancel_ticket,
       R"({"reason": "not needed any more"})",
       {},
       {{404, "no_such_ticket"}}},
      {"POST",
       "tickets/{id}/park",
       "Back to the backlog; a live worker is ended first",
       park_ticket,
       R"({"reason": "not now"})",
       {},
       {{404, "no_such_ticket"}}},
      {"POST",
       "tickets/{id}/retry",
       "Another try with fresh budgets",
       retry_ticket,
       R"({"reason": "mended"})",
       {},
       {{404, "no_such_ticket"},
        {409, "conflict"},
        {409, "runtime_open"},
        {409, "not_told"},
        {409, "never_begun"},
        {409, "version_conflict"},
        {503, "board_away"},
        {503, "not_known"}}},
      {"POST",
       "tickets/{id}/answer",
       "Answers the question that its worker has asked",
       answer_question,
       R"({"text": "Use the second one."})",
       {},
       {{404, "no_such_ticket"}, {409, "nothing_asked"}, {409, "already_answered"}, {409, "runtime_closed"}}},
      {"GET", "runtimes", "The open runtimes", list_runtimes},
      {"GET",
       "runtimes/{id}",
       "One runtime: record, messages; of a ticket's id, its newest",
       show_runtime,
       "",
       {},
       {{404, "no_such_runtime"}}},
      {"POST",
       "runtimes/{id}/messages",
       "Sends a message; ?if=ready refuses it where the runtime takes no input now",
       send_message,
       R"({"text": "Please also update the manual."})",
       {"if"},
       {{404, "no_such_runtime"},
        {409, "runtime_not_ready"},
        {409, "runtime_closed"},
        {422, "invalid_text"}}},
      {"POST",
       "runtimes/{id}/stop",
       "Ends it, its work saved, its ticket then blocked",
       stop_runtime,
       R"({"reason": "it goes in circles"})",
       {},
       {{404, "no_such_runtime"}, {409, "runtime_closed"}}},
      {"GET", "pool", "The worktrees of the pool", pool},
      {"GET",
       "events",
       "What happened after an event's number",
       events,
       "",
       {"after", "ticket", "limit"},
       {{422, "invalid"}}},
  };
}

}  // namespace holdfast::server
