// The pool of worktrees: who has which, and giving back what is fit again.
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/pool.h"
#include "dispatcher/cli/rows.h"
#include "dispatcher/cli/session.h"
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
  const auto fit = slots_fit_again((*opened)->brain.knowledge, (*opened)->slots);
  const bool dry = args.has("dry-run");
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
    print(shell, {{"fit_again", names}, {"freed", freed}, {"dry_run", dry}});
    return Exit::ok;
  }
  for (const Slot& slot : fit)
    shell.out << slot.id.value << "  " << (dry ? "would be freed" : "freed")
              << ": it is clean and detached again\n";
  if (fit.empty()) shell.out << "nothing to give back\n";
  return Exit::ok;
}

}  // namespace

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
           "Gives quarantined worktrees back to the pool that are clean and detached again.",
           "What is unsaved is never touched: save or discard it in the worktree yourself, then run this.",
           {},
           {{"dry-run", "", "Only say what would be given back.", 'n', false, Is::text}},
           {{"holdfast pool gc --dry-run", ""}},
           gc}};
}

}  // namespace holdfast::cli
