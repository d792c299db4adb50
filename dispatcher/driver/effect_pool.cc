#include "dispatcher/driver/effect_pool.h"

#include <chrono>
#include <utility>

namespace holdfast {

EffectPool::EffectPool(int threads, std::function<Answer(const Effect&)> perform, std::function<void()> wake)
    : perform_(std::move(perform)), wake_(std::move(wake)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

EffectPool::~EffectPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void EffectPool::start(Effect effect) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(effect));
  }
  work_.notify_one();
}

std::vector<Answer> EffectPool::drain() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

bool EffectPool::finish_within(Duration most) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  waiting_.clear();
  work_.notify_all();
  return idle_.wait_for(lock, std::chrono::milliseconds(most.ms), [this] { return running_ == 0; });
}

void EffectPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const Effect effect = std::move(waiting_.front());
    waiting_.pop_front();
    running_ += 1;
    lock.unlock();
    Answer answer = perform_(effect);
    lock.lock();
    running_ -= 1;
    answers_.push_back(std::move(answer));
    if (running_ == 0) idle_.notify_all();
    wake_();
  }
}

}  // namespace holdfast
