// Who is let in.
#include "dispatcher/server/gate.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "dispatcher/ledger/temp_folder.h"

namespace holdfast::server {
namespace {

HttpRequest request(const std::string& method, std::map<std::string, std::string> headers) {
  HttpRequest r;
  r.method = method;
  r.headers = std::move(headers);
  return r;
}

int status(const HttpRequest& r, const GateRules& rules) {
  const auto away = turned_away(r, rules);
  return away ? away->status : 200;
}

TEST(Gate, OnLoopbackNoPageOfSomewhereElseGetsIn) {
  const GateRules loopback;
  EXPECT_EQ(status(request("GET", {{"host", "127.0.0.1:7878"}}), loopback), 200);
  EXPECT_EQ(status(request("GET", {{"host", "[::1]:7878"}}), loopback), 200);
  EXPECT_EQ(status(request("GET", {{"host", "evil.example"}}), loopback), 421) << "a name that leads here";
  EXPECT_EQ(status(request("GET", {{"host", "localhost.evil.example"}}), loopback), 421);
  EXPECT_EQ(status(request("GET", {}), loopback), 421);
  EXPECT_EQ(status(request("GET", {{"host", "localhost:1"}, {"origin", "http://localhost:1"}}), loopback),
            200);
  EXPECT_EQ(status(request("GET", {{"host", "localhost:1"}, {"origin", "http://localhost:2"}}), loopback),
            403);
  EXPECT_EQ(status(request("GET", {{"host", "localhost:1"}, {"origin", "null"}}), loopback), 403);
  EXPECT_EQ(status(request("POST", {{"host", "localhost:1"}, {"content-type", "text/plain"}}), loopback), 415)
      << "what a form of any page can send";
  EXPECT_EQ(status(request("POST", {{"host", "localhost:1"}}), loopback), 415);
  EXPECT_EQ(
      status(request("POST", {{"host", "localhost:1"}, {"content-type", "application/json; charset=utf-8"}}),
             loopback),
      200);
}

TEST(Gate, ElsewhereTheTokenIsAskedFor) {
  const GateRules rules{.token = "0123456789abcdef0123456789abcdef"};
  EXPECT_EQ(status(request("GET", {}), rules), 401);
  EXPECT_EQ(status(request("GET", {{"authorization", "Bearer "}}), rules), 401);
  EXPECT_EQ(status(request("GET", {{"authorization", "Bearer 0123456789abcdef0123456789abcdeX"}}), rules),
            401);
  EXPECT_EQ(status(request("GET", {{"authorization", "Bearer 0123456789abcdef"}}), rules), 401);
  EXPECT_EQ(status(request("GET", {{"authorization", "Basic 0123456789abcdef0123456789abcdef"}}), rules),
            401);
  EXPECT_EQ(status(request("GET", {{"authorization", "Bearer 0123456789abcdef0123456789abcdef"}}), rules),
            200);
}

TEST(Gate, TheTokensFileIsItsOwnersAlone) {
  const TempFolder folder;
  const std::string path = folder.path().string() + "/token";
  const auto made = read_or_make_token(path);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->size(), 64U);
  struct stat seen{};
  ASSERT_EQ(::stat(path.c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 0777, 0600U);
  EXPECT_EQ(*read_or_make_token(path), *made);
  ::chmod(path.c_str(), 0644);
  EXPECT_FALSE(read_or_make_token(path)) << "others have read it, perhaps";
  ::chmod(path.c_str(), 0600);
  std::ofstream(path) << "short\n";
  EXPECT_FALSE(read_or_make_token(path));
  EXPECT_FALSE(read_or_make_token(folder.path().string() + "/no/such/folder"));
}

}  // namespace
}  // namespace holdfast::server
