// Who is told what needs a person, by a real dispatcher with real workers; also one that is killed meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "dispatcher/board/remote/test_server.h"
#include "dispatcher/endtoend/stage.h"

namespace holdfast::stage {
namespace {

using test_server::Answer;
using test_server::Request;
using test_server::Server;

// The text of a member, up to the next quotation mark.
std::string member(const std::string& json, const std::string& name) {
  const std::string begin = "\"" + name + "\":\"";
  const auto at = json.find(begin);
  return at == std::string::npos
             ? ""
             : json.substr(at + begin.size(), json.find('"', at + begin.size()) - at - begin.size());
}

// "question T-1", with the ids under which it was told.
std::map<std::string, std::set<std::string>> told_to(Server& server) {
  std::map<std::string, std::set<std::string>> told;
  for (const Request& request : server.requests())
    told[member(request.body, "kind") + " " + member(request.body, "ticket")].insert(
        member(request.body, "id"));
  return told;
}

std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(EndToEndNotified, EachTransitionUnderOneIdAlsoWhenTheDispatcherIsKilled) {
  std::atomic<bool> down = true;
  Server server([&](const Request&) { return Answer{down ? 503 : 200, "{}"}; });
  const std::string heard = "/tmp/hf-heard-" + std::to_string(::getpid());
  ::unlink(heard.c_str());
  Stage stage(
      {.extra =
           R"(, "notify": {"webhook": ")" + server.url() +
           R"(/hook", "command": ["sh", "-c", "printf '%s|%s\n' \"$1\" \"$2\" >> \"$3\"", "sh", "{kind}", "{summary}", ")" +
           heard + "\"]}",
       .attempts_max = 1});
  stage.start();
  stage.add("T-1", {"ask left or $(touch /tmp/never)?", "write a.txt x", "commit Add", "done it"});
  ASSERT_TRUE(stage.wait([&] { return !server.requests().empty(); })) << stage.story();
  // What nobody has heard is told by the next one.
  stage.stop(SIGKILL);
  stage.add("T-2", {"exit 3"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-2", BoardState::blocked)) << stage.story();
  down = false;
  ASSERT_TRUE(stage.wait([&] { return told_to(server).size() >= 2; })) << stage.story();
  EXPECT_EQ(stage.holdfast({"ticket", "answer", "T-1", "left"}).code, 0);
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return text_of_file(heard).find("blocked|") != std::string::npos; }))
      << text_of_file(heard);
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  const auto told = told_to(server);
  ASSERT_EQ(told.size(), 2U) << stage.story();
  EXPECT_EQ(told.at("question T-1").size(), 1U);
  EXPECT_EQ(told.at("blocked T-2").size(), 1U);
  for (const Request& request : server.requests())
    EXPECT_TRUE(request.headers.at("holdfast-signature").starts_with("t=")) << request.body;
  EXPECT_NE(text_of_file(heard).find("question|T-1 asks: left or $(touch /tmp/never)?\n"), std::string::npos)
      << text_of_file(heard);
  EXPECT_NE(text_of_file(heard).find("blocked|T-2 is blocked: "), std::string::npos) << text_of_file(heard);
  EXPECT_EQ(audit_settled(stage), std::vector<std::string>{}) << stage.story();
  ::unlink(heard.c_str());
}

// A receiver that takes a connection and says nothing is nobody's affair but its thread's.
TEST(EndToEndNotified, AReceiverThatHangsHoldsUpNobody) {
  Server server([](const Request&) { return Answer{200, "{}", {}, Answer::End::never}; });
  Stage stage({.extra = R"(, "notify": {"webhook": ")" + server.url() + "\"}"});
  stage.start();
  stage.add("T-1", {"ask which?", "write a.txt x", "commit Add", "done it"});
  ASSERT_TRUE(stage.wait([&] { return !server.requests().empty(); })) << stage.story();
  EXPECT_EQ(stage.holdfast({"ticket", "answer", "T-1", "that"}).code, 0);
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

}  // namespace
}  // namespace holdfast::stage
