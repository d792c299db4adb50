#include "dispatcher/core/toy_world.h"

#include <algorithm>

#include "dispatcher/core/classify.h"

namespace holdfast {

Policy toy_policy(int capacity) {
  Policy policy;
  policy.capacity = capacity;
  policy.shards = 1;
  policy.target = policy.start = "refs/heads/main";
  policy.backoff_first = millis(100);
  Profile profile;
  profile.name = "generic";
  profile.command = {"worker"};
  profile.finish_grace = seconds(2);
  profile.term_grace = seconds(2);
  policy.profiles["generic"] = profile;
  return policy;
}

ToyWorld::ToyWorld(int capacity) {
  for (int i = 1; i <= capacity; ++i) {
    const SlotId id{"slot-00" + std::to_string(i)};
    slots[id] = {id, SlotState::free, {}, "/pool/" + id.value, {}};
  }
  facts.tip = facts.head = {"aaaa"};
  facts.commits = 0;
  facts.has_commits = facts.ancestor_of_target = facts.equal_patch_on_target = Tri::no;
  facts.uncommitted = facts.untracked = facts.unpushed = facts.detached = facts.operation_in_progress =
      Tri::no;
  facts.stranded_known = Tri::yes;
}

void ToyWorld::add(const std::string& id, BoardState state) {
  BoardTicket ticket;
  ticket.id = {id};
  ticket.title = "Do " + id;
  ticket.body = "Please.";
  ticket.state = state;
  ticket.version = 1;
  ticket.created_at = now;
  board[ticket.id] = ticket;
}

const Attempt* ToyWorld::newest(const TicketId& id) const {
  const auto found = ledger.find(id);
  return found == ledger.end() || !found->second.newest ? nullptr : &*found->second.newest;
}

int ToyWorld::live_runtimes(const TicketId& id) const {
  return static_cast<int>(
      std::ranges::count_if(processes, [&](const auto& p) { return p.first.ticket == id && p.second; }));
}

void ToyWorld::say(const TicketId& id, const std::string& line) {
  const AttemptId attempt = newest(id)->id;
  streams[attempt] += line + "\n";
  records[attempt].stream_bytes = static_cast<std::int64_t>(streams[attempt].size());
  records[attempt].last_output_at = now;
}

void ToyWorld::exit(const TicketId& id, int code) {
  const AttemptId attempt = newest(id)->id;
  WorkerEnd end;
  end.exit_code = code;
  end.oom = OomEvidence::none_seen;
  end.tree_empty = true;
  records[attempt].end = end;
  processes[attempt] = false;
}

Answer ToyWorld::perform(const Effect& effect) {
  now = now + millis(1);
  Answer answer{effect, {Transport::answered, 0, "", ""}, {}, now, now};
  if (family_of(call_of(effect)) == Family::board) answer.raw.code = 200;
  trace.push_back(ticket_of(effect).value + " " + describe(effect));
  std::optional<Fault> lie = fault ? fault(effect) : std::nullopt;
  if (lie && !lie->effect_happens) {
    answer.raw = lie->raw;
    return answer;
  }
  const auto board_answer = [&](const TicketId& id, std::int64_t expected, BoardState to,
                                const std::string& key) {
    BoardTicket& ticket = board[id];
    const Attempt* open = newest(id);
    if (ticket.version != expected || (to == BoardState::todo && open && open->open())) {
      answer.raw.code = 409;
    } else {
      ticket.state = to;
      ticket.version += 1;
      ticket.moved_by = key;
    }
    answer.value = ticket;
  };
  if (const auto* e = std::get_if<WriteLedger>(&effect)) {
    LedgerWrite write = e->write;
    if (auto* claim = std::get_if<Claim>(&write)) claim->token = "t";
    const TicketId id = ticket_of(write);
    LedgerView view;
    TicketLedger& row = ledger[id];
    row.ticket = id;
    view.memory = row.memory;
    view.newest = row.newest;
    for (const auto& [slot_id, slot] : slots) {
      if (slot.state == SlotState::free && !view.first_free) view.first_free = slot;
      if (row.newest && slot.holder == row.newest->id && slot.state == SlotState::leased) view.leased = slot;
    }
    if (const auto* moved = std::get_if<MoveMessage>(&write))
      for (const Message& m : row.messages)
        if (m.id == moved->id) view.message = m;
    const auto delta = apply(view, write, now);
    if (!delta) {
      answer.raw = {Transport::answered, 100'001 + static_cast<int>(delta.error().why), "",
                    delta.error().words};
    } else {
      seq_ += static_cast<std::int64_t>(delta->events.size());
      if (delta->attempt) {
        if (row.newest && row.newest->id != delta->attempt->id) row.messages.clear();
        row.newest = delta->attempt;
        if (delta->attempt->phase == Phase::closed && !delta->attempt->settled)
          history[id].push_back(*delta->attempt);
      }
      if (delta->memory) row.memory = *delta->memory;
      if (delta->breaker) breaker = *delta->breaker;
      for (const Slot& slot : delta->slots) slots[slot.id] = slot;
      for (const Message& m : delta->messages) {
        std::erase_if(row.messages, [&](const Message& old) { return old.id == m.id; });
        row.messages.push_back(m);
      }
      answer.value = *delta;
    }
  } else if (std::holds_alternative<LoadLedger>(effect) ||
             std::holds_alternative<ReadLedgerChanges>(effect)) {
    LedgerContents contents;
    contents.seq = seq_;
    contents.breaker = breaker;
    for (const auto& [id, row] : ledger)
      if (!id.empty()) contents.tickets.push_back(row);
    for (const auto& [id, slot] : slots) contents.slots.push_back(slot);
    answer.value = contents;
  } else if (const auto* list_board = std::get_if<ReadBoard>(&effect)) {
    BoardChanges changes;
    changes.cursor = 1;
    for (const auto& [id, ticket] : board) {
      const auto told = listed.find(id);
      if (list_board->cursor != 0 && told != listed.end() && told->second == ticket) continue;
      changes.tickets.push_back(ticket);
      if (!lie) listed[id] = ticket;
    }
    answer.value = changes;
  } else if (const auto* read = std::get_if<ReadTicket>(&effect)) {
    answer.value = board[read->ticket];
  } else if (const auto* move = std::get_if<MoveTicket>(&effect)) {
    board_answer(move->ticket, move->expected_version, move->to, move->key);
  } else if (const auto* back = std::get_if<ReturnToTodo>(&effect)) {
    board_answer(back->certificate.attempt().ticket, back->expected_version, BoardState::todo, "");
  } else if (const auto* prepare = std::get_if<PrepareWorktree>(&effect)) {
    answer.value = Prepared{"/pool/" + prepare->order.slot.value, {"base"}};
  } else if (const auto* server = std::get_if<StartServer>(&effect)) {
    answer.value = ServerIncarnation{server->shard, 77, 1};
  } else if (const auto* list = std::get_if<ListServer>(&effect)) {
    ServerListing listing{list->shard, {list->shard, 77, 1}, {}};
    for (const auto& [name, pane] : sessions) listing.panes.push_back(pane);
    answer.value = listing;
  } else if (const auto* spawn = std::get_if<SpawnSession>(&effect)) {
    PaneSighting pane;
    pane.session = spawn->order.session;
    pane.session_id = "$1";
    pane.pane_id = "%1";
    sessions[pane.session] = pane;
    RecordSighting& record = records[spawn->attempt];
    if (record.decision == Decision::none) {
      record.decision = Decision::started;
      record.runner = {"boot", "ns", 100 + static_cast<std::int64_t>(records.size()), 1};
      processes[spawn->attempt] = true;
    }
    answer.value = SpawnedPane{{spawn->order.shard, 77, 1}, "$1", "%1", 100};
  } else if (const auto* seal = std::get_if<Seal>(&effect)) {
    RecordSighting& record = records[seal->attempt];
    if (record.decision == Decision::none) record.decision = Decision::sealed;
    answer.value = record.decision == Decision::sealed ? SealAnswer::sealed : SealAnswer::already_started;
  } else if (const auto* go = std::get_if<GiveGo>(&effect)) {
    RecordSighting& record = records[go->attempt];
    record.gone_ahead = record.worker_running = record.ready = true;
    record.worker = {"boot", "ns", 500, 1};
    record.cgroup = "/cg";
  } else if (const auto* post = std::get_if<Post>(&effect)) {
    auto& messages = records[post->attempt].messages;
    const bool known =
        std::ranges::any_of(messages, [&](const MessageSighting& m) { return m.id == post->message; });
    if (!known) {
      messages.push_back({post->message, MessageProgress::consumed, ""});
      posted[post->attempt].push_back(post->text);
    }
  } else if (const auto* look = std::get_if<Look>(&effect)) {
    Looked looked;
    const AttemptId& id = look->containment.attempt;
    looked.record = records[id];
    const Presence presence = processes[id] ? Presence::present : Presence::gone;
    looked.process.host = Presence::present;
    looked.process.runner = looked.process.worker = looked.process.cgroup = presence;
    const std::string& stream = streams[id];
    looked.stream_offset = look->stream_offset;
    looked.stream = stream.substr(std::min(stream.size(), static_cast<std::size_t>(look->stream_offset)));
    looked.said = hook[id].substr(std::min(hook[id].size(), static_cast<std::size_t>(look->said_offset)));
    answer.value = looked;
  } else if (const auto* end = std::get_if<EndTree>(&effect)) {
    const AttemptId& id = end->containment.attempt;
    if (processes[id]) {
      WorkerEnd how;
      how.signal = 15;
      how.tree_empty = true;
      how.reason = "term";
      records[id].end = how;
      processes[id] = false;
    }
  } else if (const auto* session = std::get_if<EndSession>(&effect)) {
    sessions.erase(session->session);
  } else if (std::holds_alternative<InspectBranch>(effect)) {
    answer.value = facts;
  } else if (const auto* pin = std::get_if<PinBranch>(&effect)) {
    Salvaged held;
    if (pin->when == PinWhen::closing && left_elsewhere) {
      held = {{"refs/holdfast/keep/T-1/g1/stash-1"}, {*left_elsewhere}, ""};
      facts.stranded.push_back({held.refs.front(), *left_elsewhere, 1});
    }
    answer.value = held;
  } else if (std::holds_alternative<SalvageWorktree>(effect)) {
    answer.value = Salvaged{};
  } else if (const auto* release = std::get_if<ReleaseSlot>(&effect)) {
    answer.value = SlotSighting{release->order.slot, "", Tri::yes, Tri::yes, Tri::no, {}, {}};
  } else if (std::holds_alternative<LandBranch>(effect)) {
    facts.ancestor_of_target = Tri::yes;
    answer.value = Landed{LandAnswer::landed, {"bbbb"}, "", ""};
  } else if (std::holds_alternative<ListRecords>(effect) || std::holds_alternative<ListTraces>(effect)) {
    answer.value = std::vector<AttemptId>{};
  } else if (std::holds_alternative<EnsurePool>(effect)) {
    answer.value = std::vector<SlotSighting>{};
  }
  if (lie) {
    answer.raw = lie->raw;
    answer.value = {};
  }
  return answer;
}

void run_for(Brain& brain, ToyWorld& world, Duration span) {
  const Instant end = world.now + span;
  for (int turns = 0; turns < 100'000; ++turns) {
    const auto effects = next_effects(brain, world.now);
    for (const Effect& effect : effects) {
      absorb(brain, world.perform(effect));
      // A runner that did something has written to its record.
      if (const auto* go = std::get_if<GiveGo>(&effect)) absorb(brain, AttemptNews{go->attempt});
      if (const auto* spawn = std::get_if<SpawnSession>(&effect)) absorb(brain, AttemptNews{spawn->attempt});
    }
    if (!effects.empty()) continue;
    const Instant wake = next_wake(brain);
    if (!wake.set() || wake >= end) break;
    world.now = std::max(wake, world.now + millis(1));
  }
  world.now = std::max(world.now, end);
}

}  // namespace holdfast
