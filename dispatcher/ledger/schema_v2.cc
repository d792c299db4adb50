// Written by triggers, so that a move made with a SQL prompt is on record like every other.
#include "dispatcher/ledger/schema_v2.h"

namespace holdfast::sqlite {

const char* const schema_v2 = R"sql(
CREATE TABLE ticket_history(
  number INTEGER PRIMARY KEY,
  ticket TEXT NOT NULL REFERENCES tickets(id),
  at INTEGER NOT NULL,
  from_state INTEGER CHECK (from_state BETWEEN 0 AND 6),
  to_state INTEGER NOT NULL CHECK (to_state BETWEEN 0 AND 6),
  moved_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX history_by_ticket ON ticket_history(ticket);

INSERT INTO ticket_history(ticket, at, from_state, to_state, moved_by, reason, version)
  SELECT id, changed_at, NULL, state, moved_by, reason, version FROM tickets ORDER BY changed_seq;

CREATE TRIGGER ticket_history_begins AFTER INSERT ON tickets
BEGIN
  INSERT INTO ticket_history(ticket, at, from_state, to_state, moved_by, reason, version)
    VALUES (NEW.id, NEW.changed_at, NULL, NEW.state, NEW.moved_by, NEW.reason, NEW.version);
END;
CREATE TRIGGER ticket_history_goes_on AFTER UPDATE ON tickets
WHEN NEW.state <> OLD.state OR NEW.moved_by IS NOT OLD.moved_by
BEGIN
  INSERT INTO ticket_history(ticket, at, from_state, to_state, moved_by, reason, version)
    VALUES (NEW.id, NEW.changed_at, OLD.state, NEW.state, NEW.moved_by, NEW.reason, NEW.version);
END;

CREATE TRIGGER ticket_history_is_not_changed BEFORE UPDATE ON ticket_history
BEGIN SELECT raise(ABORT, 'the history of a ticket is only ever appended'); END;
CREATE TRIGGER ticket_history_is_not_deleted BEFORE DELETE ON ticket_history
BEGIN SELECT raise(ABORT, 'the history of a ticket is only ever appended'); END;
CREATE TRIGGER ticket_history_is_not_replaced BEFORE INSERT ON ticket_history
WHEN NEW.number <> -1 AND NEW.number <= coalesce((SELECT max(number) FROM ticket_history), 0)
BEGIN SELECT raise(ABORT, 'the history of a ticket is only ever appended'); END;
)sql";

}  // namespace holdfast::sqlite
