// The pool of worktrees: who has which, and giving back what is fit again.
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/pool.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/core/classify.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast::cli {
namespace {

Exit status(const Arguments&, Shell& shell) {
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  const auto opened = look_around(*config, true);
  if (!opened) return fail(shell, opened.error());
  std::map<SlotId, SlotSighting> seen;
  for (const SlotSighting& one : (*opened)->slots) seen[one.slot] = one;
  const auto& slots = (*opened)->brain.knowledge.slots;
  Json rows = Json::array();
  std::vector<std::vector<std::string>> lines;
  for (const auto& [id, slot] : slots) {
    const auto found = seen.find(id);
    const SlotSighting* sighting = found == seen.end() ? nullptr : &found->second;
    if (shell.json) {
      rows.push_back(row_of(slot, sighting));
      continue;
    }
    const bool fine = slot.state != SlotState::quarantined;
    lines.push_back({id.value, fine ? words_for(slot.state) : shell.paint(yellow, words_for(slot.state)),
                     slot.holder.generation.value ? attempt_key(slot.holder) : "-",
                     sighting ? words_for(sighting->clean) : "not seen",
                     sighting && !sighting->branch.empty() ? safe(sighting->branch.value, 60) : "-",
                     safe(slot.note.empty() ? slot.path : slot.note, 120)});
  }
  if (shell.json)
    print(shell, {{"capacity", config->policy.capacity}, {"slots", rows}});
  else if (lines.empty())
    shell.out << "the pool is empty; `holdfast up` makes it\n";
  else
    shell.out << table({"SLOT", "STATE", "HOLDER", "CLEAN", "BRANCH", "PATH OR NOTE"}, lines, shell);
  return Exit::ok;
}

Exit gc(const Arguments& args, Shell& shell) {
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  const auto opened = look_around(*config, true);
  if (!opened) return fail(shell, opened.error());
  const bool dry = args.has("dry-run");
  const auto lost = lost_slots((*opened)->brain.knowledge, (*opened)->slots);
  std::vector<std::string> in_the_way;
  const auto held_up = held_up_slots((*opened)->brain.knowledge, (*opened)->slots);
  if (!dry) in_the_way = bring_back_slots(**opened);
  const auto fit = slots_fit_again((*opened)->brain.knowledge, (*opened)->slots);
  int freed = 0;
  if (!dry && !fit.empty()) {
    auto books = open_books(shell, LedgerMode::command_line);
    if (!books) return fail(shell, books.error());
    const auto trouble = free_slots(*books->ledger, fit, freed, shell.now());
    if (trouble) return fail(shell, *trouble);
    wake_dispatcher(*config);
  }
  if (shell.json) {
    Json names = Json::array();
    for (const Slot& slot : fit) names.push_back(slot.id.value);
    Json gone = Json::array();
    for (const Slot& slot : lost) gone.push_back(slot.id.value);
    Json held = Json::array();
    for (const Slot& slot : held_up) held.push_back(slot.id.value);
    print(shell, {{"fit_again", names},
                  {"lost_folders", gone},
                  {"held_up", held},
                  {"in_the_way", in_the_way},
                  {"freed", freed},
                  {"dry_run", dry}});
    return Exit::ok;
  }
  if (dry)
    for (const Slot& slot : lost) shell.out << slot.id.value << "  would be made again: its folder is gone\n";
  if (dry)
    for (const Slot& slot : held_up)
      shell.out << slot.id.value << "  would be given back: it is clean, and still on its attempt's branch\n";
  for (const std::string& words : in_the_way) shell.out << shell.paint(yellow, safe(words, 300)) << "\n";
  for (const Slot& slot : fit)
    shell.out << slot.id.value << "  " << (dry ? "would be freed" : "freed")
              << ": it is clean and detached again\n";
  if (fit.empty() && lost.empty() && held_up.empty()) shell.out << "nothing to give back\n";
  return Exit::ok;
}

}  // namespace

std::vector<Slot> lost_slots(const Knowledge& k, const std::vector<SlotSighting>& seen) {
  std::vector<Slot> lost;
  for (const SlotSighting& one : seen) {
    const auto slot = k.slots.find(one.slot);
    if (slot != k.slots.end() && slot->second.state == SlotState::quarantined && one.registered == Tri::no &&
        slot->second.holder.generation.value != 0)
      lost.push_back(slot->second);
  }
  return lost;
}

std::vector<Slot> held_up_slots(const Knowledge& k, const std::vector<SlotSighting>& seen) {
  std::vector<Slot> held_up;
  for (const SlotSighting& one : seen) {
    const auto slot = k.slots.find(one.slot);
    if (slot == k.slots.end() || slot->second.state != SlotState::quarantined) continue;
    if (one.registered == Tri::yes && one.clean == Tri::yes && one.locked == Tri::no && !one.branch.empty() &&
        slot->second.holder.generation.value != 0)
      held_up.push_back(slot->second);
  }
  return held_up;
}

std::vector<std::string> bring_back_slots(OwnLook& look) {
  std::vector<std::string> in_the_way;
  const Policy& policy = look.config.policy;
  Worktrees& worktrees = look.parts->world().worktrees;
  std::vector<Slot> slots = lost_slots(look.brain.knowledge, look.slots);
  std::ranges::move(held_up_slots(look.brain.knowledge, look.slots), std::back_inserter(slots));
  for (const Slot& slot : slots) {
    const auto attempts = look.parts->ledger().attempts_of(slot.holder.ticket);
    const auto held = std::ranges::find(attempts.value, slot.holder, &Attempt::id);
    if (held == attempts.value.end()) continue;
    const auto went = [&](Call call, const RawReply& raw) {
      const bool done = is_done(classify(call, raw));
      if (!done) in_the_way.push_back(slot.id.value + " could not be given back: " + raw.error);
      return done;
    };
    // The same steps as when an attempt is closed: pinned and saved, looked at, given back under the slot's
    // lock.
    const BranchOrder order = branch_order(*held, policy, true);
    if (!went(Call::salvage, worktrees.salvage(order, policy.git_deadline).raw)) continue;
    const auto facts = worktrees.inspect(order, policy.git_deadline);
    if (!went(Call::inspect, facts.raw)) continue;
    const CommitId& head = facts.value.head.empty() ? facts.value.tip : facts.value.head;
    const auto given = worktrees.release({slot.id, held->id}, head, policy.start, policy.git_deadline);
    if (went(Call::release, given.raw))
      std::ranges::replace_if(
          look.slots, [&](const SlotSighting& one) { return one.slot == slot.id; }, given.value);
  }
  return in_the_way;
}

std::vector<Slot> slots_fit_again(const Knowledge& k, const std::vector<SlotSighting>& seen) {
  std::vector<Slot> fit;
  for (const SlotSighting& one : seen) {
    const auto slot = k.slots.find(one.slot);
    if (slot == k.slots.end() || slot->second.state != SlotState::quarantined) continue;
    if (one.registered == Tri::yes && one.clean == Tri::yes && one.locked == Tri::no && one.branch.empty())
      fit.push_back(slot->second);
  }
  return fit;
}

std::optional<Trouble> free_slots(Ledger& ledger, const std::vector<Slot>& fit, int& freed, Instant now) {
  for (Slot slot : fit) {
    slot.state = SlotState::free;
    slot.holder = {};
    slot.note.clear();
    const auto wrote = ledger.write(StoreSlot{slot}, now);
    if (wrote.raw.transport != Transport::answered || wrote.raw.code != 0) return trouble_of(wrote.raw);
    freed += 1;
  }
  return std::nullopt;
}

std::vector<Command> pool_commands() {
  return {{{"pool", "status"},
           "Shows the worktrees of the pool: state, holder, and how git sees them.",
           "",
           {},
           {},
           {{"holdfast pool status", ""}},
           status},
          {{"pool", "gc"},
           "Gives quarantined worktrees back to the pool that are clean.",
           "What is unsaved is never touched: save or discard it in the worktree yourself, then run this. A "
           "worktree whose folder is gone is made again; every commit of its attempt stays.",
           {},
           {{"dry-run", "", "Only say what would be given back.", 'n', false, Is::text}},
           {{"holdfast pool gc --dry-run", ""}},
           gc}};
}

}  // namespace holdfast::cli
