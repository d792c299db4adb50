// What a look of one's own tells: plan, explanation, findings; what was counted; what a terminal shows. And
// the two actions that reach beyond the ledger: a key pressed in a terminal, and a landing.
#include <nlohmann/json.hpp>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/hand/approve.h"
#include "dispatcher/look/explain.h"
#include "dispatcher/look/plan.h"
#include "dispatcher/look/screen.h"
#include "dispatcher/server/api.h"
#include "dispatcher/server/request.h"
#include "dispatcher/server/screens.h"

namespace holdfast::server {
namespace {

constexpr int screen_lines = 20, screen_lines_max = 500;
constexpr int events_at_once = 10'000;
constexpr int hours_max = 24 * 31;

HttpAnswer not_here(const char* what) {
  return problem(503, "not_here", std::string(what) + " is not to be had from this server");
}

HttpAnswer again_soon(const char* words) {
  HttpAnswer answer = problem(503, "busy", words);
  answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

// One look at a time. Whoever asks for the same during another one gets what the last one of its kind saw.
template <class Tell>
HttpAnswer by_a_look(const ApiParts& parts, const std::string& kind, bool worktrees, Tell tell) {
  if (!parts.look) return not_here("a look");
  ApiMemory& memory = *parts.memory;
  const std::unique_lock turn(memory.looking, std::try_to_lock);
  if (!turn.owns_lock()) {
    const std::scoped_lock lock(memory.keeping);
    const auto last = memory.looks.find(kind);
    return last == memory.looks.end() ? again_soon("somebody else has a look; ask again in a moment")
                                      : last->second;
  }
  const auto look = parts.look(worktrees);
  if (!look) return problem(look.error());
  HttpAnswer answer = tell(**look);
  if (!kind.empty() && answer.status == 200) {
    const std::scoped_lock lock(memory.keeping);
    memory.looks[kind] = answer;
  }
  return answer;
}

HttpAnswer show_plan(const ApiParts& parts, const HttpRequest& request) {
  const auto all = yes_asked(request, "all"), live = yes_asked(request, "live");
  if (!all) return problem(all.error());
  if (!live) return problem(live.error());
  const PlanScope scope = *live ? PlanScope::live : *all ? PlanScope::all : PlanScope::due;
  const std::string kind = *live ? "plan live" : *all ? "plan all" : "plan";
  return by_a_look(parts, kind, false, [&](LookAround& look) {
    Json rows = Json::array();
    for (const PlannedTicket& one : plan_tickets(look, scope)) rows.push_back(row_of(one));
    return json_answer(200, {{"looked_at", look.brain.knowledge.now.ms},
                             {"plans", rows},
                             {"not_seen", troubles_of(look)},
                             {"in_the_way", hindrances_of(look)}});
  });
}

HttpAnswer explain_ticket(const ApiParts& parts, const HttpRequest& request) {
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  return by_a_look(parts, "", false, [&](LookAround& look) {
    const auto explained = explain(look, *id);
    return explained ? json_answer(200, row_of(*explained, look))
                     : problem(404, "no_such_ticket", "no ticket " + id->value);
  });
}

HttpAnswer doctor(const ApiParts& parts, const HttpRequest&) {
  return by_a_look(parts, "doctor", true, [&](LookAround& look) {
    std::vector<Finding> already;
    if (parts.find_what_is_broken) already = parts.find_what_is_broken(look);
    Json rows = Json::array();
    for (const Finding& one : examine(look, known_attempts(look), std::move(already)))
      rows.push_back(row_of(one));
    return json_answer(200, {{"looked_at", look.brain.knowledge.now.ms}, {"findings", rows}});
  });
}

HttpAnswer statistics(const ApiParts& parts, const HttpRequest& request) {
  const auto asked = number_asked(request, "hours");
  if (!asked) return problem(asked.error());
  if (*asked > hours_max)
    return problem(422, "invalid", "hours must be at most " + std::to_string(hours_max));
  ApiMemory& memory = *parts.memory;
  const std::scoped_lock lock(memory.counting);
  for (bool more = true; more;) {
    const auto events = parts.ledger.events_after(memory.statistics.seq(), std::nullopt, events_at_once);
    if (!answered(events.raw)) return problem(refusal_of(events.raw));
    for (const LedgerEvent& one : events.value) memory.statistics.take(one);
    more = std::ssize(events.value) == events_at_once;
  }
  return json_answer(200, memory.statistics.row(parts.now(), *asked == 0 ? 24 : static_cast<int>(*asked)));
}

// --- screens

ScreenOrder screen_order(const ApiParts& parts, int lines) {
  return {static_cast<std::size_t>(lines), parts.policy.columns, parts.policy.rows};
}

Json screen_row(const Attempt& a, const Screen& screen) {
  Json lines = Json::array();
  for (const std::string& line : screen.lines) lines.push_back(line);
  return {{"runtime", attempt_key(a.id)},
          {"ticket", a.id.ticket.value},
          {"phase", words_for(a.phase)},
          {"lines", lines},
          {"stream_bytes", screen.stream_bytes},
          {"last_output_at", screen.last_output_at.set() ? Json(screen.last_output_at.ms) : Json(nullptr)}};
}

HttpAnswer show_screen(const ApiParts& parts, const HttpRequest& request) {
  const auto attempt = attempt_called(parts.ledger, named(request));
  if (!attempt) return problem(attempt.error());
  auto asked = number_asked(request, "lines");
  if (!asked) return problem(asked.error());
  if (*asked == 0) asked = screen_lines;
  if (*asked > screen_lines_max)
    return problem(422, "invalid", "lines must be at most " + std::to_string(screen_lines_max));
  const auto record = parts.records.read(attempt->id);
  const auto screen =
      read_screen(parts.records, attempt->id, record.value, screen_order(parts, static_cast<int>(*asked)));
  return json_answer(200, screen_row(*attempt, screen.value));
}

// --- actions

HttpAnswer interrupt_runtime(const ApiParts& parts, const HttpRequest& request) {
  auto object = object_in(request);
  if (!object) return problem(object.error());
  Fields fields(std::move(*object));
  const std::string key = fields.text("key").value_or("C-c");
  if (const auto wrong = fields.mistake()) return problem(*wrong);
  if (key != "C-c" && key != "Escape") return problem(422, "invalid", "/key must be C-c or Escape");
  if (!parts.press) return not_here("a terminal");
  const auto attempt = open_attempt_called(parts.ledger, named(request));
  if (!attempt) return problem(attempt.error());
  if (const auto pressed = parts.press(*attempt, key); !pressed) return problem(pressed.error());
  parts.ledger.write(Note{attempt->id, "interrupted", person_of(request), key}, parts.now());
  parts.wake();
  return json_answer(200, {{"runtime", attempt_key(attempt->id)}, {"sent", key}});
}

HttpAnswer approve_ticket(const ApiParts& parts, const HttpRequest& request) {
  const auto id = ticket_called(named(request));
  if (!id) return problem(id.error());
  const auto wanted = version_wanted(request);
  if (!wanted) return problem(wanted.error());
  const auto reason = reason_in(request);
  if (!reason) return problem(reason.error());
  const auto page = parts.desk.show(*id);
  if (!page) return problem(refusal_of(page.error()));
  if (*wanted && page->ticket.version != **wanted)
    return problem(412, "version_conflict", id->value + " was changed meanwhile",
                   {{"version", page->ticket.version}});
  if (parts.worktrees == nullptr) return not_here("git");
  const std::unique_lock turn(parts.memory->landing, std::try_to_lock);
  if (!turn.owns_lock()) return again_soon("another ticket is being landed; ask again in a moment");
  const auto approved = approve(hand_of(parts, request), *parts.worktrees, parts.policy, *id, *reason);
  if (!approved) return problem(approved.error());
  parts.wake();
  HttpAnswer answer = json_answer(200, {{"ticket", row_of(approved->ticket, false)}, {"how", approved->how}});
  answer.headers.emplace_back("ETag", etag_of(approved->ticket));
  return answer;
}

}  // namespace

void draw_screens(const ApiParts& parts, DrawnScreens& drawn) {
  const auto open = parts.ledger.open_attempts();
  if (!answered(open.raw)) return;  // what was drawn stays
  DrawnScreens now;
  for (const Attempt& a : open.value) {
    const std::string name = attempt_key(a.id);
    const auto record = parts.records.read(a.id);
    const auto before = drawn.find(name);
    DrawnScreen screen;
    if (before != drawn.end()) screen = std::move(before->second);
    const std::int64_t bytes = answered(record.raw) ? record.value.stream_bytes : 0;
    if (bytes != screen.stream_bytes || screen.phase != words_for(a.phase)) {
      const auto read = read_screen(parts.records, a.id, record.value, screen_order(parts, screen_lines));
      screen = {bytes, words_for(a.phase),
                screen_row(a, read.value).dump(-1, ' ', true, Json::error_handler_t::replace)};
    }
    now[name] = std::move(screen);
  }
  drawn = std::move(now);
}

std::vector<Route> look_routes() {
  return {
      {"GET",
       "plan",
       "What would be done now, and why; live=yes: the runtimes alone, all=yes: also what rests",
       show_plan,
       "",
       {"live", "all"},
       {{422, "invalid"}, {503, "busy"}, {503, "not_here"}}},
      {"GET",
       "tickets/{id}/explain",
       "Why it is as it is: the evidence of each probe, the rule that won, what comes next",
       explain_ticket,
       "",
       {},
       {{404, "no_such_ticket"}, {503, "busy"}, {503, "not_here"}}},
      {"GET",
       "doctor",
       "What is not as it should be between board, ledger and world",
       doctor,
       "",
       {},
       {{503, "busy"}, {503, "not_here"}}},
      {"GET",
       "statistics",
       "Attempts by the hour and by what their tickets became, and causes of death",
       statistics,
       "",
       {"hours"},
       {{422, "invalid"}}},
      {"GET",
       "runtimes/{id}/screen",
       "The last lines of its terminal, without escapes and control characters",
       show_screen,
       "",
       {"lines"},
       {{404, "no_such_runtime"}, {422, "invalid"}}},
      {"POST",
       "runtimes/{id}/interrupt",
       "Presses Ctrl-C, or Escape, in its terminal",
       interrupt_runtime,
       R"({"key": "C-c"})",
       {},
       {{404, "no_such_runtime"},
        {409, "runtime_closed"},
        {409, "no_live_pane"},
        {409, "attached"},
        {422, "invalid"},
        {503, "no_answer"},
        {503, "not_here"}}},
      {"POST",
       "tickets/{id}/approve",
       "A person's word that what is in review is good: its branch is landed, and it is done",
       approve_ticket,
       R"({"reason": "read and tried"})",
       {},
       {{404, "no_such_ticket"},
        {409, "not_in_review"},
        {409, "runtime_open"},
        {409, "land_conflict"},
        {409, "check_failed"},
        {409, "ready_to_land"},
        {409, "target_moved"},
        {409, "stranded"},
        {412, "version_conflict"},
        {503, "not_known"},
        {503, "busy"},
        {503, "not_here"}}},
  };
}

}  // namespace holdfast::server
