#include "sim/examples/naive_dispatcher.h"

#include <algorithm>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/names.h"

namespace holdfast::sim {

// What a ticket's stage asks of the world.
std::optional<Effect> NaiveDispatcher::effect_for(const Job& job) const {
  const Attempt a = job.attempt.value_or(Attempt{});
  const auto move_to = [&](BoardState to, const char* why) {
    return MoveTicket{job.board.id, job.board.version, to, why, attempt_key(a.id)};
  };
  const BranchOrder branch{a.slot, a.id, a.branch, a.base, policy_.target, policy_.remote};
  const Profile& profile = *profile_of(policy_, "");
  switch (job.stage) {
    case Stage::idle: return std::nullopt;
    case Stage::claim: {
      Claim claim;
      claim.ticket = job.board.id;
      claim.title = job.board.title;
      claim.profile = profile.name;
      claim.start = policy_.start;
      return WriteLedger{claim};
    }
    case Stage::tell: return move_to(BoardState::in_progress, "claimed");
    case Stage::prepare: return PrepareWorktree{{a.slot, a.id, a.branch, a.start}};
    case Stage::orders: return WriteSpec{spec_for(a, job.board, profile, policy_), ""};
    case Stage::announce: return WriteLedger{BeginSpawn{a.id, job.worktree.base, job.worktree.path}};
    case Stage::spawn: {
      SpawnOrder order;
      order.session = a.session;
      order.working_directory = job.worktree.path;
      return SpawnSession{order, a.id};
    }
    case Stage::born: return WriteLedger{RecordNewborn{a.id, job.pane}};
    case Stage::go: return GiveGo{a.id};
    case Stage::until_ready:
    case Stage::watch: return Look{containment_of(a, job.seen), true, 0, 0};
    case Stage::send: return Post{a.id, {attempt_key(a.id) + "-prompt"}, prompt_text(job.board, profile)};
    case Stage::died:
      if (const auto certificate = certify(a, job.seen, now_))
        return WriteLedger{RecordLost{a.id, *certificate}};
      return std::nullopt;
    case Stage::salvage: return SalvageWorktree{branch};
    case Stage::end_session: return EndSession{job.pane.server, a.session, job.pane.session_id, a.id};
    case Stage::give_back: return ReleaseSlot{{a.slot, a.id}, {}, policy_.start};
    case Stage::close: {
      Close close;
      close.attempt = a.id;
      close.disposition = BoardState::in_review;
      close.reason = "it has ended";
      return WriteLedger{close};
    }
    case Stage::report: return move_to(BoardState::in_review, "it has ended");
    case Stage::settle: return WriteLedger{Settle{a.id}};
    case Stage::put_back: return move_to(BoardState::todo, "tmux_spawn_failed");
  }
  __builtin_unreachable();
}

void NaiveDispatcher::done(Job& job, const Answer& answer) const {
  if (const auto* delta = std::get_if<LedgerDelta>(&answer.value); delta && delta->attempt)
    job.attempt = delta->attempt;
  if (const auto* prepared = std::get_if<Prepared>(&answer.value)) job.worktree = *prepared;
  if (const auto* pane = std::get_if<SpawnedPane>(&answer.value)) job.pane = *pane;
  if (const auto* looked = std::get_if<Looked>(&answer.value)) {
    job.seen.record = Seen<RecordSighting>{looked->record, answer.asked_at};
    job.seen.process = Seen<ProcessSighting>{looked->process, answer.asked_at};
    const bool ended = looked->record.end && looked->record.end->tree_empty;
    if (ended)
      job.stage = Stage::died;
    else if (job.stage == Stage::until_ready && looked->record.ready)
      job.stage = Stage::send;
    else
      job.wait_until = answer.at + seconds(job.stage == Stage::watch ? 5 : 1);
    return;
  }
  const bool last = job.stage == Stage::settle || job.stage == Stage::put_back;
  job.stage = last ? Stage::idle : static_cast<Stage>(static_cast<int>(job.stage) + 1);
}

void NaiveDispatcher::absorb(const Answer& answer) {
  const bool worked = is_done(classify(call_of(answer.effect), answer.raw));
  const TicketId id = ticket_of(answer.effect);
  if (id.empty()) return prepare_installation(answer);
  Job& job = jobs_[id];
  job.busy = false;
  if (const auto* ticket = std::get_if<BoardTicket>(&answer.value)) job.board = *ticket;
  if (worked) return done(job, answer);
  // An error: before the worker has its prompt that is a spawn that has failed. Here is the mistake.
  const bool starting = job.stage > Stage::claim && job.stage <= Stage::send;
  if (starting) job.stage = Stage::put_back;
  job.wait_until = answer.at + seconds(1);
}

void NaiveDispatcher::prepare_installation(const Answer& answer) {
  const bool worked = is_done(classify(call_of(answer.effect), answer.raw));
  if (std::holds_alternative<ReadBoard>(answer.effect)) {
    reading_ = false;
    read_board_at_ = answer.at + seconds(worked ? 10 : 1);
    const auto* changes = std::get_if<BoardChanges>(&answer.value);
    if (!worked || changes == nullptr) return;
    cursor_ = changes->cursor;
    for (const BoardTicket& ticket : changes->tickets) jobs_[ticket.id].board = ticket;
    return;
  }
  in_flight_ -= 1;
  if (!worked) return to_do_.push_back(answer.effect);
  if (const auto* slots = std::get_if<std::vector<SlotSighting>>(&answer.value)) {
    for (const SlotSighting& slot : *slots)
      to_do_.emplace_back(WriteLedger{StoreSlot{{slot.slot, SlotState::free, {}, slot.path, ""}}});
    to_do_.emplace_back(StartServer{0});
  }
  if (std::holds_alternative<StartServer>(answer.effect)) ready_ = true;
}

std::vector<Effect> NaiveDispatcher::next_effects(Instant now) {
  now_ = now;
  std::vector<Effect> out = std::exchange(to_do_, {});
  in_flight_ += static_cast<int>(out.size());
  if (!reading_ && (!read_board_at_.set() || read_board_at_ <= now)) {
    reading_ = true;
    out.emplace_back(ReadBoard{cursor_});
  }
  if (!ready_) return out;
  auto at_work =
      std::ranges::count_if(jobs_, [](const auto& job) { return job.second.stage != Stage::idle; });
  for (auto& [id, job] : jobs_) {
    if (job.busy || (job.wait_until.set() && job.wait_until > now)) continue;
    if (job.stage == Stage::idle && job.board.state == BoardState::todo && at_work < policy_.capacity) {
      job = Job{Stage::claim, false, {}, job.board, {}, {}, {}, {}};
      ++at_work;
    }
    if (auto effect = effect_for(job)) {
      job.busy = true;
      out.push_back(*std::move(effect));
    }
  }
  return out;
}

Instant NaiveDispatcher::next_wake() const {
  Instant wake = reading_ ? Instant{} : read_board_at_;
  for (const auto& [id, job] : jobs_) {
    const bool waits = !job.busy && job.stage != Stage::idle && job.wait_until > now_;
    if (waits && (!wake.set() || job.wait_until < wake)) wake = job.wait_until;
  }
  return wake;
}

std::string NaiveDispatcher::belief(const TicketId& id) const {
  const auto job = jobs_.find(id);
  if (job == jobs_.end()) return "nothing";
  return "stage " + std::to_string(static_cast<int>(job->second.stage));
}

DispatcherMaker naive_dispatcher() {
  return [](const Policy& policy) -> std::unique_ptr<DispatcherUnderTest> {
    return std::make_unique<NaiveDispatcher>(policy);
  };
}

}  // namespace holdfast::sim
