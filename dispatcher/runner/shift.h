// One attempt's whole life as its runner sees it: wait for the go-ahead, start the worker, carry bytes
// between the two terminals, hand messages over, end the tree, write down how it ended.
//
// One thread, one poll(2); nothing here blocks but fsync. Phases only go forward.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dispatcher/runner/cgroup_home.h"
#include "dispatcher/runner/family.h"
#include "dispatcher/runner/inbox.h"
#include "dispatcher/runner/inner_pty.h"
#include "dispatcher/runner/journal.h"
#include "dispatcher/runner/outer_terminal.h"
#include "dispatcher/runner/screen_text.h"
#include "dispatcher/runner/stream_file.h"
#include "dispatcher/runner/worker.h"
#include "dispatcher/system/clocks.h"

namespace holdfast {

class Shift {
 public:
  Shift(Journal& journal, RunnerSpec spec);

  // Returns the runner's exit status: the worker's, or 128 + its signal, or 75 where no worker ever ran.
  int run();

 private:
  enum class Phase { waiting_for_go, starting, working, ending, over };

  void open_ears();
  void listen(std::int64_t until_ms);
  void hear_signals();
  void hear_folder();
  void hear_person();
  void hear_worker();
  void hear_exec();

  void make_ready();
  void start();
  void ready_when(bool condition, const char* by);
  bool meet_children();  // are any left?
  std::string settle_worker();
  void end_because(const std::string& reason);
  void press_on(std::int64_t now_ms);
  void drain();
  void finish();
  bool write_end(const WorkerEnd&);
  void linger();
  static void leave_worktree();
  [[nodiscard]] WorkerEnd how_it_ended();
  [[nodiscard]] bool exists(const char* name) const;
  [[nodiscard]] std::int64_t now_ms() const { return clock_.monotonic().ms; }
  [[nodiscard]] std::int64_t wake_at(std::int64_t now_ms) const;

  Journal& journal_;
  RunnerSpec spec_;
  SystemClock clock_;
  OuterTerminal outer_;
  InnerPty inner_;
  Inbox inbox_;
  StreamFile stream_;
  ScreenText screen_;
  PatternWatch pattern_;
  CgroupHome home_;
  std::optional<std::int64_t> oom_before_;
  Worker worker_;
  ProcessIdentity worker_identity_;
  bool released_ = false;  // the gate was opened: from here on the worker may have run
  std::string not_made_;   // what could not be made ready, and why
  Fd signals_, folder_news_;
  int inbox_watch_ = -1;

  Phase phase_ = Phase::waiting_for_go;
  std::int64_t go_by_ms_ = 0;
  bool ready_ = false;
  bool exec_known_ = false;
  std::optional<Reaped> worker_end_;
  std::string reason_;
  bool asked_to_go_ = false;  // TERM was sent to all
  std::int64_t press_at_ms_ = 0, press_every_ms_ = 0;
};

}  // namespace holdfast
