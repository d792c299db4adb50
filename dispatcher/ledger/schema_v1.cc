// Version 1 of the file: the tables of ledger and board, and the constraints that hold against a SQL prompt
// too.
#include "dispatcher/ledger/schema_v1.h"

namespace holdfast::sqlite {

const char* const schema_v1 = R"sql(
CREATE TABLE installation(
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  id TEXT NOT NULL
) STRICT;
INSERT INTO installation VALUES (1, lower(hex(randomblob(16))));

-- ------------------------------------------------------------------------------------------- ledger: runtimes
CREATE TABLE runtimes(
  ticket TEXT NOT NULL CHECK (length(ticket) BETWEEN 1 AND 64),
  generation INTEGER NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
  slot TEXT NOT NULL,
  token TEXT NOT NULL,
  profile TEXT NOT NULL,
  branch TEXT NOT NULL,
  start_point TEXT NOT NULL,
  shard INTEGER NOT NULL,
  session TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,

  phase INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 7),
  step INTEGER NOT NULL CHECK (step BETWEEN 0 AND 1),
  revision INTEGER NOT NULL CHECK (revision >= 1),
  base TEXT NOT NULL,
  worktree TEXT NOT NULL,
  server_shard INTEGER NOT NULL,
  server_pid INTEGER NOT NULL,
  server_start_ticks INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  pane_id TEXT NOT NULL,
  runner_boot_id TEXT NOT NULL,
  runner_pid_namespace TEXT NOT NULL,
  runner_pid INTEGER NOT NULL,
  runner_start_ticks INTEGER NOT NULL,
  worker_boot_id TEXT NOT NULL,
  worker_pid_namespace TEXT NOT NULL,
  worker_pid INTEGER NOT NULL,
  worker_start_ticks INTEGER NOT NULL,
  cgroup TEXT NOT NULL,
  spawned_at INTEGER NOT NULL,
  ready_at INTEGER NOT NULL,
  running_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  said INTEGER NOT NULL CHECK (said BETWEEN 0 AND 3),
  said_text TEXT NOT NULL,
  said_offset INTEGER NOT NULL,
  wish INTEGER NOT NULL CHECK (wish BETWEEN 0 AND 4),
  wish_by TEXT NOT NULL,
  ending INTEGER NOT NULL CHECK (ending BETWEEN 0 AND 2),
  ending_at INTEGER NOT NULL,
  cause INTEGER NOT NULL CHECK (cause BETWEEN 0 AND 13),
  exit_code INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  died_at INTEGER NOT NULL,
  disposition INTEGER CHECK (disposition BETWEEN 0 AND 6),
  reason TEXT NOT NULL,
  last_words TEXT NOT NULL,
  branch_facts TEXT NOT NULL,
  settled INTEGER NOT NULL CHECK (settled IN (0, 1)),
  attention TEXT NOT NULL,

