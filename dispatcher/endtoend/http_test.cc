// The HTTP interface of a running dispatcher, with real workers behind it.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/fd.h"

namespace holdfast::stage {
namespace {

// Where it listens; 0: not yet.
int port_of(const Stage& stage) {
  std::ifstream file(stage.state() + "/http-address");
  std::string address;
  file >> address;
  const auto colon = address.rfind(':');
  return colon == std::string::npos ? 0 : std::atoi(address.c_str() + colon + 1);
}

// The whole answer, head and body. A path from the root, or one below /api/v1.
std::string ask(const Stage& stage, const std::string& method, const std::string& path,
                const std::string& body = "") {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(port_of(stage)));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) return "";
  const std::string request = method + (path.starts_with("/") ? " " : " /api/v1/") + path +
                              " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
                              "application/json\r\nContent-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body;
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
  std::string answer;
  char block[65536];
  for (ssize_t n = 0; (n = ::recv(fd.get(), block, sizeof block, 0)) > 0;)
    answer.append(block, static_cast<std::size_t>(n));
  return answer;
}

// The incident over HTTP: the send is refused with the runtime's status, and that costs the ticket nothing.
TEST(EndToEndHttp, ARefusedSendAnswers409WithTheStatusAndTheTicketGoesOn) {
  Stage stage({.extra = ", \"server\": {\"listen\": \"127.0.0.1:0\"}",
               .puppet_environment = {{"PUPPET_READY", "flap"}}});
  stage.start();
  ASSERT_TRUE(stage.wait([&] { return port_of(stage) != 0; })) << stage.story();
  const std::string added =
      ask(stage, "POST", "tickets",
          R"({"id": "T-1", "title": "Play", "body": "#!puppet\nwrite a.txt x\ncommit Add\ndone it\nend."})");
  EXPECT_TRUE(added.starts_with("HTTP/1.1 201")) << added;
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::ready)) << stage.story();
  std::string refused;
  ASSERT_TRUE(stage.wait([&] {
    refused = ask(stage, "POST", "runtimes/T-1/messages?if=ready", R"({"text": "hello"})");
    return refused.starts_with("HTTP/1.1 409") && refused.find("\"runtime_not_ready\"") != std::string::npos;
  })) << refused;
  EXPECT_EQ(stage.ticket("T-1").state, BoardState::in_progress);
  EXPECT_NE(ask(stage, "GET", "runtimes/T-1").find("\"cause\":\"none\""), std::string::npos);
  EXPECT_NE(ask(stage, "POST", "tickets/T-1/move", R"({"state": "todo"})").find("HTTP/1.1 409"),
            std::string::npos);

  std::ofstream(stage.yard() + "/let-go") << "go";
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  const std::string metrics = ask(stage, "GET", "/metrics");
  EXPECT_NE(metrics.find("\nholdfast_pickups_total 1\n"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("\nholdfast_returns_total 0\n"), std::string::npos) << metrics;
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_EQ(stage.journalled("T-1", "prompt"), 1);
  EXPECT_EQ(audit_settled(stage), std::vector<std::string>{}) << stage.story();
}

}  // namespace
}  // namespace holdfast::stage
