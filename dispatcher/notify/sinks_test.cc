// A webhook against a real server on loopback, and a program that is really started.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "dispatcher/board/remote/test_server.h"
#include "dispatcher/ledger/temp_folder.h"
#include "dispatcher/notify/desktop.h"
#include "dispatcher/notify/webhook.h"

namespace holdfast {
namespace {

using test_server::Answer;
using test_server::Request;
using test_server::Server;

Notice asked(std::string words) {
  return {NoticeKind::question, 7, {1'700'000'000'000}, {{"T-1"}, {2}}, std::move(words)};
}

HttpClientOptions client_of(const std::string& address, Duration within = seconds(60)) {
  HttpClientOptions options;
  options.url = parse_url(address).value();
  options.within = within;
  options.now = [] { return Instant{1'700'000'000'000}; };
  options.random = [] { return 7U; };
  return options;
}

Telling told(Sink& sink, const Notice& notice) {
  return sink.tell(notice, id_of(notice, "abc"), body_of(notice, "abc", "Fix it"));
}

// RFC 4231 has longer ones; this one was computed elsewhere.
TEST(Webhook, TheSignatureIsHmacSha256OverTimeAndBody) {
  EXPECT_EQ(signature_of("a secret", 1'700'000'000, R"({"kind": "question"})"),
            "t=1700000000,v1=547c7e5b083c37d68a7255e332592722c328af905aeba9ca08437b9fea7382ca");
  EXPECT_NE(signature_of("a secret", 1'700'000'001, "x"), signature_of("a secret", 1'700'000'000, "x"));
  EXPECT_NE(signature_of("another", 1'700'000'000, "x").substr(13),
            signature_of("a secret", 1'700'000'000, "x").substr(13));
}

TEST(Webhook, SendsTheNoticeSigned) {
  Server server([](const Request&) { return Answer{204, ""}; });
  const auto sink = make_webhook(client_of(server.url() + "/hooks/1"), "a secret");
  EXPECT_EQ(told(*sink, asked("left or right?")).heard, Heard::yes);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/hooks/1");
  EXPECT_EQ(requests[0].headers.at("content-type"), "application/json");
  EXPECT_EQ(requests[0].headers.at("holdfast-event"), "question");
  EXPECT_EQ(requests[0].headers.at("idempotency-key"), "abc-7");
  EXPECT_EQ(requests[0].headers.at("holdfast-signature"),
            signature_of("a secret", 1'700'000'000, requests[0].body));
  EXPECT_EQ(nlohmann::json::parse(requests[0].body)["words"], "left or right?");
}

TEST(Webhook, AnAddressWithoutAPathIsItsRoot) {
  Server server([](const Request&) { return Answer{}; });
  told(*make_webhook(client_of(server.url()), "s"), asked("x"));
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(server.requests()[0].target, "/");
}

TEST(Webhook, WhatAnAnswerMeans) {
  const struct {
    int status;
    Heard heard;
  } table[] = {{200, Heard::yes},     {201, Heard::yes},     {301, Heard::refused}, {400, Heard::refused},
               {401, Heard::refused}, {404, Heard::refused}, {408, Heard::perhaps}, {410, Heard::refused},
               {425, Heard::perhaps}, {429, Heard::perhaps}, {500, Heard::perhaps}, {503, Heard::perhaps}};
  for (const auto& row : table) {
    Server server([&](const Request&) { return Answer{row.status, "{}"}; });
    EXPECT_EQ(told(*make_webhook(client_of(server.url()), "s"), asked("x")).heard, row.heard) << row.status;
    EXPECT_EQ(server.requests().size(), 1U) << row.status;  // when to tell again is not the client's affair
  }
}

TEST(Webhook, SilenceAndABrokenLineArePerhaps) {
  Server silent([](const Request&) { return Answer{200, "{}", {}, Answer::End::never}; });
  EXPECT_EQ(told(*make_webhook(client_of(silent.url(), millis(200)), "s"), asked("x")).heard, Heard::perhaps);
  Server broken([](const Request&) { return Answer{200, "{}", {}, Answer::End::before_it}; });
  EXPECT_EQ(told(*make_webhook(client_of(broken.url()), "s"), asked("x")).heard, Heard::perhaps);
  std::string gone;
  {
    Server server([](const Request&) { return Answer{}; });
    gone = server.url();
  }
  EXPECT_EQ(told(*make_webhook(client_of(gone), "s"), asked("x")).heard, Heard::perhaps);
}

std::string text_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Desktop, TextsAreArgumentsAndInputAndNeverAShells) {
  const TempFolder folder;
  const std::string out = folder / "out", pwned = folder / "pwned";
  const auto sink =
      make_desktop({"sh", "-c", R"(out=$1; shift; printf '<%s>\n' "$@" > "$out"; cat >> "$out")", "sh", out,
                    "{words}", "{ticket}/{kind}", "about {words}", "{summary}"},
                   seconds(120));
  const Telling telling = told(*sink, asked("--icon=$(touch " + pwned + "); `id` {kind}"));
  EXPECT_EQ(telling.heard, Heard::yes) << telling.words;
  const std::string text = text_in(out), words = "--icon=$(touch " + pwned + "); `id` {kind}";
  EXPECT_EQ(text.substr(0, text.find('{', text.find("<T-1 asks"))).substr(0, 2), "< ");  // no option
  EXPECT_NE(text.find("< " + words + ">\n"), std::string::npos) << text;
  EXPECT_NE(text.find("<T-1/question>\n<about " + words + ">\n<T-1 asks: " + words + ">\n{\"id\":\"abc-7\""),
            std::string::npos)
      << text;
  EXPECT_EQ(text_in(pwned), "");
  EXPECT_FALSE(std::filesystem::exists(pwned));
}

TEST(Desktop, WhatDoesNotWorkIsPerhaps) {
  EXPECT_EQ(told(*make_desktop({"false"}, seconds(120)), asked("x")).words, "it exited with 1");
  EXPECT_EQ(told(*make_desktop({"sleep", "1000"}, millis(100)), asked("x")).words, "it did not end in time");
  const Telling missing = told(*make_desktop({"/nowhere/notify"}, seconds(120)), asked("x"));
  EXPECT_EQ(missing.heard, Heard::perhaps);
  EXPECT_THAT(missing.words, testing::HasSubstr("it could not be run"));
}

}  // namespace
}  // namespace holdfast