  PRIMARY KEY (ticket, generation),
  CONSTRAINT lost_and_closed_need_a_cause CHECK (phase < 6 OR cause <> 0),
  CONSTRAINT only_closed_is_settled CHECK (settled = 0 OR phase = 7)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_open_runtime_per_ticket ON runtimes(ticket) WHERE phase <> 7;
CREATE INDEX unsettled_runtimes ON runtimes(ticket) WHERE settled = 0;

CREATE TABLE salvage_refs(
  ticket TEXT NOT NULL,
  generation INTEGER NOT NULL,
  position INTEGER NOT NULL,
  ref TEXT NOT NULL,
  PRIMARY KEY (ticket, generation, position),
  FOREIGN KEY (ticket, generation) REFERENCES runtimes(ticket, generation)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER runtime_generations_grow BEFORE INSERT ON runtimes
WHEN NEW.generation <= coalesce((SELECT max(generation) FROM runtimes WHERE ticket = NEW.ticket), 0)
  OR NEW.generation <= coalesce((SELECT last_generation FROM memories WHERE ticket = NEW.ticket), 0)
BEGIN SELECT raise(ABORT, 'a generation must be larger than every earlier one of its ticket'); END;

-- The unique index says the same, but INSERT OR REPLACE would answer it by deleting the open row.
CREATE TRIGGER runtime_not_beside_an_open_one BEFORE INSERT ON runtimes
WHEN EXISTS (SELECT 1 FROM runtimes WHERE ticket = NEW.ticket AND phase <> 7)
BEGIN SELECT raise(ABORT, 'the ticket has an open runtime already'); END;

CREATE TRIGGER runtime_identity_is_fixed BEFORE UPDATE ON runtimes
WHEN NEW.ticket IS NOT OLD.ticket OR NEW.generation IS NOT OLD.generation OR NEW.slot IS NOT OLD.slot
  OR NEW.token IS NOT OLD.token OR NEW.branch IS NOT OLD.branch OR NEW.session IS NOT OLD.session
  OR NEW.shard IS NOT OLD.shard OR NEW.claimed_at IS NOT OLD.claimed_at
BEGIN SELECT raise(ABORT, 'the identity of a runtime never changes'); END;

CREATE TRIGGER runtime_stays_closed BEFORE UPDATE ON runtimes
WHEN OLD.phase = 7 AND NEW.phase <> 7
BEGIN SELECT raise(ABORT, 'a closed runtime is never opened again'); END;

CREATE TRIGGER runtime_revision_grows BEFORE UPDATE ON runtimes
WHEN NEW.revision <= OLD.revision
BEGIN SELECT raise(ABORT, 'the revision of a runtime only grows'); END;

CREATE TRIGGER runtime_is_kept BEFORE DELETE ON runtimes
BEGIN SELECT raise(ABORT, 'runtimes are never deleted'); END;

-- --------------------------------------------------------------------------------------------- ledger: leases
CREATE TABLE slots(
  id TEXT NOT NULL PRIMARY KEY,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  holder_ticket TEXT NOT NULL,
  holder_generation INTEGER NOT NULL,
  path TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX free_slots ON slots(id) WHERE state = 0;
CREATE UNIQUE INDEX one_lease_per_runtime ON slots(holder_ticket, holder_generation) WHERE state = 1;

CREATE TRIGGER lease_lasts_as_long_as_its_runtime BEFORE UPDATE ON slots
WHEN OLD.state = 1
  AND (NEW.state <> 1 OR NEW.holder_ticket IS NOT OLD.holder_ticket
       OR NEW.holder_generation IS NOT OLD.holder_generation)
  AND EXISTS (SELECT 1 FROM runtimes WHERE ticket = OLD.holder_ticket AND generation = OLD.holder_generation
                                       AND phase <> 7)
BEGIN SELECT raise(ABORT, 'the worktree is leased to a runtime that is not closed'); END;

CREATE TRIGGER slot_is_not_replaced BEFORE INSERT ON slots
WHEN EXISTS (SELECT 1 FROM slots WHERE id = NEW.id)
BEGIN SELECT raise(ABORT, 'a worktree of that name is there already'); END;

CREATE TRIGGER lease_is_kept BEFORE DELETE ON slots
WHEN OLD.state = 1
BEGIN SELECT raise(ABORT, 'a leased worktree is not deleted'); END;

-- --------------------------------------------------------------------------------------------- ledger: outbox
CREATE TABLE messages(
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  ticket TEXT NOT NULL,
  generation INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
  text TEXT NOT NULL,
  sender TEXT NOT NULL,
  queued_at INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
  changed_at INTEGER NOT NULL,
  conflicts INTEGER NOT NULL,
  why TEXT NOT NULL,
  FOREIGN KEY (ticket, generation) REFERENCES runtimes(ticket, generation)
) STRICT;
CREATE INDEX messages_by_attempt ON messages(ticket, generation);

CREATE TRIGGER message_is_fixed BEFORE UPDATE ON messages
WHEN NEW.id IS NOT OLD.id OR NEW.ticket IS NOT OLD.ticket OR NEW.generation IS NOT OLD.generation
  OR NEW.text IS NOT OLD.text
BEGIN SELECT raise(ABORT, 'what a message says, and to whom, never changes'); END;

-- --------------------------------------------------------------------------------------------- ledger: events
CREATE TABLE events(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  ticket TEXT NOT NULL,
  generation INTEGER NOT NULL,
  kind TEXT NOT NULL,
  cause TEXT NOT NULL,
  evidence TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_ticket ON events(ticket, seq);

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT raise(ABORT, 'events are only ever appended'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT raise(ABORT, 'events are only ever appended'); END;
CREATE TRIGGER events_are_not_replaced BEFORE INSERT ON events
WHEN NEW.seq <> -1 AND NEW.seq <= coalesce((SELECT max(seq) FROM events), 0)
BEGIN SELECT raise(ABORT, 'events are only ever appended'); END;

-- -------------------------------------------------------------------------------- ledger: what a ticket has cost
CREATE TABLE memories(
  ticket TEXT NOT NULL PRIMARY KEY,
  last_generation INTEGER NOT NULL,
  charged INTEGER NOT NULL,
  free_deaths INTEGER NOT NULL,
  setup_failures INTEGER NOT NULL,
  server_losses INTEGER NOT NULL,
  alone INTEGER NOT NULL CHECK (alone IN (0, 1)),
  not_before INTEGER NOT NULL,
  continue_from TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX memories_that_matter ON memories(ticket)
  WHERE charged <> 0 OR free_deaths <> 0 OR setup_failures <> 0 OR server_losses <> 0 OR alone <> 0
     OR not_before <> 0 OR continue_from <> '';

CREATE TRIGGER memory_keeps_its_generation BEFORE UPDATE ON memories
WHEN NEW.last_generation < OLD.last_generation OR NEW.ticket IS NOT OLD.ticket
BEGIN SELECT raise(ABORT, 'a generation is never forgotten'); END;
CREATE TRIGGER memory_is_not_replaced BEFORE INSERT ON memories
WHEN EXISTS (SELECT 1 FROM memories WHERE ticket = NEW.ticket)
BEGIN SELECT raise(ABORT, 'a memory is changed, not replaced'); END;
CREATE TRIGGER memory_is_kept BEFORE DELETE ON memories
BEGIN SELECT raise(ABORT, 'a generation is never forgotten'); END;

CREATE TABLE waivers(
  ticket TEXT NOT NULL REFERENCES memories(ticket),
  position INTEGER NOT NULL,
  branch TEXT NOT NULL,
  PRIMARY KEY (ticket, position),
  UNIQUE (ticket, branch)
) STRICT, WITHOUT ROWID;

-- ----------------------------------------------------------------------------------- ledger: the installation's
CREATE TABLE account_pauses(
  account TEXT NOT NULL PRIMARY KEY,
  until INTEGER NOT NULL,
  why TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE breaker(
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  open_until INTEGER NOT NULL
) STRICT;
INSERT INTO breaker VALUES (1, 0);
CREATE TABLE young_deaths(
  position INTEGER PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE tmux_servers(
  shard INTEGER PRIMARY KEY,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL
) STRICT;

-- ------------------------------------------------------------------------------------------ the built-in board
CREATE TABLE tickets(
  id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6),
  priority INTEGER NOT NULL,
  profile TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 1),
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  moved_by TEXT NOT NULL,
  changed_seq INTEGER NOT NULL UNIQUE
) STRICT;
CREATE INDEX tickets_by_state ON tickets(state);

CREATE TRIGGER ticket_is_not_todo_beside_an_open_runtime BEFORE UPDATE ON tickets
WHEN NEW.state = 1 AND OLD.state <> 1
  AND EXISTS (SELECT 1 FROM runtimes WHERE ticket = NEW.id AND phase <> 7)
BEGIN SELECT raise(ABORT, 'a runtime of this ticket is alive or not yet accounted for; it cannot be todo'); END;

CREATE TRIGGER ticket_is_not_born_todo_beside_an_open_runtime BEFORE INSERT ON tickets
WHEN NEW.state = 1 AND EXISTS (SELECT 1 FROM runtimes WHERE ticket = NEW.id AND phase <> 7)
BEGIN SELECT raise(ABORT, 'a runtime of this ticket is alive or not yet accounted for; it cannot be todo'); END;

CREATE TRIGGER ticket_identity_is_fixed BEFORE UPDATE ON tickets
WHEN NEW.id IS NOT OLD.id OR NEW.version <= OLD.version
BEGIN SELECT raise(ABORT, 'the id of a ticket never changes, and its version only grows'); END;

CREATE TRIGGER ticket_is_not_replaced BEFORE INSERT ON tickets
WHEN EXISTS (SELECT 1 FROM tickets WHERE id = NEW.id)
BEGIN SELECT raise(ABORT, 'a ticket of that id is there already'); END;

CREATE TRIGGER ticket_is_kept BEFORE DELETE ON tickets
BEGIN SELECT raise(ABORT, 'tickets are cancelled, not deleted'); END;

CREATE TABLE ticket_labels(
  ticket TEXT NOT NULL REFERENCES tickets(id),
  position INTEGER NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (ticket, position),
  UNIQUE (ticket, label)
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_by_label ON ticket_labels(label);

CREATE TABLE dependencies(
  ticket TEXT NOT NULL REFERENCES tickets(id),
  position INTEGER NOT NULL,
  depends_on TEXT NOT NULL REFERENCES tickets(id),
  PRIMARY KEY (ticket, position),
  UNIQUE (ticket, depends_on),
  CHECK (ticket <> depends_on)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependents ON dependencies(depends_on);

CREATE TABLE comments(
  number INTEGER PRIMARY KEY,
  ticket TEXT NOT NULL REFERENCES tickets(id),
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  author TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (ticket, key)
) STRICT;
)sql";

}  // namespace holdfast::sqlite
