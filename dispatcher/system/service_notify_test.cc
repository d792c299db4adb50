// A socket as systemd opens it, and what is said to it.
#include "dispatcher/system/service_notify.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "dispatcher/system/fd.h"

namespace holdfast {
namespace {

class Systemd {
 public:
  Systemd() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    name_ = "@holdfast-notify-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name_.data(), name_.size());
    address.sun_path[0] = '\0';
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size())),
              0);
  }
  std::string heard() {
    pollfd one{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, 0) != 1) return "";
    std::array<char, 512> block{};
    const auto n = ::recv(fd_.get(), block.data(), block.size(), 0);
    return n < 0 ? "" : std::string(block.data(), static_cast<std::size_t>(n));
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  Fd fd_;
  std::string name_;
};

TEST(ServiceNotify, TellsWhatSystemdListensFor) {
  Systemd systemd;
  const ServiceNotify notify(systemd.name(), seconds(30));
  notify.ready("3 live");
  EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=3 live");
  notify.alive();
  EXPECT_EQ(systemd.heard(), "WATCHDOG=1");
  notify.stopping();
  EXPECT_EQ(systemd.heard(), "STOPPING=1");
  EXPECT_EQ(systemd.heard(), "");
}

TEST(ServiceNotify, IsReadFromTheEnvironmentAndTakenOutOfIt) {
  ::setenv("NOTIFY_SOCKET", "/run/somewhere", 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(ServiceNotify::from_environment().watchdog(), seconds(30));
  EXPECT_EQ(::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(::getenv("WATCHDOG_USEC"), nullptr);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(ServiceNotify::from_environment().watchdog(), std::nullopt)
      << "it is somebody else who is watched";
  ::setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_EQ(ServiceNotify::from_environment().watchdog(), std::nullopt);
}

TEST(ServiceNotify, NobodyListensAndNothingHappens) {
  ServiceNotify().alive();
  ServiceNotify("/nowhere/at/all", std::nullopt).ready("");
  ServiceNotify("not a socket", std::nullopt).ready("");
}

TEST(LoopHealth, WhatIsAskedForAndNeverAnsweredIsNoProgress) {
  LoopHealth health(minutes(1));
  EXPECT_TRUE(health.well(0, seconds(10)));
  EXPECT_TRUE(health.well(2, seconds(60)));
  EXPECT_FALSE(health.well(2, seconds(71)));
  health.answered(seconds(71));
  EXPECT_TRUE(health.well(2, seconds(72)));
  EXPECT_TRUE(health.well(0, minutes(60))) << "a loop that waits for nothing is well";
}

}  // namespace
}  // namespace holdfast
