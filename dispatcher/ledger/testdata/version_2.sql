-- A file of schema version 2, as it was written by the programs of that time. Kept to be migrated; never edited.
PRAGMA journal_mode = WAL;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE installation(
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  id TEXT NOT NULL
) STRICT;
INSERT INTO installation VALUES(1,'aea756c3e0ff0979cc8e8b2498f6e22f');
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
INSERT INTO runtimes VALUES('T-1',1,'slot-001','token-of-T-1','agent','hf/T-1-fix.the.parser.it.s.broken-g1','main',1,'hf-T-1-g1',1700000000001,3,1,5,'0123456789abcdef','/pool/slot-001',1,4242,99,'$1','%1','boot-1','pid:[4026531836]',100,7700000000000000000,'boot-1','pid:[4026531836]',101,7700000000000000000,'/sys/fs/cgroup/hf',1700000001000,1700000001000,1700000001000,1700000001000,0,'',-1,0,'',0,0,0,-1,'',0,NULL,'','','',0,'');
INSERT INTO runtimes VALUES('T-2',1,'slot-002','token-of-T-2','agent','hf/T-2-fix.the.parser.it.s.broken-g1','main',1,'hf-T-2-g1',1700000000002,6,1,6,'0123456789abcdef','/pool/slot-001',1,4242,99,'$1','%1','boot-1','pid:[4026531836]',100,7700000000000000000,'boot-1','pid:[4026531836]',101,7700000000000000000,'/sys/fs/cgroup/hf',1700000001000,1700000001000,1700000001000,1700000001000,0,'',-1,0,'',0,0,3,3,'runner''s record: it ended',5000,NULL,'','','',0,'');
INSERT INTO runtimes VALUES('T-3',1,'slot-003','token-of-T-3','agent','hf/T-3-fix.the.parser.it.s.broken-g1','main',1,'hf-T-3-g1',1700000000003,7,1,7,'0123456789abcdef','/pool/slot-001',1,4242,99,'$1','%1','boot-1','pid:[4026531836]',100,7700000000000000000,'boot-1','pid:[4026531836]',101,7700000000000000000,'/sys/fs/cgroup/hf',1700000001000,1700000001000,1700000001000,1700000001000,0,'',-1,0,'',0,0,3,3,'runner''s record: it ended',5000,1,'exited with 3; tried again',replace('last words\nof it','\n',char(10)),'2 commits, clean',0,'');
INSERT INTO runtimes VALUES('T-4',1,'slot-003','token-of-T-4','agent','hf/T-4-fix.the.parser.it.s.broken-g1','main',1,'hf-T-4-g1',1700000000004,7,1,8,'0123456789abcdef','/pool/slot-001',1,4242,99,'$1','%1','boot-1','pid:[4026531836]',100,7700000000000000000,'boot-1','pid:[4026531836]',101,7700000000000000000,'/sys/fs/cgroup/hf',1700000001000,1700000001000,1700000001000,1700000001000,0,'',-1,0,'',0,0,3,3,'runner''s record: it ended',5000,1,'exited with 3; tried again',replace('last words\nof it','\n',char(10)),'2 commits, clean',1,'');
CREATE TABLE salvage_refs(
  ticket TEXT NOT NULL,
  generation INTEGER NOT NULL,
  position INTEGER NOT NULL,
  ref TEXT NOT NULL,
  PRIMARY KEY (ticket, generation, position),
  FOREIGN KEY (ticket, generation) REFERENCES runtimes(ticket, generation)
) STRICT, WITHOUT ROWID;
INSERT INTO salvage_refs VALUES('T-3',1,0,'refs/holdfast/salvage/T-1/g1/index');
INSERT INTO salvage_refs VALUES('T-3',1,1,'refs/holdfast/keep/T-1/g1/tip');
INSERT INTO salvage_refs VALUES('T-4',1,0,'refs/holdfast/salvage/T-1/g1/index');
INSERT INTO salvage_refs VALUES('T-4',1,1,'refs/holdfast/keep/T-1/g1/tip');
CREATE TABLE slots(
  id TEXT NOT NULL PRIMARY KEY,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  holder_ticket TEXT NOT NULL,
  holder_generation INTEGER NOT NULL,
  path TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO slots VALUES('slot-001',1,'T-1',1,'/pool/slot-001','');
INSERT INTO slots VALUES('slot-002',1,'T-2',1,'/pool/slot-002','');
INSERT INTO slots VALUES('slot-003',0,'',0,'/pool/slot-003','');
INSERT INTO slots VALUES('slot-004',0,'',0,'/pool/slot-004','');
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
INSERT INTO messages VALUES(1,'T-1-g1-prompt','T-1',1,0,replace('Do the work.\nSay DONE.','\n',char(10)),'board',1700000000001,0,1700000000001,0,'');
INSERT INTO messages VALUES(2,'T-2-g1-prompt','T-2',1,0,replace('Do the work.\nSay DONE.','\n',char(10)),'board',1700000000002,0,1700000000002,0,'');
INSERT INTO messages VALUES(3,'T-3-g1-prompt','T-3',1,0,replace('Do the work.\nSay DONE.','\n',char(10)),'board',1700000000003,4,1700000001000,0,'the attempt ended first');
INSERT INTO messages VALUES(4,'T-4-g1-prompt','T-4',1,0,replace('Do the work.\nSay DONE.','\n',char(10)),'board',1700000000004,4,1700000001000,0,'the attempt ended first');
CREATE TABLE events(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  ticket TEXT NOT NULL,
  generation INTEGER NOT NULL,
  kind TEXT NOT NULL,
  cause TEXT NOT NULL,
  evidence TEXT NOT NULL
) STRICT;
INSERT INTO events VALUES(1,100,'',0,'slot','free','slot-001 ');
INSERT INTO events VALUES(2,100,'',0,'slot','free','slot-002 ');
INSERT INTO events VALUES(3,100,'',0,'slot','free','slot-003 ');
INSERT INTO events VALUES(4,100,'',0,'slot','free','slot-004 ');
INSERT INTO events VALUES(5,1700000000001,'T-1',1,'claimed','','worktree slot-001');
INSERT INTO events VALUES(6,1700000001000,'T-1',1,'spawn-begun','','base 0123456789abcdef');
INSERT INTO events VALUES(7,1700000001000,'T-1',1,'newborn','','pane %1');
INSERT INTO events VALUES(8,1700000001000,'T-1',1,'ready','','worker pid 101');
INSERT INTO events VALUES(9,1700000001000,'T-1',1,'running','','');
INSERT INTO events VALUES(10,1700000000002,'T-2',1,'claimed','','worktree slot-002');
INSERT INTO events VALUES(11,1700000001000,'T-2',1,'spawn-begun','','base 0123456789abcdef');
INSERT INTO events VALUES(12,1700000001000,'T-2',1,'newborn','','pane %1');
INSERT INTO events VALUES(13,1700000001000,'T-2',1,'ready','','worker pid 101');
INSERT INTO events VALUES(14,1700000001000,'T-2',1,'running','','');
INSERT INTO events VALUES(15,1700000001000,'T-2',1,'lost','exit_code','runner''s record: it ended');
INSERT INTO events VALUES(16,1700000000003,'T-3',1,'claimed','','worktree slot-003');
INSERT INTO events VALUES(17,1700000001000,'T-3',1,'spawn-begun','','base 0123456789abcdef');
INSERT INTO events VALUES(18,1700000001000,'T-3',1,'newborn','','pane %1');
INSERT INTO events VALUES(19,1700000001000,'T-3',1,'ready','','worker pid 101');
INSERT INTO events VALUES(20,1700000001000,'T-3',1,'running','','');
INSERT INTO events VALUES(21,1700000001000,'T-3',1,'lost','exit_code','runner''s record: it ended');
INSERT INTO events VALUES(22,1700000001000,'T-3',1,'closed','todo','exited with 3; tried again');
INSERT INTO events VALUES(23,1700000000004,'T-4',1,'claimed','','worktree slot-003');
INSERT INTO events VALUES(24,1700000001000,'T-4',1,'spawn-begun','','base 0123456789abcdef');
INSERT INTO events VALUES(25,1700000001000,'T-4',1,'newborn','','pane %1');
INSERT INTO events VALUES(26,1700000001000,'T-4',1,'ready','','worker pid 101');
INSERT INTO events VALUES(27,1700000001000,'T-4',1,'running','','');
INSERT INTO events VALUES(28,1700000001000,'T-4',1,'lost','exit_code','runner''s record: it ended');
INSERT INTO events VALUES(29,1700000001000,'T-4',1,'closed','todo','exited with 3; tried again');
INSERT INTO events VALUES(30,1700000001000,'T-4',1,'settled','todo','');
INSERT INTO events VALUES(31,1700000002000,'T-4',0,'waived','alice','hf/T-4-old-g1');
INSERT INTO events VALUES(32,1700000002000,'',0,'tmux-server','started','shard 1 pid 4242');
INSERT INTO events VALUES(33,1700000002000,'',0,'breaker','three','');
INSERT INTO events VALUES(34,1700000002000,'T-1',1,'account-paused','team','limit');
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
INSERT INTO memories VALUES('T-1',1,0,0,0,0,0,0,'');
INSERT INTO memories VALUES('T-2',1,0,0,0,0,0,0,'');
INSERT INTO memories VALUES('T-3',1,1,0,0,0,0,90000,'hf/T-1-old-g1');
INSERT INTO memories VALUES('T-4',1,1,0,0,0,0,90000,'hf/T-1-old-g1');
CREATE TABLE waivers(
  ticket TEXT NOT NULL REFERENCES memories(ticket),
  position INTEGER NOT NULL,
  branch TEXT NOT NULL,
  PRIMARY KEY (ticket, position),
  UNIQUE (ticket, branch)
) STRICT, WITHOUT ROWID;
INSERT INTO waivers VALUES('T-4',0,'hf/T-4-old-g1');
CREATE TABLE account_pauses(
  account TEXT NOT NULL PRIMARY KEY,
  until INTEGER NOT NULL,
  why TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO account_pauses VALUES('team',99000,'limit');
CREATE TABLE breaker(
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  open_until INTEGER NOT NULL
) STRICT;
INSERT INTO breaker VALUES(1,7000);
CREATE TABLE young_deaths(
  position INTEGER PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT;
INSERT INTO young_deaths VALUES(0,100);
INSERT INTO young_deaths VALUES(1,200);
CREATE TABLE tmux_servers(
  shard INTEGER PRIMARY KEY,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL
) STRICT;
INSERT INTO tmux_servers VALUES(1,4242,99);
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
INSERT INTO tickets VALUES('T-1','First','Do it',2,100,'',1,1700000000000,1700000000000,'','person',1);
INSERT INTO tickets VALUES('T-2','First','Do it',3,100,'',1,1700000000000,1700000000000,'','person',2);
INSERT INTO tickets VALUES('T-3','First','Do it',3,100,'',1,1700000000000,1700000000000,'','person',3);
INSERT INTO tickets VALUES('T-4','First','Do it',0,100,'',1,1700000000000,1700000000000,'','person',4);
CREATE TABLE ticket_labels(
  ticket TEXT NOT NULL REFERENCES tickets(id),
  position INTEGER NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (ticket, position),
  UNIQUE (ticket, label)
) STRICT, WITHOUT ROWID;
INSERT INTO ticket_labels VALUES('T-1',0,'bug');
INSERT INTO ticket_labels VALUES('T-2',0,'bug');
INSERT INTO ticket_labels VALUES('T-3',0,'bug');
INSERT INTO ticket_labels VALUES('T-4',0,'bug');
CREATE TABLE dependencies(
  ticket TEXT NOT NULL REFERENCES tickets(id),
  position INTEGER NOT NULL,
  depends_on TEXT NOT NULL REFERENCES tickets(id),
  PRIMARY KEY (ticket, position),
  UNIQUE (ticket, depends_on),
  CHECK (ticket <> depends_on)
) STRICT, WITHOUT ROWID;
INSERT INTO dependencies VALUES('T-4',0,'T-1');
CREATE TABLE comments(
  number INTEGER PRIMARY KEY,
  ticket TEXT NOT NULL REFERENCES tickets(id),
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  author TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (ticket, key)
) STRICT;
INSERT INTO comments VALUES(1,'T-1','T-1-g1',1700000000000,'dispatcher','it''s begun');
INSERT INTO comments VALUES(2,'T-1','person-2',1795773329256,'root','hello');
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
INSERT INTO ticket_history VALUES(1,'T-1',1700000000000,NULL,2,'person','',1);
INSERT INTO ticket_history VALUES(2,'T-2',1700000000000,NULL,3,'person','',1);
INSERT INTO ticket_history VALUES(3,'T-3',1700000000000,NULL,3,'person','',1);
INSERT INTO ticket_history VALUES(4,'T-4',1700000000000,NULL,0,'person','',1);
CREATE UNIQUE INDEX one_open_runtime_per_ticket ON runtimes(ticket) WHERE phase <> 7;
CREATE INDEX unsettled_runtimes ON runtimes(ticket) WHERE settled = 0;
CREATE TRIGGER runtime_generations_grow BEFORE INSERT ON runtimes
WHEN NEW.generation <= coalesce((SELECT max(generation) FROM runtimes WHERE ticket = NEW.ticket), 0)
  OR NEW.generation <= coalesce((SELECT last_generation FROM memories WHERE ticket = NEW.ticket), 0)
BEGIN SELECT raise(ABORT, 'a generation must be larger than every earlier one of its ticket'); END;
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
CREATE INDEX messages_by_attempt ON messages(ticket, generation);
CREATE TRIGGER message_is_fixed BEFORE UPDATE ON messages
WHEN NEW.id IS NOT OLD.id OR NEW.ticket IS NOT OLD.ticket OR NEW.generation IS NOT OLD.generation
  OR NEW.text IS NOT OLD.text
BEGIN SELECT raise(ABORT, 'what a message says, and to whom, never changes'); END;
CREATE INDEX events_by_ticket ON events(ticket, seq);
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT raise(ABORT, 'events are only ever appended'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT raise(ABORT, 'events are only ever appended'); END;
CREATE TRIGGER events_are_not_replaced BEFORE INSERT ON events
WHEN NEW.seq <> -1 AND NEW.seq <= coalesce((SELECT max(seq) FROM events), 0)
BEGIN SELECT raise(ABORT, 'events are only ever appended'); END;
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
CREATE INDEX tickets_by_label ON ticket_labels(label);
CREATE INDEX dependents ON dependencies(depends_on);
CREATE INDEX history_by_ticket ON ticket_history(ticket);
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
CREATE VIEW runtimes_readable AS SELECT ticket, generation, CASE phase WHEN 0 THEN 'planned' WHEN 1 THEN 'newborn' WHEN 2 THEN 'ready' WHEN 3 THEN 'running' WHEN 4 THEN 'waiting' WHEN 5 THEN 'finished' WHEN 6 THEN 'lost' WHEN 7 THEN 'closed' END AS phase, revision, slot, session, branch, CASE said WHEN 0 THEN 'nothing' WHEN 1 THEN 'done' WHEN 2 THEN 'review' WHEN 3 THEN 'question' END AS said, said_text, CASE wish WHEN 0 THEN 'none' WHEN 1 THEN 'stop' WHEN 2 THEN 'park' WHEN 3 THEN 'cancel' END AS wish, wish_by, CASE ending WHEN 0 THEN 'none' WHEN 1 THEN 'term_sent' WHEN 2 THEN 'kill_sent' END AS ending, CASE cause WHEN 0 THEN 'none' WHEN 1 THEN 'never_came_to_be' WHEN 2 THEN 'clean_exit' WHEN 3 THEN 'exit_code' WHEN 4 THEN 'signal' WHEN 5 THEN 'oom_kill' WHEN 6 THEN 'session_killed' WHEN 7 THEN 'server_lost' WHEN 8 THEN 'host_lost' WHEN 9 THEN 'stopped_by_us' WHEN 10 THEN 'stopped_by_operator' WHEN 11 THEN 'provider_limit' WHEN 12 THEN 'declared_dead' WHEN 13 THEN 'unknown' END AS cause, exit_code, evidence, CASE disposition WHEN 0 THEN 'backlog' WHEN 1 THEN 'todo' WHEN 2 THEN 'in_progress' WHEN 3 THEN 'in_review' WHEN 4 THEN 'blocked' WHEN 5 THEN 'done' WHEN 6 THEN 'cancelled' END AS disposition, reason, settled, attention, worktree, worker_pid, strftime('%Y-%m-%d %H:%M:%f', nullif(claimed_at, 0) / 1000.0, 'unixepoch') AS claimed_at, strftime('%Y-%m-%d %H:%M:%f', nullif(spawned_at, 0) / 1000.0, 'unixepoch') AS spawned_at, strftime('%Y-%m-%d %H:%M:%f', nullif(running_at, 0) / 1000.0, 'unixepoch') AS running_at, strftime('%Y-%m-%d %H:%M:%f', nullif(died_at, 0) / 1000.0, 'unixepoch') AS died_at, strftime('%Y-%m-%d %H:%M:%f', nullif(changed_at, 0) / 1000.0, 'unixepoch') AS changed_at FROM runtimes;
CREATE VIEW slots_readable AS SELECT id, CASE state WHEN 0 THEN 'free' WHEN 1 THEN 'leased' WHEN 2 THEN 'quarantined' END AS state, holder_ticket, holder_generation, path, note FROM slots;
CREATE VIEW messages_readable AS SELECT number, id, ticket, generation, CASE kind WHEN 0 THEN 'prompt' WHEN 1 THEN 'answer' WHEN 2 THEN 'note' END AS kind, CASE state WHEN 0 THEN 'queued' WHEN 1 THEN 'posted' WHEN 2 THEN 'delivered' WHEN 3 THEN 'unverified' WHEN 4 THEN 'dropped' END AS state, sender, text, conflicts, why, strftime('%Y-%m-%d %H:%M:%f', nullif(queued_at, 0) / 1000.0, 'unixepoch') AS queued_at, strftime('%Y-%m-%d %H:%M:%f', nullif(changed_at, 0) / 1000.0, 'unixepoch') AS changed_at FROM messages;
CREATE VIEW events_readable AS SELECT seq, strftime('%Y-%m-%d %H:%M:%f', nullif(at, 0) / 1000.0, 'unixepoch') AS at, ticket, generation, kind, cause, evidence FROM events;
CREATE VIEW tickets_readable AS SELECT id, title, CASE state WHEN 0 THEN 'backlog' WHEN 1 THEN 'todo' WHEN 2 THEN 'in_progress' WHEN 3 THEN 'in_review' WHEN 4 THEN 'blocked' WHEN 5 THEN 'done' WHEN 6 THEN 'cancelled' END AS state, priority, profile, version, reason, moved_by, strftime('%Y-%m-%d %H:%M:%f', nullif(created_at, 0) / 1000.0, 'unixepoch') AS created_at, strftime('%Y-%m-%d %H:%M:%f', nullif(changed_at, 0) / 1000.0, 'unixepoch') AS changed_at FROM tickets;
CREATE VIEW ticket_history_readable AS SELECT number, ticket, strftime('%Y-%m-%d %H:%M:%f', nullif(at, 0) / 1000.0, 'unixepoch') AS at, CASE from_state WHEN 0 THEN 'backlog' WHEN 1 THEN 'todo' WHEN 2 THEN 'in_progress' WHEN 3 THEN 'in_review' WHEN 4 THEN 'blocked' WHEN 5 THEN 'done' WHEN 6 THEN 'cancelled' END AS from_state, CASE to_state WHEN 0 THEN 'backlog' WHEN 1 THEN 'todo' WHEN 2 THEN 'in_progress' WHEN 3 THEN 'in_review' WHEN 4 THEN 'blocked' WHEN 5 THEN 'done' WHEN 6 THEN 'cancelled' END AS to_state, moved_by, reason, version FROM ticket_history;
COMMIT;
PRAGMA user_version = 2;
PRAGMA application_id = 1212566596;
