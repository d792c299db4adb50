// The dispatcher as a service of systemd: what it says of itself while it runs, to a socket like systemd's.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/fd.h"

namespace holdfast::stage {
namespace {

// Listens under a name of its own, which the dispatcher inherits.
class Manager {
 public:
  Manager() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const std::string name = "@holdfast-service-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    address.sun_path[0] = '\0';
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "4000000", 1);
  }
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // How often was this said so far?
  int heard(const std::string& what) {
    pollfd one{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    std::array<char, 512> block{};
    while (::poll(&one, 1, 0) == 1) {
      const auto n = ::recv(fd_.get(), block.data(), block.size(), 0);
      if (n <= 0) break;
      said_.emplace_back(block.data(), static_cast<std::size_t>(n));
    }
    int times = 0;
    for (const std::string& one_said : said_) times += one_said.starts_with(what) ? 1 : 0;
    return times;
  }

 private:
  Fd fd_;
  std::vector<std::string> said_;
};

TEST(EndToEndService, TheLoopItselfTellsTheWatchdogThatItTurns) {
  Manager manager;
  Stage stage;
  stage.start();
  ASSERT_TRUE(stage.wait([&] { return manager.heard("READY=1\nSTATUS=holdfast: ") == 1; })) << stage.story();
  // With nothing to do, it goes on telling.
  ASSERT_TRUE(stage.wait([&] { return manager.heard("WATCHDOG=1") >= 3; })) << stage.story();
  EXPECT_EQ(manager.heard("STOPPING=1"), 0);
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_EQ(manager.heard("STOPPING=1"), 1);
}

}  // namespace
}  // namespace holdfast::stage
