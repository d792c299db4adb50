#include "dispatcher/driver/driver.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <set>

#include "dispatcher/driver/effect_pool.h"

namespace holdfast {
namespace {

// A counter that wakes epoll_wait; safe to signal from threads and signal handlers.
class Bell {
 public:
  Bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Bell() { ::close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
  }
  void clear() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

class Epoll {
 public:
  Epoll() : fd_(epoll_create1(EPOLL_CLOEXEC)) {}
  ~Epoll() { ::close(fd_); }
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;
  void add(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event);
  }
  // Readable descriptors, or nothing after `timeout_ms` (-1: for ever).
  [[nodiscard]] std::vector<int> wait(int timeout_ms) const {
    std::array<epoll_event, 16> events{};
    const int n = epoll_wait(fd_, events.data(), static_cast<int>(events.size()), timeout_ms);
    std::vector<int> ready;
    for (int i = 0; i < n; ++i) ready.push_back(events.at(static_cast<std::size_t>(i)).data.fd);
    return ready;
  }

 private:
  int fd_;
};

}  // namespace

struct Driver::Parts {
  World& world;
  Brain brain;
  DriverOptions options;
  Bell bell;
  Epoll epoll;
  std::atomic<bool> stop = false;
  std::set<AttemptId> watched;
  EffectPool pool;

  Parts(World& w, Policy policy, DriverOptions o)
      : world(w),
        brain{std::move(policy), {}, {}},
        options(std::move(o)),
        pool(
            std::max(2, brain.policy.effects_at_once),
            [this](const Effect& e) { return perform(e, world, options.within); }, [this] { bell.ring(); }) {
    epoll.add(bell.fd());
    for (const NewsSource& source : options.news) epoll.add(source.fd);
  }

  void take_answers() {
    for (const Answer& answer : pool.drain()) {
      if (options.log) options.log({answer.effect, &answer});
      absorb(brain, answer);
      if (const TicketId id = ticket_of(answer.effect); !id.empty())
        follow(id);
      else if (std::holds_alternative<LoadLedger>(answer.effect))
        for (const auto& [ticket, known] : brain.knowledge.tickets) follow(ticket);
    }
  }

  // Keeps the watched folders equal to the attempts that can still change.
  void follow(const TicketId& id) {
    const auto found = brain.knowledge.tickets.find(id);
    if (found == brain.knowledge.tickets.end() || !found->second.newest) return;
    const Attempt& a = *found->second.newest;
    const bool wanted = a.open() && (a.step == Step::spawn_begun || found->second.work.spec_written);
    if (wanted && watched.insert(a.id).second) {
      if (options.watch) options.watch(a.id);
      absorb(brain, AttemptNews{a.id});  // what happened before the watch is looked for once
    } else if (!a.open() && watched.erase(a.id) > 0 && options.unwatch) {
      options.unwatch(a.id);
    }
  }

  int timeout(Instant now) const {
    const Instant wake = next_wake(brain);
    if (!wake.set()) return -1;
    return static_cast<int>(std::clamp<std::int64_t>((wake - now).ms, 0, 60'000));
  }
};

Driver::Driver(World& world, Policy policy, DriverOptions options)
    : parts_(std::make_unique<Parts>(world, std::move(policy), std::move(options))) {}
Driver::~Driver() = default;

void Driver::stop() {
  parts_->stop = true;
  parts_->bell.ring();
}

bool Driver::run(Duration drain_within) {
  Parts& p = *parts_;
  while (!p.stop) {
    for (Effect& effect : next_effects(p.brain, p.world.now())) {
      if (p.options.log) p.options.log({effect, nullptr});
      p.pool.start(std::move(effect));
    }
    if (p.options.enough && p.options.enough(p.brain)) break;
    for (const int fd : p.epoll.wait(p.timeout(p.world.now()))) {
      if (fd == p.bell.fd()) p.bell.clear();
      for (const NewsSource& source : p.options.news)
        if (source.fd == fd)
          for (const News& news : source.drain()) absorb(p.brain, news);
    }
    p.take_answers();
  }
  p.brain.agenda.stopping = true;
  return p.pool.finish_within(drain_within);
}

}  // namespace holdfast
