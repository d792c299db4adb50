// Fields that mean less than they hold, type by type. Everything else of a type is folded as it is, also what
// is added to it later. docs/state-model.md lists each of them with its reason.
#include "sim/base/fold_values.h"

#include "dispatcher/core/rules.h"

namespace holdfast::sim {

void fold_value(Fold& fold, const Doubt& doubt) {
  fold_value(fold, doubt.attempt());
  fold_value(fold, doubt.at());
}

void fold_value(Fold& fold, const DeathCertificate& certificate) {
  fold_value(fold, certificate.attempt());
  fold_value(fold, certificate.cause());
  fold_value(fold, certificate.code());
  fold.number(certificate.evidence().empty() ? 0 : 1);
  fold_value(fold, certificate.unless_announced());
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
    fold.count(Count::revision, a.revision);
    fold_value(fold, a.branch);
    fold_value(fold, a.base);
    fold_value(fold, a.wish);
    fold_value(fold, a.cause);
    fold_value(fold, a.disposition);
    fold_value(fold, a.settled);
    return;
  }
  fold_fields(fold, a, [&](const void* field) {
    if (field == &a.revision) return fold.count(Count::revision, a.revision), true;
    if (field == &a.claimed_at) return true;
    if (field == &a.ready_at || field == &a.died_at) return true;
    if (field == &a.running_at) return fold.whether_set(a.running_at), true;
    if (field == &a.spawned_at) {
      const bool planned = a.phase == Phase::planned;
      return fold.age_in_order(a.spawned_at, planned              ? any_wait
                                             : says_live(a.phase) ? seconds(6)
                                                                  : millis(1)),
             true;
    }
    if (field == &a.changed_at) {
      const bool finishing = a.phase == Phase::finished && a.ending == Ending::none && a.cause == Cause::none;
      if (a.phase == Phase::newborn || finishing) fold.age(a.changed_at, any_wait);
      return true;
    }
    if (field == &a.ending_at) {
      if (a.ending == Ending::kill_sent) fold.age(a.ending_at, seconds(11));
      return true;
    }
    if (field == &a.evidence) return fold.number(a.evidence.empty() ? 0 : 1), true;
    return field == &a.reason || field == &a.last_words || field == &a.branch_facts;
  });
}

void fold_value(Fold& fold, const Message& m) {
  fold_fields(fold, m, [&](const void* field) {
    if (field == &m.queued_at) return fold.count(Count::queued, m.queued_at.ms), true;
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

// The messages of a closed attempt are nobody's.
void fold_value(Fold& fold, const TicketLedger& row) {
  fold_fields(fold, row,
              [&](const void* field) { return field == &row.messages && row.newest && !row.newest->open(); });
}

void fold_value(Fold& fold, const LedgerContents& contents) {
  fold_fields(fold, contents, [&](const void* field) {
    if (field != &contents.seq) return false;
    return fold.count(Count::sequence, contents.seq), true;
  });
}

void fold_value(Fold& fold, const BoardTicket& ticket) {
  fold_fields(fold, ticket, [&](const void* field) {
    if (field == &ticket.version) return fold.count(Count::version, ticket.version), true;
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
      if (!record.end) fold.age(record.last_output_at, Duration{heartbeat_within.ms + 1000});
      return true;
    }
    return field == &record.started_at || field == &record.ready_at;
  });
}

void fold_value(Fold& fold, const MoveTicket& move) {
  fold_fields(fold, move, [&](const void* field) {
    if (field == &move.expected_version) return fold.count(Count::version, move.expected_version), true;
    return field == &move.reason;
  });
}

void fold_value(Fold& fold, const ReturnToTodo& back) {
  fold_value(fold, back.certificate);
  fold.count(Count::version, back.expected_version);
}

void fold_value(Fold& fold, const Close& close) {
  fold_fields(fold, close, [&](const void* field) {
    return field == &close.reason || field == &close.last_words || field == &close.branch_facts;
  });
}

void fold_value(Fold& fold, const ReadLedgerChanges& read) {
  fold.count(Count::sequence, read.after);
}
void fold_value(Fold& fold, const ReadBoard& read) {
  fold.count(Count::cursor, read.cursor);
}

void fold_value(Fold& fold, const Work& work) {
  fold_fields(fold, work, [&](const void* field) {
    if (field == &work.looked_at) return fold.far_age(work.looked_at), true;
    if (field == &work.reviewed_at) return fold.far_age(work.reviewed_at), true;
    if (field == &work.setup_trouble) return fold.number(work.setup_trouble.empty() ? 0 : 1), true;
    if (field == &work.term_sent || field == &work.kill_sent) {
      const bool term = field == &work.term_sent;
      const auto& sent = term ? work.term_sent : work.kill_sent;
      fold.number(sent ? 1 : 0);
      if (sent && !(term && work.kill_sent)) fold.age(*sent, term ? any_wait : seconds(5));
      return true;
    }
    return false;
  });
}

void fold_value(Fold& fold, const Shard& shard) {
  fold_fields(fold, shard, [&](const void* field) {
    if (field == &shard.listed_at) return fold.age_in_order(shard.listed_at, Duration{1}), true;
    return field == &shard.trouble;
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
