// Fields that mean less than they hold, type by type. Everything else of a type is folded as it is, also what
// is added to it later. docs/state-model.md lists each of them with its reason.
#include "sim/base/fold_values.h"

#include <algorithm>

#include "dispatcher/core/budget.h"
#include "dispatcher/core/rules.h"

namespace holdfast::sim {
namespace {

// Once a death is recorded its cause is asked for two things: what it is charged to, and whether it is one of
// the few that closing treats by themselves.
void fold_recorded_cause(Fold& fold, Cause cause) {
  fold_value(fold, charge_for(cause));
  switch (cause) {
    case Cause::none:
    case Cause::never_came_to_be:
    case Cause::server_lost:
    case Cause::provider_limit:
    case Cause::declared_dead: return fold_value(fold, cause);
    case Cause::clean_exit:
    case Cause::exit_code:
    case Cause::signal:
    case Cause::oom_kill:
    case Cause::session_killed:
    case Cause::host_lost:
    case Cause::stopped_by_us:
    case Cause::stopped_by_operator:
    case Cause::unknown: return fold.number(99);
  }
  __builtin_unreachable();
}

}  // namespace

bool shows_life(const RecordSighting& record, const ProcessSighting& process) {
  const bool over = record.decision == Decision::sealed || record.end;
  return process.runner == Presence::present && !over;
}

void fold_value(Fold& fold, const Doubt& doubt) {
  fold_value(fold, doubt.attempt());
  fold_value(fold, doubt.at());
}

void fold_value(Fold& fold, const DeathCertificate& certificate) {
  fold.about(certificate.attempt());
  fold_value(fold, certificate.attempt());
  const int code = certificate.code();
  switch (certificate.cause()) {
    case Cause::clean_exit:
    case Cause::exit_code:
      fold.number(98);
      fold.end({code, std::nullopt});
      break;
    case Cause::signal:
      fold.number(98);
      fold.end({std::nullopt, code});
      break;
    case Cause::none:
    case Cause::never_came_to_be:
    case Cause::oom_kill:
    case Cause::session_killed:
    case Cause::server_lost:
    case Cause::host_lost:
    case Cause::stopped_by_us:
    case Cause::stopped_by_operator:
    case Cause::provider_limit:
    case Cause::declared_dead:
    case Cause::unknown: fold_value(fold, certificate.cause()); break;
  }
  fold.number(certificate.evidence().empty() ? 0 : 1);
  fold_value(fold, certificate.unless_announced());
}

void fold_value(Fold& fold, const WorkerEnd& end) {
  fold.end({end.exit_code, end.signal});
  fold_fields(fold, end, [&](const void* field) {
    return field == &end.exit_code || field == &end.signal || field == &end.oom_evidence;
  });
}

// What it has read so far; in the simulated world it always stands behind a whole line, so there is no more
// to it.
void fold_value(Fold& fold, const MarkerReader& reader) {
  fold_value(fold, reader.offset());
  fold_value(fold, reader.markers());
  fold_value(fold, reader.last_lines());
  fold_value(fold, reader.limit_line());
}

// Of the policy only the capacity ever changes in a run.
void fold_value(Fold& fold, const Policy& policy) {
  fold_value(fold, policy.capacity);
}

void fold_value(Fold& fold, const ServerIncarnation& server) {
  fold_value(fold, server.shard);
  fold.count(Count::server, server.pid);
}

void fold_value(Fold& fold, const Attempt& a) {
  // Of a closed one, what is asked when the board is told, when it is reviewed, and when the next one is
  // claimed.
  if (a.phase == Phase::closed) {
    fold_value(fold, a.id);
    fold_value(fold, a.phase);
    fold.count(Count::revision, a.id.ticket, a.revision);
    fold_value(fold, a.branch);
    fold_value(fold, a.base);
    fold_value(fold, a.wish);
    fold_recorded_cause(fold, a.cause);
    fold_value(fold, a.disposition);
    fold_value(fold, a.settled);
    return;
  }
  fold_fields(fold, a, [&](const void* field) {
    if (field == &a.revision) return fold.count(Count::revision, a.id.ticket, a.revision), true;
    if (field == &a.claimed_at) return true;
    if (field == &a.ready_at || field == &a.died_at) return true;
    if (field == &a.running_at) {
      if (a.phase != Phase::finished) fold.whether_set(a.running_at);
      return true;
    }
    if (field == &a.spawned_at) {
      const bool planned = a.phase == Phase::planned;
      fold.age(a.spawned_at, planned ? any_wait : says_live(a.phase) ? seconds(6) : millis(1));
      return true;
    }
    if (field == &a.changed_at) {
      const bool finishing = a.phase == Phase::finished && a.ending == Ending::none && a.cause == Cause::none;
      if (a.phase == Phase::newborn || finishing) fold.age(a.changed_at, any_wait);
      return true;
    }
    if (field == &a.ending_at) {
      if (a.ending == Ending::kill_sent && a.attention.empty()) fold.age(a.ending_at, seconds(11));
      return true;
    }
    if (field == &a.cause) return fold_recorded_cause(fold, a.cause), true;
    if (field == &a.exit_code) return true;
    for (const std::string* words : {&a.evidence, &a.attention})
      if (field == words) return fold.number(words->empty() ? 0 : 1), true;
    return field == &a.reason || field == &a.last_words || field == &a.branch_facts;
  });
}

void fold_value(Fold& fold, const Message& m) {
  fold_fields(fold, m, [&](const void* field) {
    if (field == &m.queued_at) return fold.count(Count::queued, m.attempt.ticket, m.queued_at.ms), true;
    if (field != &m.changed_at) return false;
    if (m.state == MessageState::posted) fold.age(m.changed_at, any_wait);
    return true;
  });
}

void fold_value(Fold& fold, const Memory& memory) {
  fold_fields(fold, memory, [&](const void* field) {
    if (field != &memory.not_before) return false;
    return fold.ahead(memory.not_before), true;
  });
}

void fold_value(Fold&, const LedgerEvent&) {}

// The messages of a closed attempt are nobody's; nor those of one that is finished. Of one that is lost it is
// asked whether its prompt was dropped for a reason.
void fold_messages(Fold& fold, const Attempt& a, const std::vector<Message>& messages) {
  if (a.phase == Phase::finished || a.phase == Phase::closed) return;
  if (a.phase != Phase::lost) return fold_value(fold, messages);
  fold.number(std::ranges::any_of(messages, [&](const Message& m) {
    return m.kind == MessageKind::prompt && m.state == MessageState::dropped && !m.why.empty();
  }));
}

void fold_value(Fold& fold, const TicketLedger& row) {
  fold_fields(fold, row, [&](const void* field) {
    if (field != &row.messages || !row.newest) return false;
    if (!fold.alone() && row.newest->open()) return false;
    return fold_messages(fold, *row.newest, row.messages), true;
  });
}

// Of the messages of one that is over, what is asked when it has come to its ticket.
void fold_value(Fold& fold, const LedgerDelta& delta) {
  const bool over =
      delta.attempt && (delta.attempt->phase == Phase::finished || delta.attempt->phase == Phase::closed);
  fold_fields(fold, delta, [&](const void* field) { return over && field == &delta.messages; });
}

void fold_value(Fold& fold, const LedgerContents& contents) {
  fold_fields(fold, contents, [&](const void* field) {
    if (field != &contents.seq) return false;
    return fold.read_up_to(contents.seq), true;
  });
}

void fold_value(Fold& fold, const BoardTicket& ticket) {
  fold_fields(fold, ticket, [&](const void* field) {
    if (field == &ticket.version) return fold.count(Count::version, ticket.id, ticket.version), true;
    return field == &ticket.created_at || field == &ticket.changed_at || field == &ticket.reason;
  });
}

void fold_value(Fold& fold, const BoardChanges& changes) {
  fold_fields(fold, changes, [&](const void* field) {
    if (field != &changes.cursor) return false;
    return fold.count(Count::cursor, changes.cursor), true;
  });
}

void fold_value(Fold& fold, const RecordSighting& record) {
  fold_fields(fold, record, [&](const void* field) {
    if (field == &record.last_output_at) {
      if (!record.end && !fold.shows_life())
        fold.age(record.last_output_at, Duration{heartbeat_within.ms + 1000});
      return true;
    }
    return field == &record.started_at || field == &record.ready_at;
  });
}

void fold_value(Fold& fold, const ProcessSighting& process) {
  fold_fields(fold, process, [&](const void* field) {
    return fold.shows_life() &&
           (field == &process.worker || field == &process.cgroup || field == &process.descendants);
  });
}

void fold_value(Fold& fold, const Looked& looked) {
  fold.shows_life(shows_life(looked.record, looked.process));
  fold_fields(fold, looked, [](const void*) { return false; });
  fold.shows_life(false);
}

void fold_value(Fold& fold, const MoveTicket& move) {
  fold_fields(fold, move, [&](const void* field) {
    if (field == &move.expected_version)
      return fold.count(Count::version, move.ticket, move.expected_version), true;
    return field == &move.reason;
  });
}

void fold_value(Fold& fold, const ReturnToTodo& back) {
  fold_value(fold, back.certificate.attempt());
  fold.count(Count::version, back.certificate.attempt().ticket, back.expected_version);
}

void fold_value(Fold& fold, const RecordAttention& shown) {
  fold_value(fold, shown.attempt);
  fold.number(shown.text.empty() ? 0 : 1);
}

void fold_value(Fold& fold, const Close& close) {
  fold_fields(fold, close, [&](const void* field) {
    return field == &close.reason || field == &close.last_words || field == &close.branch_facts;
  });
}

void fold_value(Fold& fold, const ReadLedgerChanges& read) {
  fold.read_up_to(read.after);
}
void fold_value(Fold& fold, const ReadBoard& read) {
  fold.count(Count::cursor, read.cursor);
}

// By phase: what picked it up is over when there is a pane, and so on. A restarted dispatcher has done none
// of it and goes on in the same way.
void fold_work(Fold& fold, const Work& work, const Attempt& a) {
  const bool planned = a.phase == Phase::planned;
  fold_fields(fold, work, [&](const void* field) {
    for (const void* picking_up :
         {static_cast<const void*>(&work.prepared), static_cast<const void*>(&work.spec_written),
          static_cast<const void*>(&work.setup_failures), static_cast<const void*>(&work.spawn_tried),
          static_cast<const void*>(&work.pane)})
      if (field == picking_up) return !planned;
    if (field == &work.setup_trouble) return true;
    if (field == &work.go_given) return !planned && a.phase != Phase::newborn;
    if (field == &work.post_refusal || field == &work.post_hopeless || field == &work.answered ||
        field == &work.commented)
      return !planned && !says_live(a.phase);
    // Of one that is open; when it is closed it is looked at afresh.
    if (field == &work.reviewed_at || field == &work.board_read) return true;
    if (field == &work.looked_at || field == &work.scan_next || field == &work.look_now) {
      if (a.cause == Cause::none && field == &work.looked_at) fold.far_age(work.looked_at);
      return a.cause != Cause::none || field == &work.looked_at;
    }
    if (field == &work.pin_due) return !is_at_work(a.phase);  // nobody asks, and a look sets it again
    if (field == &work.term_sent || field == &work.kill_sent) {
      const bool term = field == &work.term_sent;
      if (a.ending != (term ? Ending::term_sent : Ending::kill_sent) && a.cause != Cause::declared_dead)
        return true;
      const auto& sent = term ? work.term_sent : work.kill_sent;
      fold.number(sent ? 1 : 0);
      if (sent) fold.age(*sent, term ? any_wait : seconds(5));
      return true;
    }
    return false;
  });
}

void fold_value(Fold& fold, const Shard& shard) {
  fold_fields(fold, shard, [&](const void* field) {
    if (field == &shard.listed_at) return fold.listed(shard.listed_at), true;
    return field == &shard.trouble || field == &shard.panes;
  });
}

void fold_value(Fold& fold, const Routine& routine) {
  fold_value(fold, routine.flying);
  if (routine.flying)
    fold_value(fold, routine.again);
  else
    fold.ahead(routine.next);
}

}  // namespace holdfast::sim
