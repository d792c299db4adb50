// The simulated world: one copyable value. Boards, ledger, tmux servers, processes, record folders, a git
// repository, messages in flight, clocks, and the dispatchers themselves.
//
//   enabled(world)        what may happen next
//   step(world, event)    it happens
//
// There is no clock, no sleep, no address and no unordered iteration in it. Effects and their replies are
// separate events; an effect of several commands takes hold in several parts; one that is in flight may take
// hold late, also after its dispatcher has died.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/world/event.h"
#include "sim/world/happening.h"
#include "sim/world/setup.h"

namespace holdfast::sim {

// --- processes

enum class RunnerStage : std::uint8_t { launching, holding, minding, gone };
enum class WorkerStage : std::uint8_t { none, booting, at_work, gone };

// One runner process with what it started. The decisive file lets one runner of an attempt have a worker.
struct Runtime {
  AttemptId attempt;
  std::int64_t pid = 0;  // the runner's; its worker has the next one
  RunnerStage runner = RunnerStage::launching;
  WorkerStage worker = WorkerStage::none;
  bool child = false;  // a descendant lives
  int shard = 0;
  std::string session_id;
  Instant holding_since;
  bool hung_up = false, told = false;  // to the runner: its terminal went, it was told to end
  bool term = false, kill = false;     // to the worker
  bool stopped = false;                // SIGSTOP
  bool slow = false;                   // timers run out before it does what it has to do (F5)
  bool oom = false;
  bool exec_fails = false;
  bool pid_reused = false;  // the worker's number names a stranger now
  std::optional<int> exit_code, signal;
  std::string end_reason;                                                // why the runner ended its worker
  int runner_signal = -1;                                                // that ended the runner itself
  int commits = 0, lines = 0, questions = 0, changes = 0, children = 0;  // done so far
  int inputs = 0;
  Said said = Said::nothing;
  std::string slot;

