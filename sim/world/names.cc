#include "sim/world/names.h"

#include <memory>
#include <vector>

#include "dispatcher/core/names.h"
#include "sim/world/strikes.h"

namespace holdfast::sim {
namespace {

std::string flight_name(const Flight& f) {
  std::string name = "d" + std::to_string(f.dispatcher) + (f.detached ? "(gone)" : "") + " ";
  name += words_for(call_of(f.effect));
  if (const auto* write = std::get_if<WriteLedger>(&f.effect))
    name = "d" + std::to_string(f.dispatcher) + (f.detached ? "(gone) " : " ") + describe(*write);
  if (const TicketId id = ticket_of(f.effect); !id.empty()) name += " " + id.value;
  if (const auto* list = std::get_if<ListServer>(&f.effect)) name += " server-" + std::to_string(list->shard);
  if (const auto* start = std::get_if<StartServer>(&f.effect))
    name += " server-" + std::to_string(start->shard);
  if (f.part > 0 && !f.held) name += " part " + std::to_string(f.part + 1);
  return name;
}

template <class Map>
std::string key_of(const Map& map, std::size_t n) {
  auto at = map.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(n));
  return at->first.value;
}

std::string session_of(const World& w, std::size_t which) {
  std::size_t n = 0;
  for (const auto& [shard, server] : w.servers)
    for (const auto& [name, session] : server.sessions)
      if (n++ == which) return name.value;
  return "?";
}

std::string subject_of_strike(const World& w, const Event& e) {
  if (e.fault == FaultId::F5)
    return e.what == of_runtime ? attempt_key(w.runtimes[e.subject].attempt)
                                : flight_name(w.flights[e.subject]);
  switch (fault(e.fault).actor) {
    case Actor::port:
    case Actor::setting:
    case Actor::worker:
    case Actor::person: return {};
    case Actor::clock:
    case Actor::dispatcher: return "d" + std::to_string(e.subject);
    case Actor::world: break;
  }
  using enum FaultId;
  if (e.fault == C2) return "server-" + std::to_string(e.subject);
  if (e.fault == C3) return "server-" + std::to_string(e.subject) + " session-" + std::to_string(e.what);
  if (e.fault == A7 || e.fault == A11) return "d" + std::to_string(e.subject);
  if (e.fault == A8) return key_of(w.board.tickets, e.subject);
  if (e.fault == D8 || e.fault == D9) return key_of(w.git.slots, e.subject);
  return attempt_key(w.runtimes[e.subject].attempt);
}

}  // namespace

const char* words_for(Act act) {
  switch (act) {
    case Act::get_ready: return "get-ready";
    case Act::read_input: return "read-input";
    case Act::say_done: return "say-done";
    case Act::say_review: return "say-review";
    case Act::ask: return "ask";
    case Act::chat: return "chat";
    case Act::commit: return "commit";
    case Act::change: return "change";
    case Act::fork_child: return "fork-child";
    case Act::child_ends: return "child-ends";
    case Act::exit_well: return "exit-0";
    case Act::exit_badly: return "exit-1";
    case Act::crash: return "crash";
    case Act::die_of_term: return "die-of-term";
    case Act::die_of_kill: return "die-of-kill";
    case Act::wake: return "wake";
  }
  __builtin_unreachable();
}

const char* words_for(Deed deed) {
  switch (deed) {
    case Deed::set_todo: return "set-todo";
    case Deed::cancel: return "cancel";
    case Deed::set_done: return "set-done";
    case Deed::to_backlog: return "to-backlog";
    case Deed::reopen: return "reopen";
    case Deed::edit: return "edit";
    case Deed::remove: return "remove";
    case Deed::wish_stop: return "wish-stop";
    case Deed::wish_cancel: return "wish-cancel";
    case Deed::wish_park: return "wish-park";
    case Deed::answer: return "answer";
    case Deed::attach: return "attach";
    case Deed::detach: return "detach";
    case Deed::end_session: return "end-session";
    case Deed::land_by_merge: return "land-by-merge";
    case Deed::land_by_squash: return "land-by-squash";
    case Deed::push: return "push";
  }
  __builtin_unreachable();
}

std::string name_of(const World& w, const Event& e) {
  const std::string struck = e.fault == FaultId::none ? "" : " !" + std::string(holdfast::name_of(e.fault));
  const std::string dispatcher = "d" + std::to_string(e.subject);
  switch (e.what_kind) {
    case Do::hold: return "hold " + flight_name(w.flights[e.subject]) + struck;
    case Do::vanish: return "vanish " + flight_name(w.flights[e.subject]);
    case Do::reply: return "reply " + flight_name(w.flights[e.subject]);
    case Do::news: return "news " + dispatcher;
    case Do::think: return "think " + dispatcher;
    case Do::runner: return "runner " + attempt_key(w.runtimes[e.subject].attempt);
    case Do::worker:
      return "worker " + attempt_key(w.runtimes[e.subject].attempt) + " " +
             words_for(static_cast<Act>(e.what));
    case Do::time: return e.what == 0 ? "time" : "time " + std::to_string(e.what) + " minutes";
    case Do::crash: return "crash " + dispatcher;
    case Do::start: return "start " + dispatcher;
    case Do::resume: return "resume " + dispatcher;
    case Do::strike: return "strike" + struck + " " + subject_of_strike(w, e);
    case Do::person: {
      const auto deed = static_cast<Deed>(e.what);
      const bool about_session = deed == Deed::attach || deed == Deed::detach || deed == Deed::end_session;
      return std::string("person ") + words_for(deed) + " " +
             (about_session ? session_of(w, e.subject) : key_of(w.board.tickets, e.subject));
    }
  }
  __builtin_unreachable();
}

std::string exact_name_of(const World& w, const Event& e) {
  const std::string name = name_of(w, e);
  std::vector<Event> all;
  enabled(w, all);
  if (e.fault != FaultId::none || e.what_kind == Do::crash) enabled_faults(w, all);
  int before = 0;
  for (const Event& other : all) {
    if (other == e) break;
    if (other.what_kind == e.what_kind && other.fault == e.fault && name_of(w, other) == name) ++before;
  }
  return before == 0 ? name : name + " #" + std::to_string(before + 1);
}

std::optional<Event> event_named(const World& w, std::string_view name) {
  int nth = 1;
  if (const auto at = name.rfind(" #"); at != std::string_view::npos) {
    nth = 0;
    for (const char c : name.substr(at + 2)) nth = nth * 10 + (c - '0');
    name = name.substr(0, at);
  }
  std::vector<Event> all;
  enabled(w, all);
  for (const Event& e : all)
    if (name_of(w, e) == name && --nth == 0) return e;
  all.clear();
  World free = w;  // budgets and kinds do not bind somebody who knows what they want
  auto setup = std::make_shared<Setup>(*w.setup);
  setup->faults = FaultSet::all();
  free.setup = std::move(setup);
  free.faults_left = free.crashes_left = 1 << 20;
  free.healed = false;
  enabled_faults(free, all);
  if (w.persons_left <= 0 || w.healed) person_deeds(w, all);
  for (std::size_t i = 0; i < w.flights.size(); ++i)  // slowness; only `prove` makes it by itself
    all.push_back({Do::strike, static_cast<std::uint8_t>(i), of_call, FaultId::F5});
  for (std::size_t i = 0; i < w.runtimes.size(); ++i)
    all.push_back({Do::strike, static_cast<std::uint8_t>(i), of_runtime, FaultId::F5});
  for (const Event& e : all)
    if (name_of(w, e) == name && --nth <= 0) return e;
  return std::nullopt;
}

}  // namespace holdfast::sim
