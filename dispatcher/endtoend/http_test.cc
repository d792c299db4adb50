// The HTTP interface of a running dispatcher, with real workers behind it.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
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

// Every line of the page that begins with curl, as a reader would type it, where one listens.
TEST(EndToEndHttp, TheCurlLinesOfThePageWork) {
  if (std::system("curl --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "there is no curl";  // NOLINT
  std::ifstream page(HOLDFAST_SOURCE_DIR "/docs/http.md");
  std::vector<std::string> lines;
  for (std::string line; std::getline(page, line);)
    if (line.starts_with("curl ")) lines.push_back(line);
  ASSERT_GE(lines.size(), 10U);
  Stage stage({.extra = ", \"server\": {\"listen\": \"127.0.0.1:0\"}"});
  stage.start();
  stage.add("T-1", {"ask which?", "hang"});  // it takes input
  stage.add("T-2", {"ask left or right?", "hang"});
  ASSERT_TRUE(stage.wait([&] { return port_of(stage) != 0; })) << stage.story();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::waiting)) << stage.story();
  ASSERT_TRUE(stage.wait_for_phase("T-2", Phase::waiting)) << stage.story();
  const std::string out = stage.folder() + "/curl-out";
  for (std::string line : lines) {
    const auto at = line.find("localhost:7878");
    ASSERT_NE(at, std::string::npos) << line;
    line.replace(at, 14, "localhost:" + std::to_string(port_of(stage)));
    // A stream has no end; what came until then is looked at.
    const bool stream = line.starts_with("curl -sN");
    line.insert(4, stream ? " --fail --max-time 3" : " --fail-with-body --max-time 60");
    std::string said;
    const bool worked = stage.wait(
        [&] {
          const int status = std::system((line + " > '" + out + "' 2>&1").c_str());  // NOLINT
          std::ifstream file(out);
          said.assign(std::istreambuf_iterator<char>(file), {});
          // Not ready for input at that very moment is an answer too, and soon another one.
          return (stream ? WEXITSTATUS(status) == 28 : status == 0) && !said.empty();
        },
        30);
    EXPECT_TRUE(worked) << line << "\n" << said;
    const bool resumes = line.find("Last-Event-ID") != std::string::npos;
    EXPECT_TRUE(!resumes || said.find("id: 4\n") != std::string::npos) << said;
  }
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

// What a dispatcher says and logs holds none of its secrets.
TEST(EndToEndHttp, NoLogHoldsASecret) {
  Stage stage({.extra = R"(, "server": {"listen": "127.0.0.1:0", "token_file": "/tmp/hf-token-)" +
                        std::to_string(::getpid()) +
                        R"("}, "notify": {"webhook": "http://127.0.0.1:1/hook"})",
               .puppet_environment = {{"PUPPET_SECRET", "the-workers-own-secret"}},
               .attempts_max = 2});
  const std::string token_file = "/tmp/hf-token-" + std::to_string(::getpid());
  stage.start({"--verbose", "--log-json", "--log-file", stage.folder() + "/effects.jsonl"});
  stage.add("T-1", {"@1 exit 3", "write a.txt x", "commit Add", "done it"});
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  ask(stage, "GET", "tickets");
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  const auto text_of = [](const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  std::string said = text_of(stage.folder() + "/effects.jsonl");
  EXPECT_NE(said.find("\"ticket\":\"T-1\",\"generation\":2"), std::string::npos) << said;
  said += stage.story();
  std::vector<std::string> secrets{text_of(token_file), text_of(stage.state() + "/webhook-secret"),
                                   "the-workers-own-secret"};
  for (const Attempt& a : stage.attempts("T-1")) secrets.push_back(a.token);
  ASSERT_EQ(secrets.size(), 5U);
  for (std::string secret : secrets) {
    while (secret.ends_with('\n')) secret.pop_back();
    ASSERT_GE(secret.size(), 16U);
    EXPECT_EQ(said.find(secret), std::string::npos) << secret << "\n" << said;
  }
  ::unlink(token_file.c_str());
}

}  // namespace
}  // namespace holdfast::stage
