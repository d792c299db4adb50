// What systemd is told of us: that we are ready, that we are well, that we are stopping. The protocol is a
// line in a datagram to the socket that it names (sd_notify(3)); without one, nothing is told to anybody.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/core/instant.h"

namespace holdfast {

class ServiceNotify {
 public:
  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of this process; takes them out of its environment, so
  // that no child speaks in our name. Call it before there are threads.
  static ServiceNotify from_environment();

  ServiceNotify() = default;  // tells nobody
  ServiceNotify(std::string socket, std::optional<Duration> watchdog)
      : socket_(std::move(socket)), watchdog_(watchdog) {}

  void ready(std::string_view status) const;  // "READY=1", and a line for people
  void alive() const;                         // "WATCHDOG=1"
  void stopping() const;                      // "STOPPING=1"
  // Within how long it wants to hear from us; nothing: it does not watch.
  [[nodiscard]] std::optional<Duration> watchdog() const { return watchdog_; }

 private:
  void tell(std::string_view what) const;

  std::string socket_;  // a path, or "@name" in the abstract space; empty: nobody listens
  std::optional<Duration> watchdog_;
};

// Is the loop making progress, for a watchdog? It turns; and of what it has asked for, something was answered
// within `patience`, which is longer than any deadline of a call.
class LoopHealth {
 public:
  explicit LoopHealth(Duration patience) : patience_(patience) {}
  void answered(Duration now) { last_answer_ = now; }  // monotonic times
  [[nodiscard]] bool well(int in_flight, Duration now) {
    if (in_flight == 0) last_answer_ = now;
    return now.ms - last_answer_.ms <= patience_.ms;
  }

 private:
  Duration patience_;
  Duration last_answer_{};
};

}  // namespace holdfast
