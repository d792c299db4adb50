// The catalogue itself: every fault that the harness knows, in the order of its ids.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "faults/fault.h"

namespace holdfast {
namespace {

using enum FaultId;

constexpr Cell nothing_happens{Happens::no, Comes::error};
constexpr Cell is_refused{Happens::no, Comes::refusal};
constexpr Cell answer_lost{Happens::yes, Comes::nothing};
constexpr Cell request_lost{Happens::no, Comes::nothing};
constexpr Cell happens_late{Happens::later, Comes::nothing};
constexpr Cell false_error{Happens::yes, Comes::error};
constexpr Cell false_refusal{Happens::yes, Comes::refusal};
constexpr Cell old_answer{Happens::yes, Comes::stale};
constexpr Cell wrong_answer{Happens::yes, Comes::wrong};
constexpr Cell twice{Happens::twice, Comes::truth};
constexpr Cell half_done{Happens::partly, Comes::error};
constexpr Cell by_itself{Happens::yes, Comes::truth};

const std::vector<Call> board_writes{Call::board_move, Call::board_return, Call::board_comment};
const std::vector<Call> board_calls{Call::board_changes, Call::board_read, Call::board_move,
                                    Call::board_return, Call::board_comment};
const std::vector<Call> ledger_calls{Call::ledger_changes, Call::ledger_write};
const std::vector<Call> stores{Call::ledger_changes, Call::ledger_write, Call::board_changes,
                               Call::board_read,     Call::board_move,   Call::board_return};
const std::vector<Call> spawn_and_send{Call::spawn, Call::post};
const std::vector<Call> git_writes{Call::prepare, Call::salvage, Call::release, Call::land, Call::pin};

std::vector<Fault> make() {
  // clang-format off
  return {
      {none, "no fault", Actor::setting, {}, {}, "", "", "", "", ""},

      // --- A: ticket store, SQL
      {A1, "a claim loses the race", Actor::port, {Call::ledger_write}, is_refused, "",
       "the claim is answered with a conflict, nothing is stored",
       "a rival's claim between the read and the write", "orch#11", ""},
      {A2, "a claim is stored, its answer is lost", Actor::port, {Call::ledger_write}, answer_lost, "",
       "the claim is stored, no answer comes", "the connection is closed after COMMIT", "", ""},
      {A3, "the store is busy at once", Actor::port, ledger_calls, is_refused, "",
       "SQLITE_BUSY, nothing is stored", "a second connection holds BEGIN IMMEDIATE", "fujibee/agmsg#114", ""},
      {A4, "a read transaction cannot become a write", Actor::port, {Call::ledger_write}, is_refused, "",
       "SQLITE_BUSY_SNAPSHOT, nothing is stored", "a rival commits between the read and the write",
       "RunLLM/aqueduct#369", ""},
      {A5, "the runtime's row cannot be written after the spawn", Actor::port, {Call::ledger_write},
       is_refused, "", "a constraint refuses RecordNewborn or RecordReady", "a trigger that raises",
       "OpenHands/automation#461", ""},
      {A6, "a stale read", Actor::port, {Call::board_changes, Call::board_read}, old_answer, "",
       "the answer shows each ticket one version ago", "a caching proxy; a long read transaction", "", ""},
      {A7, "a notification never comes", Actor::world, {}, by_itself, "", "pending news are dropped",
       "two updates between two polls; the feed is closed", "", ""},
      {A8, "somebody's whole-row write puts an older status back", Actor::world, {}, by_itself, "",
       "the ticket's previous state is written over the present one", "a second connection's UPDATE",
       "overdeck#2898", ""},
      {A9, "a ticket is edited, closed or deleted while claimed", Actor::person, {}, by_itself, "what",
       "a person moves the ticket to another state, edits it, or deletes it", "a second connection's UPDATE",
       "gastown#4698", ""},
      {A10, "a store is down, read-only or full", Actor::port, stores, is_refused, "window",
       "every call of one family is refused or answers an error", "chmod, a full tmpfs",
       "Joulenap/joulenap#41", ""},
      {A11, "a notification comes twice or in another order", Actor::world, {}, by_itself, "",
       "news without anything new", "the feed is repeated", "", ""},
      {A12, "a state file is read half written", Actor::port, {Call::look}, wrong_answer, "",
       "the record is unreadable at this look", "the file is truncated between write and rename", "", ""},

      // --- B: HTTP and what carries requests
      {B1, "a late 409: the effect happened, the answer says conflict", Actor::port,
       {Call::post, Call::board_move, Call::board_return}, false_refusal, "",
       "the effect happens; the answer is the refusal of a second try", "a proxy that repeats the request",
       "overdeck#3185; orka-agents/orka#463", ""},
      {B2, "the answer is lost after the effect", Actor::port,
       {Call::post, Call::board_move, Call::board_return, Call::board_comment}, answer_lost, "",
       "the effect happens, no answer comes", "a proxy drops the answer", "code-yeongyu/oh-my-openagent#8579",
       ""},
      {B3, "the request is lost before the effect", Actor::port,
       {Call::post, Call::board_move, Call::board_return, Call::board_comment, Call::board_changes},
       request_lost, "", "nothing happens, no answer comes", "a proxy drops the request", "", ""},
      {B4, "time-out, and the effect happens later", Actor::port,
       {Call::post, Call::board_move, Call::board_return, Call::board_comment, Call::spawn, Call::prepare,
        Call::salvage, Call::release},
       happens_late,
       "delay", "no answer comes; the effect takes hold at any later time", "a proxy holds the request",
       "chrismcdermut/proletariat#1049", ""},
      {B5, "a 5xx after the effect", Actor::port, board_writes, false_error, "",
       "the effect happens, the answer is 502", "a proxy rewrites the status", "agent-orchestrator#3649", ""},
      {B6, "a 5xx or 429 before the effect", Actor::port, board_calls, nothing_happens, "",
       "nothing happens; 503 or 429", "a proxy answers by itself", "", ""},
      {B7, "the connection is cut in the middle of the answer", Actor::port, board_calls,
       {Happens::yes, Comes::error}, "", "the effect happens, the answer is cut", "a proxy cuts at byte n", "",
       ""},
      {B8, "success with an empty or wrong id", Actor::port, {Call::spawn}, wrong_answer, "",
       "the session exists; the answer's ids are empty", "a shim rewrites the answer",
       "agent-orchestrator#3649", ""},
      {B9, "a message is handed over twice", Actor::port, {Call::post}, twice, "",
       "the post is performed twice", "a proxy sends it twice", "", ""},
      {B10, "the connection is accepted and never answered", Actor::port,
       {Call::board_changes, Call::board_read, Call::board_move, Call::board_return, Call::post}, request_lost,
       "", "nothing happens until the deadline", "a stopped server", "", ""},
      {B11, "the status cannot be asked while the worker lives", Actor::port, {Call::look, Call::server_list},
       nothing_happens, "", "the look fails", "a proxy or shim refuses the route", "gastown#4468", ""},
      {B12, "the status is an earlier one", Actor::port, {Call::look, Call::server_list}, old_answer, "",
       "the answer shows what an earlier look showed", "a proxy replays an old answer", "gastown#1025", ""},
      {B13, "the credentials expire, then work again", Actor::port, board_calls, is_refused, "window",
       "401 for every board call", "a proxy answers 401", "", ""},

      // --- C: tmux and worker processes
      {C1, "a worker is killed for memory", Actor::world, {}, by_itself, "",
       "SIGKILL, and the cgroup's counter rises", "memory.max of the worker's cgroup", "activepieces#15130", ""},
      {C2, "the tmux server is gone, and every session with it", Actor::world, {}, by_itself, "",
       "the server ends; its panes are hung up", "SIGKILL to the server", "overdeck#3539", ""},
      {C3, "the session is gone", Actor::world, {}, by_itself, "", "the session ends; its pane is hung up",
       "kill-session by somebody else", "gastown#3584", ""},
      {C4, "the session is there, its pane is dead", Actor::world, {}, by_itself, "",
       "the runner is killed; the dead pane remains", "SIGKILL to the pane's process", "gastown#3802", ""},
      {C5, "the session's name is taken", Actor::port, {Call::spawn}, is_refused, "",
       "duplicate session; nothing is created", "a session of that name is made first",
       "akashgit/remote-factory#1279; orch#291", ""},
      {C6, "the session is created, the client reports failure", Actor::port, {Call::spawn}, false_error, "",
       "the session exists; exit 1", "a shim runs tmux, then exits 1", "overdeck#3185", ""},
      {C7, "new-session hangs", Actor::port, {Call::spawn}, happens_late, "delay",
       "no answer; the session appears later or never", "a stopped server", "leopu00/job-hunter-team#214", ""},
      {C8, "the server cannot be reached for a while", Actor::port,
       {Call::server_list, Call::spawn, Call::session_end, Call::notice}, nothing_happens, "",
       "error connecting, while everything lives", "the socket is unlinked, later restored", "gastown#1440", ""},
      {C9, "a name is the beginning of another", Actor::setting, {Call::session_end, Call::server_list},
       by_itself, "", "tickets T-1 and T-10", "tickets T-1 and T-10", "", ""},
      {C10, "a probe sees another window's pane", Actor::port, {Call::server_list}, wrong_answer, "",
       "the listing shows a dead pane of another window in the session", "a second window, focused",
       "gastown#2133", ""},
      {C11, "the worker runs under an unknown name", Actor::setting, {}, by_itself, "",
       "process names mean nothing in the simulated table", "the worker renames itself", "gastown#1025", ""},
      {C12, "a pid is reused", Actor::world, {}, by_itself, "",
       "the worker's pid, after its end, names a stranger", "a pid namespace with a small pid_max", "", ""},
      {C13, "keys are typed and the worker never receives them", Actor::port, {Call::post},
       {Happens::partly, Comes::truth}, "", "the message is handed over and never read",
       "a worker that drains its input late", "unclebob/swarm-forge#67; agent-orchestrator#1376", ""},
      {C14, "a worker stands still", Actor::world, {}, by_itself, "",
       "no acts and no output until it is woken", "SIGSTOP; cpu.max", "gastown#4468", ""},
      {C15, "a person kills, attaches to or leaves a session", Actor::person, {}, by_itself, "what",
       "kill-session, attach, detach by a person", "kill-session, attach, detach", "", ""},

      // --- D: git, worktrees, pool, branches
      {D1, "the pool is empty", Actor::port, {Call::ledger_write}, is_refused, "",
       "no slot is free for a claim", "capacity 1, held", "firstmate#4512", ""},
      {D2, "a slot's lease outlives its attempt", Actor::port, {Call::release}, half_done, "",
       "the worktree is given back, its lease file stays", "the dispatcher dies in between",
       "firstmate#4615; Invoker#4799", ""},
      {D3, "a slot looks free while its owner lives", Actor::port, {Call::pool_ensure}, wrong_answer, "",
       "the pool's listing shows a leased slot as clean and detached",
       "an owner without a process in the folder", "firstmate#1441", ""},
      {D4, "the same slot is leased twice", Actor::port, {Call::ledger_write}, twice, "",
       "the claim is performed twice", "two claimants race", "firstmate#3365", ""},
      {D5, "a lock file is in the way", Actor::port, git_writes, is_refused, "",
       "index.lock exists: nothing happens", "touch index.lock", "firstmate#296; workmux#116", ""},
      {D6, "git reads half-written metadata", Actor::port, git_writes, nothing_happens, "",
       "exit 128 without known words", "a barrier between two adds", "stella#6135", ""},
      {D7, "the branch is checked out elsewhere", Actor::port, {Call::prepare}, is_refused, "",
       "already used by worktree", "the branch is checked out in another worktree", "smtg-ai/claude-squad#207",
       ""},
      {D8, "a worktree's folder is gone", Actor::world, {}, by_itself, "", "a free slot's folder vanishes",
       "rm -r", "claude-code#85339", ""},
      {D9, "a free worktree is dirty", Actor::world, {}, by_itself, "", "a free slot holds changes",
       "a file is written into it", "agent-orchestrator#1926", ""},
      {D10, "a stranded branch", Actor::world, {}, by_itself, "", "the worker commits and is killed at once",
       "commit, then SIGKILL", "jwbron/egg#2438; claude-code#74719", ""},
      {D11, "pushed, and nobody knows", Actor::world, {}, by_itself, "",
       "the worker's commits are on the target without a landing of ours, and it is killed",
       "push, then SIGKILL", "harness-engineering#165", ""},
      {D12, "the worker renames, deletes or moves its branch", Actor::world, {}, by_itself, "what",
       "the branch ref is deleted or renamed by the worker", "git branch -m in the worktree",
       "claude-code#94045", ""},
      {D13, "a cleanup is half done", Actor::port, {Call::release}, half_done, "",
       "the worktree is detached, the rest is not done", "a shim fails the second command",
       "claude-code#58431", ""},
      {D14, "a push or a landing is rejected", Actor::port, {Call::land, Call::push}, nothing_happens, "",
       "rejected: the target moved, or a hook refused", "a bare remote with a hook", "ever-works#2364", ""},
      {D15, "the disk is full or slow in a checkout", Actor::port, {Call::prepare, Call::salvage}, is_refused,
       "", "No space left on device", "a tiny tmpfs", "web-platform-tests/wpt.live#37", ""},

      // --- E: the dispatcher itself
      {E1, "the dispatcher dies, and is started again", Actor::dispatcher, {}, by_itself, "",
       "it is gone between any two events, with what it had in flight", "SIGKILL at a named effect", "", ""},
      {E2, "it dies again while it recovers", Actor::dispatcher, {}, by_itself, "",
       "a second death before its first full look", "a second SIGKILL", "", ""},
      {E3, "two dispatchers on one ledger", Actor::dispatcher, {}, by_itself, "",
       "a second one starts while the first lives", "two processes; the lock is taken away",
       "agent-orchestrator#3805; overdeck#2898", ""},
      {E4, "an old dispatcher wakes after it was replaced", Actor::dispatcher, {}, by_itself, "",
       "one stands still, another works, the first goes on", "SIGSTOP, SIGCONT", "ever-works#2364", ""},
      {E5, "an old and a new version together", Actor::dispatcher, {}, by_itself, "", "",
       "two binaries, two schema versions", "",
       "the simulated ledger has no schema: the real one refuses a newer one"},
      {E6, "a lock file of a dead dispatcher", Actor::dispatcher, {}, by_itself, "",
       "the start is refused once, then works", "a lock file is left behind",
       "FairladyZ625/harness-anything#1514", ""},
      {E7, "the configuration shrinks in the middle", Actor::dispatcher, {}, by_itself, "",
       "restarted with a smaller capacity", "a rewritten configuration and a restart", "", ""},
      {E8, "a recovery runs beside a pickup of the same ticket", Actor::dispatcher, {}, by_itself, "",
       "a second dispatcher starts while a pickup is in flight", "two processes with barriers", "gastown#3342",
       ""},
      {E9, "the dispatcher stands still longer than any deadline", Actor::dispatcher, {}, by_itself, "",
       "it stands still while time passes, then goes on with its plan", "SIGSTOP, SIGCONT", "", ""},

      // --- F: clocks and resources
      {F1, "the wall clock jumps forward", Actor::clock, {}, by_itself, "how far",
       "the dispatcher's clock + 1 h", "a preloaded clock", "octos-org/octos#1930", ""},
      {F2, "the wall clock jumps back", Actor::clock, {}, by_itself, "how far", "the dispatcher's clock - 1 h",
       "a preloaded clock", "octos#1930", ""},
      {F3, "two dispatchers with different clocks", Actor::clock, {}, by_itself, "how far",
       "the second one's clock is off from its start", "a preloaded clock", "mlflow/mlflow#25199", ""},
      {F4, "suspend and resume", Actor::clock, {}, by_itself, "how long",
       "an hour passes in which nobody acts", "SIGSTOP to all, and a step of the clock", "ever-works#2364", ""},
      {F5, "a timer fires late", Actor::clock, {}, by_itself, "", "time passes over a timer that is due",
       "cpu.max", "", ""},
      {F6, "fork or exec fails", Actor::port, {Call::spawn, Call::go}, nothing_happens, "",
       "never sent; or the worker's exec fails", "pids.max; a prompt that is too long", "", ""},
      {F7, "no descriptors or terminals are left", Actor::port, {Call::spawn, Call::look, Call::spec_write},
       is_refused, "", "EMFILE; nothing happens", "RLIMIT_NOFILE", "", ""},

      // --- G: workers by nature
      {G1, "a worker exits 0 without work", Actor::worker, {}, by_itself, "", "exit 0, no commit, no DONE",
       "a scripted worker", "", ""},
      {G2, "a worker exits at once with an error", Actor::worker, {}, by_itself, "",
       "exit 1 before it is ready", "a scripted worker", "", ""},
      {G3, "a worker that never says anything", Actor::worker, {}, by_itself, "", "works without output",
       "a scripted worker", "", ""},
      {G4, "a worker that talks and gets nowhere", Actor::worker, {}, by_itself, "", "output without commits",
       "a scripted worker", "", ""},
      {G5, "a worker that finishes without saying so", Actor::worker, {}, by_itself, "",
       "commits, exit 0, no DONE", "a scripted worker", "", ""},
      {G6, "a worker that leaves children behind", Actor::worker, {}, by_itself, "", "a child outlives it",
       "a scripted worker", "", ""},
  };
  // clang-format on
}

constexpr std::array<std::string_view, fault_ids> names{
    "none", "A1",  "A2",  "A3",  "A4", "A5", "A6", "A7", "A8", "A9",  "A10", "A11", "A12",
    "B1",   "B2",  "B3",  "B4",  "B5", "B6", "B7", "B8", "B9", "B10", "B11", "B12", "B13",
    "C1",   "C2",  "C3",  "C4",  "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13",
    "C14",  "C15", "D1",  "D2",  "D3", "D4", "D5", "D6", "D7", "D8",  "D9",  "D10", "D11",
    "D12",  "D13", "D14", "D15", "E1", "E2", "E3", "E4", "E5", "E6",  "E7",  "E8",  "E9",
    "F1",   "F2",  "F3",  "F4",  "F5", "F6", "F7", "G1", "G2", "G3",  "G4",  "G5",  "G6"};

}  // namespace

const std::vector<Fault>& catalogue() {
  static const std::vector<Fault> all = [] {
    auto entries = make();
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (static_cast<std::size_t>(entries[i].id) != i) std::abort();  // an entry is missing or misplaced
    if (entries.size() != fault_ids) std::abort();
    return entries;
  }();
  return all;
}

const Fault& fault(FaultId id) {
  return catalogue()[static_cast<std::size_t>(id)];
}

std::string_view name_of(FaultId id) {
  return names.at(static_cast<std::size_t>(id));
}

std::optional<FaultId> fault_named(std::string_view name) {
  const auto* const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<FaultId>(found - names.begin());
}

char family_of(FaultId id) {
  return name_of(id).front();
}

FaultSet FaultSet::all() {
  FaultSet set;
  for (std::size_t i = 1; i < fault_ids; ++i) set.add(static_cast<FaultId>(i));
  return set;
}

}  // namespace holdfast
