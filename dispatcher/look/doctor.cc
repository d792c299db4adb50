#include "dispatcher/look/doctor.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "dispatcher/core/decide.h"
#include "dispatcher/core/gate.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/verdict.h"
#include "dispatcher/core/words.h"
#include "dispatcher/look/look.h"
#include "dispatcher/look/words.h"

namespace holdfast {

namespace {
std::string plain_branch(const std::string& ref) {
  constexpr std::string_view heads = "refs/heads/";
  return ref.starts_with(heads) ? ref.substr(heads.size()) : ref;
}

bool never_comes(const Knowledge& k, const TicketId& needed) {
  const auto other = k.tickets.find(needed);
  return other != k.tickets.end() && other->second.board &&
         other->second.board->state == BoardState::cancelled;
}
}  // namespace

const char* words_of(Weight weight) {
  switch (weight) {
    case Weight::note: return "note";
    case Weight::warning: return "warning";
    case Weight::problem: return "problem";
  }
  __builtin_unreachable();
}

Json row_of(const Finding& f) {
  Json j;
  j["weight"] = words_of(f.weight);
  j["kind"] = f.kind;
  j["about"] = f.about;
  j["words"] = safe(f.words);
  j["remedy"] = safe(f.remedy);
  return j;
}

std::vector<Finding> find_drift(const Knowledge& k, const Policy& policy) {
  std::vector<Finding> found;
  for (const auto& [id, t] : k.tickets) {
    const Attempt* a = t.current();
    if (a != nullptr && !t.board)
      found.push_back({Weight::problem, "drift", attempt_key(a->id), "its ticket is not on the board",
                       "put the ticket back, or `holdfast runtime stop " + attempt_key(a->id) + "`"});
    if (a == nullptr && t.board && t.board->state == BoardState::in_progress)
      found.push_back({Weight::warning, "drift", id.value, "in_progress on the board, and no attempt is open",
                       "`holdfast ticket move " + id.value + " todo`, unless a person works on it"});
    if (a == nullptr && t.board && t.board->state == BoardState::todo)
      for (const TicketId& needed : t.board->depends_on)
        if (never_comes(k, needed))
          found.push_back({Weight::warning, "waits-for-ever", id.value,
                           "it depends on " + needed.value + ", which is cancelled",
                           "reopen that one, or cancel this one too"});
    if (a == nullptr) continue;
    if (a->open() && t.board && t.board->state == BoardState::todo)
      found.push_back(
          {Weight::warning, "drift", attempt_key(a->id), "todo on the board beside an open runtime", ""});
    if (!a->open()) {
      found.push_back(
          {Weight::note, "unsettled", attempt_key(a->id), "closed; the board is not told yet", ""});
      continue;
    }
    if (!a->attention.empty())
      found.push_back({Weight::warning, "attention", attempt_key(a->id), a->attention,
                       "`holdfast explain " + id.value + "`"});
    if (a->cause == Cause::none && a->step == Step::spawn_begun) switch (verdict_of(*a, t.seen, k.now)) {
        case Verdict::alive: break;
        case Verdict::dead:
          found.push_back({Weight::note, "drift", attempt_key(a->id),
                           "dead, and the ledger does not know yet: " + describe(*a, t.seen, k.now), ""});
          break;
        case Verdict::unknown:
          found.push_back({Weight::warning, "unknown", attempt_key(a->id),
                           "nobody can tell whether it lives: " + describe(*a, t.seen, k.now),
                           "look at its host; `holdfast runtime declare-dead` if you know that it does not"});
          break;
      }
    if (!policy.profiles.contains(a->profile))
      found.push_back({Weight::warning, "configuration", attempt_key(a->id),
                       "its worker profile '" + a->profile + "' is not in the configuration any more", ""});
  }
  if (still_waits(k.now, k.breaker.open_until, {2 * policy.breaker_rest.ms}))
    found.push_back(
        {Weight::warning, "crash-loop", "",
         "too many attempts died young: nothing new is begun before " + clock_words(k.breaker.open_until),
         "`holdfast deaths` of those tickets says of what; dispatching goes on by itself"});
  if (!k.ledger_trouble.empty()) found.push_back({Weight::problem, "ledger", "", k.ledger_trouble, ""});
  return found;
}

std::vector<Finding> find_strays(const Knowledge& k, const KnownAttempts& known) {
  std::vector<Finding> found;
  for (const auto& [number, shard] : k.shards)
    for (const PaneSighting& pane : shard.panes) {
      const std::string& name = pane.session.value;
      const auto id =
          name.starts_with("hf-") ? parse_attempt_key(std::string_view(name).substr(3)) : std::nullopt;
      if (!id) continue;  // the server's own, or a person's
      const auto t = k.tickets.find(id->ticket);
      const bool open =
          t != k.tickets.end() && t->second.newest && t->second.newest->id == *id && t->second.newest->open();
      if (open) continue;
      if (known.contains(*id))
        found.push_back(
            {pane.dead ? Weight::note : Weight::problem, pane.dead ? "dead-session" : "stray-session", name,
             pane.dead ? "a dead session of a closed attempt" : "a live session of a closed attempt",
             pane.dead ? "`holdfast doctor --fix` ends it"
                       : "look with `tmux attach`; it is never killed unasked"});
      else
        found.push_back({Weight::problem, "stray-session", name,
                         "a session on server " + std::to_string(number) +
                             " that no record knows (pane process " + std::to_string(pane.pane_pid) + ")",
                         "was the ledger lost? it is never killed unasked"});
    }
  std::vector<AttemptId> unknown;
  for (const AttemptId& id : k.traces)
    if (!known.contains(id)) unknown.push_back(id);
  constexpr std::size_t told_one_by_one = 3;
  if (unknown.size() <= told_one_by_one) {
    for (const AttemptId& id : unknown)
      found.push_back({Weight::warning, "stray-trace", attempt_key(id),
                       "a record folder, branch or saved ref of an attempt that the ledger does not know",
                       "its commits are kept; new generations begin above it"});
    return found;
  }
  // Another installation works in the same repository, or the ledger was lost: one line says that.
  std::string names;
  for (std::size_t n = 0; n < told_one_by_one; ++n) names += attempt_key(unknown[n]) + ", ";
  found.push_back(
      {Weight::warning, "stray-traces", "",
       std::to_string(unknown.size()) +
           " attempts that the ledger does not know have left a record folder, branch or saved ref (" +
           names + "...)",
       "another installation in this repository, or a lost ledger; their commits are kept, and new "
       "generations begin above them"});
  return found;
}

std::vector<Finding> find_pool_trouble(const Knowledge& k, const std::vector<SlotSighting>& slots) {
  std::vector<Finding> found;
  std::map<SlotId, const SlotSighting*> seen;
  for (const SlotSighting& one : slots) seen[one.slot] = &one;
  for (const auto& [id, slot] : k.slots) {
    if (slot.state == SlotState::quarantined)
      found.push_back({Weight::warning, "quarantined", id.value, slot.note + " (" + slot.path + ")",
                       "save or discard what is in it, then `holdfast pool gc`"});
    if (slot.state == SlotState::leased) {
      const auto t = k.tickets.find(slot.holder.ticket);
      const bool open = t != k.tickets.end() && t->second.newest && t->second.newest->id == slot.holder &&
                        t->second.newest->open();
      if (!open)
        found.push_back({Weight::problem, "lease", id.value,
                         "leased to " + attempt_key(slot.holder) + ", which is not open",
                         "report this: it must not be"});
    }
    const auto sighting = seen.find(id);
    if (slot.state == SlotState::free && sighting != seen.end() && sighting->second->clean == Tri::no)
      found.push_back({Weight::warning, "dirty-worktree", id.value,
                       "it is free and not clean (" + slot.path + "): nothing can be prepared in it",
                       "save or discard what is in it (`git status` there)"});
    if (!slots.empty() && (sighting == seen.end() || sighting->second->registered == Tri::no))
      found.push_back({Weight::warning, "missing-worktree", id.value,
                       "its folder is gone (" + slot.path + ")",
                       slot.state == SlotState::quarantined ? "`holdfast pool gc` makes it again"
                       : slot.state == SlotState::leased    ? "it is made again when its attempt is closed"
                                                            : "`holdfast up` makes it again"});
  }
  for (const auto& [id, one] : seen)
    if (!k.slots.contains(id))
      found.push_back({Weight::note, "stray-worktree", id.value,
                       "a worktree that the ledger does not know (" + one->path + ")",
                       "`holdfast up` takes it into the pool where it is clean"});
  return found;
}

std::vector<Finding> find_stranded(LookAround& look) {
  std::vector<Finding> found;
  const std::string target = plain_branch(look.brain.policy.target);
  for (auto& [id, t] : look.brain.knowledge.tickets) {
    const auto attempts = look.world.ledger.attempts_of(id);
    if (attempts.value.empty() || attempts.value.back().base.empty()) continue;
    const Attempt& newest = attempts.value.back();
    const auto facts =
        look.world.worktrees.inspect(branch_order(newest, look.brain.policy, false), look.within.git);
    if (facts.raw.transport != Transport::answered || facts.raw.code != 0) {
      look.troubles.push_back("branches of " + id.value + ": " + facts.raw.error);
      continue;
    }
    for (const Stranded& one : stranded_of(facts.value, t.memory))
      found.push_back({Weight::warning, "stranded-branch", id.value,
                       one.ref + " has " + std::to_string(one.commits) + " commits that are not on " + target,
                       "land it, or `holdfast ticket waive " + id.value + " " + one.ref + "`"});
    const bool over =
        t.board && (t.board->state == BoardState::done || t.board->state == BoardState::cancelled);
    if (over && !newest.open() && facts.value.has_commits == Tri::yes &&
        facts.value.ancestor_of_target == Tri::no && facts.value.equal_patch_on_target == Tri::no &&
        std::ranges::find(t.memory.waived, newest.branch.value) == t.memory.waived.end())
      found.push_back({t.board->state == BoardState::done ? Weight::problem : Weight::note, "stranded-branch",
                       id.value,
                       std::string(words_for(t.board->state)) + ", and " + newest.branch.value +
                           " is not on " + target + " (" + std::to_string(facts.value.commits) + " commits)",
                       "land it, or `holdfast ticket waive " + id.value + " " + newest.branch.value + "`"});
  }
  return found;
}

KnownAttempts known_attempts(LookAround& look) {
  std::set<TicketId> tickets;
  for (const auto& [id, t] : look.brain.knowledge.tickets) tickets.insert(id);
  for (const AttemptId& id : look.brain.knowledge.traces) tickets.insert(id.ticket);
  KnownAttempts known;
  for (const TicketId& id : tickets)
    for (const Attempt& a : look.world.ledger.attempts_of(id).value) known.insert(a.id);
  return known;
}

std::vector<Finding> examine(LookAround& look, const KnownAttempts& known, std::vector<Finding> already) {
  std::vector<TicketId> live;
  for (const auto& [id, t] : look.brain.knowledge.tickets)
    if (t.current() != nullptr && t.current()->open()) live.push_back(id);
  for (const TicketId& id : live) look.plan_for(id);  // looks at what it must see

  std::vector<Finding> found = std::move(already);
  const auto add = [&](std::vector<Finding> more) { std::ranges::move(more, std::back_inserter(found)); };
  add(find_drift(look.brain.knowledge, look.brain.policy));
  add(find_strays(look.brain.knowledge, known));
  add(find_pool_trouble(look.brain.knowledge, look.slots));
  add(find_stranded(look));
  for (const Hindrance& one : look.hindrances)
    found.push_back({Weight::warning, "in-the-way", "", describe(one),
                     "the dispatcher tries it again until it works, or its tries are used up"});
  for (const std::string& trouble : look.troubles)
    found.push_back({Weight::warning, "not-seen", "", trouble, "look again when it answers"});
  std::vector<Finding> ordered;
  for (const Weight weight : {Weight::problem, Weight::warning, Weight::note})
    for (const Finding& f : found)
      if (f.weight == weight) ordered.push_back(f);
  return ordered;
}

}  // namespace holdfast
