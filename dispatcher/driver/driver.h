// The loop: look, decide, act. All decisions are core's (core/schedule.h); here are only threads, descriptors
// and time.
//
// News comes through file descriptors (record folders, tmux notifications, a wake file) and only wakes. A
// SIGTERM ends the loop within a second and leaves every worker running; the next dispatcher adopts them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dispatcher/core/schedule.h"
#include "dispatcher/driver/perform.h"
#include "dispatcher/ports/world.h"

namespace holdfast {

// A descriptor that becomes readable when there may be news, and what to read from it.
struct NewsSource {
  int fd = -1;
  std::function<std::vector<News>()> drain;
};

// One effect's life, for logs and tests. `answer` is nothing when it starts.
struct EffectLine {
  const Effect& effect;
  const Answer* answer = nullptr;
};

struct DriverOptions {
  Deadlines within;
  std::vector<NewsSource> news;
  // Called in the loop's thread when an attempt becomes known, so that its folder is watched.
  std::function<void(const AttemptId&)> watch;
  std::function<void(const AttemptId&)> unwatch;
  std::function<void(const EffectLine&)> log;
  // After every turn; true ends the loop (for `up --until-idle` and tests).
  std::function<bool(const Brain&)> enough;
};

class Driver {
 public:
  Driver(World&, Policy, DriverOptions);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Runs until stop() or `enough`. Afterwards nothing of this process changes the world any more, but for
  // helper processes that hold their own locks. false: effects were still in flight after `drain_within`; end
  // the process without joining.
  bool run(Duration drain_within);
  void stop();  // from any thread or a signal handler

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