  [[nodiscard]] bool worker_lives() const {
    return worker == WorkerStage::booting || worker == WorkerStage::at_work;
  }
};

struct Record {  // the folder of an attempt
  RecordSighting shown;
  bool spec = false, go = false;
  std::int64_t decided_by = 0;  // pid of the runner that wrote `started`
  std::string stream, said;
  std::map<MessageId, std::string> texts;
  std::vector<MessageId> deaf;  // handed over, and never to be read (C13)
};

// --- tmux

struct Session {
  std::string id, pane;  // "$3", "%3"
  std::int64_t pid = 0;  // the pane's process: a runner
  AttemptId attempt;
  bool dead = false;
  std::optional<int> exit_status, exit_signal;
  int persons = 0;
  Instant attached_at;
};
struct Server {
  ServerIncarnation incarnation;
  bool alive = false;
  std::map<SessionName, Session> sessions;
};

// --- git

using CommitNo = int;  // index into Repository::commits; -1: none
struct Commit {
  CommitNo parent = -1, second = -1;
  int patch = 0;           // commits with the same one make the same change; 0: none of its own (a merge)
  std::vector<int> holds;  // uncommitted changes that it saved
  AttemptId by;            // whose work it is; generation 0: nobody's
};
struct Worktree {
  bool present = true;
  std::string branch;  // empty: detached
  CommitNo head = -1;
  std::vector<int> changes;  // uncommitted
  AttemptId lease;           // the lease file; generation 0: none
};
struct Repository {
  std::vector<Commit> commits;
  std::map<std::string, CommitNo> refs;
  std::map<SlotId, Worktree> slots;
  Worktree main_checkout;
  int next_patch = 1, next_change = 1;
  std::map<int, AttemptId> changed_by;  // whose uncommitted change it is
};

// --- messages in flight

struct Flight {
  int number = 0;
  int dispatcher = 0;
  int life = 0;  // of the dispatcher that asked
  Effect effect;
  Instant asked_at;    // by its dispatcher's clock
  Instant asked_true;  // true time
  int part = 0;
  bool held = false;      // its effect is over: the reply is on its way
  bool detached = false;  // nobody waits for it any more
  std::uint8_t alone_for =
      0;              // so many steps, at most two: of `prove`, which asks at once whether it has left
  bool late = false;  // slow, and a timer has run out meanwhile
  FaultId fault = FaultId::none;
  Cell cell;
  RawReply raw;
  AnswerValue value;
  Instant silent_until;  // a deadline that has to pass before "no answer" is known
};

// --- dispatchers

struct DispatcherSeat {
  bool running = false, paused = false;
  int life = 0;
  Duration clock_off;  // its wall clock against the true time
  int capacity = 0;    // of its configuration
  bool start_refused = false;
  Mind mind;
  Instant wake;  // true time: a sleep ends after so long, wherever the wall clock has been moved meanwhile
  std::set<AttemptId> attempt_news;
  std::set<int> server_news;
  bool ledger_news = false, board_news = false;
  std::set<AttemptId> watched;
  [[nodiscard]] bool has_news() const {
    return !attempt_news.empty() || !server_news.empty() || ledger_news || board_news;
  }
};

struct LedgerStore {
  std::map<TicketId, TicketLedger> tickets;
  std::map<TicketId, std::int64_t> changed;  // seq of the last change
  std::map<AttemptId, Attempt> closed;
  std::map<SlotId, Slot> slots;
  std::map<AccountName, AccountPause> pauses;
  std::map<int, ServerIncarnation> servers;
  Breaker breaker;
  std::int64_t seq = 0;
  std::vector<LedgerEvent> log;  // kept only where the setup asks for it
};
struct BoardStore {
  std::map<TicketId, BoardTicket> tickets;
  std::map<TicketId, BoardTicket> before;    // each ticket's previous version
  std::map<TicketId, std::int64_t> changed;  // cursor of the last change
  std::set<TicketId> removed;
  std::set<std::string> comments;  // keys
  std::int64_t cursor = 0;
};

// What the oracles remember of the past. Part of the state: two worlds with different histories may differ in
// what will count as a violation.
struct History {
  std::map<TicketId, Generation> top;  // largest generation ever claimed
  std::map<AttemptId, int> prompts_read;
  std::set<AttemptId> ever_lived;   // a worker of it was born
  std::map<AttemptId, int> spawns;  // sessions created for it
  std::set<AttemptId> known;        // death of the whole tree has been seen by the ledger
  std::map<TicketId, int> deaths;   // attempts that ended
  std::vector<Instant> recent_spawns;
  std::map<TicketId, Instant> moved_at;     // on the board; true time
  std::map<AttemptId, Instant> claimed_at;  // true time
  std::vector<Instant> restarts;            // of dispatchers: what they counted is forgotten; true time
  Instant clock_moved_at;                   // the last time that any dispatcher's clock was; true time
};

struct World {
  std::shared_ptr<const Setup> setup;
  Instant now;  // true time
  BoardStore board;
  LedgerStore ledger;
  std::map<int, Server> servers;
  std::map<AttemptId, Record> records;
  std::vector<Runtime> runtimes;
  Repository git;
  std::vector<DispatcherSeat> dispatchers;
  std::vector<Flight> flights;
  History history;
  int next_flight = 1;
  std::int64_t next_pid = 100, next_session = 1, next_server = 10;
  int faults_left = 0, crashes_left = 0, persons_left = 0;
  bool healed = false;  // no faults any more: the fair phase

  Happenings happened;
};

World begin(std::shared_ptr<const Setup>);

// Everything that may happen next but faults.
void enabled(const World&, std::vector<Event>& out);
// Every fault that could strike now, within its budget.
void enabled_faults(const World&, std::vector<Event>& out);
void step(World&, const Event&);

// Faults stop and what is broken is mended: servers answer, clocks are right, stopped workers
// go on, attached persons leave, dispatchers are up. Late effects still come.
void heal(World&);

// --- the truth, for the oracles

// A runner that may still start its worker, a worker, or a descendant of one.
bool lives(const World&, const Runtime&);
bool lives(const World&, const AttemptId&);
int live_runtimes(const World&, const TicketId&);
// A spawn that is in flight and could still lead to a worker.
bool may_still_be_born(const World&, const TicketId&);
const Attempt* newest(const World&, const TicketId&);
std::string commit_text(CommitNo);
bool reaches(const Repository&, CommitNo from, CommitNo target);
std::set<int> patches_of(const Repository&, CommitNo tip);
CommitNo ref_of(const Repository&, const std::string& ref);  // -1: there is none

}  // namespace holdfast::sim
