// For tests: one brain in a toy world, with time that passes and workers whose acts make news.
#pragma once

#include <algorithm>
#include <string>

#include "dispatcher/core/toy_world.h"

namespace holdfast::toy {

struct Play {
  ToyWorld world;
  Brain brain;
  TicketId ticket{"T-1"};

  explicit Play(int capacity = 2) : world(capacity), brain{toy_policy(capacity), {}, {}} {}
  void pass(Duration span) {
    for (const auto& [id, record] : world.records) absorb(brain, AttemptNews{id});
    absorb(brain, LedgerNews{});
    absorb(brain, BoardNews{});
    run_for(brain, world, span);
  }
  void restart() { brain = Brain{brain.policy, {}, {}}; }
  [[nodiscard]] const Attempt& newest() const { return *world.newest(ticket); }
  [[nodiscard]] BoardState board() const { return world.board.at(ticket).state; }
  void person_moves(BoardState to) {
    BoardTicket& shown = world.board.at(ticket);
    shown.state = to;
    shown.version += 1;
    shown.moved_by = "person:bob";
  }
  void person_writes(const std::string& text) {
    Message m;
    m.id = {"m" + std::to_string(world.ledger[ticket].messages.size() + 1)};
    m.attempt = newest().id;
    m.kind = MessageKind::answer;
    m.text = text;
    m.queued_at = m.changed_at = world.now;
    world.ledger[ticket].messages.push_back(m);
  }
  void person_leaves_commits() {
    world.facts.has_commits = Tri::yes;
    world.facts.commits = 1;
  }
  [[nodiscard]] int count(const std::string& what) const {
    return static_cast<int>(std::ranges::count_if(
        world.trace, [&](const auto& line) { return line.find(what) != std::string::npos; }));
  }
  [[nodiscard]] std::string trace() const {
    std::string all;
    for (const auto& line : world.trace) all += line + "\n";
    return all.size() > 6000 ? all.substr(0, 3000) + "[...]\n" + all.substr(all.size() - 3000) : all;
  }
};

}  // namespace holdfast::toy
