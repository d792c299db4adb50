// A bounded pool of threads that perform effects, and the one queue through which their answers come back.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "dispatcher/core/effects.h"

namespace holdfast {

class EffectPool {
 public:
  // `perform` is called on any of the threads; `wake` after each answer, from that thread: it must only
  // signal.
  EffectPool(int threads, std::function<Answer(const Effect&)> perform, std::function<void()> wake);
  ~EffectPool();  // waits for what is running
  EffectPool(const EffectPool&) = delete;
  EffectPool& operator=(const EffectPool&) = delete;

  void start(Effect);
  std::vector<Answer> drain();  // answers since the last call, oldest first
  // Starts nothing more and waits for what is running, at most so long. false: something still runs.
  bool finish_within(Duration);

 private:
  void run();

  std::function<Answer(const Effect&)> perform_;
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable work_, idle_;
  std::deque<Effect> waiting_;
  std::vector<Answer> answers_;
  int running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast
