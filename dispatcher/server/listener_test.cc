// The sockets, with clients that are slow, silent, greedy or gone.
#include "dispatcher/server/listener.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "dispatcher/server/page.h"
#include "dispatcher/server/server_kit.h"
#include "dispatcher/system/fd.h"

namespace holdfast::server {
namespace {

using holdfast::kit::Stage;
using kit::House;

// A client of plain sockets, so that nothing is sent that a test does not say.
class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0)
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  }
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path.copy(where.sun_path, sizeof where.sun_path - 1);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  }
  void say(const std::string& text) {
    std::size_t at = 0;
    while (at < text.size()) {
      const ssize_t n = ::send(fd_.get(), text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (n <= 0) return;  // the server has had enough
      at += static_cast<std::size_t>(n);
    }
  }
  // Until `enough` of what was heard, or the other side closes, or the deadline; what was heard so far.
  const std::string& hear(const std::function<bool(const std::string&)>& enough, int seconds = 120) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!enough(heard) && !ended) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd ear{fd_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&ear, 1, static_cast<int>(left.count())) <= 0) break;
      char block[65536];
      const ssize_t n = ::recv(fd_.get(), block, sizeof block, 0);
      if (n <= 0) ended = true;
      if (n > 0) heard.append(block, static_cast<std::size_t>(n));
    }
    return heard;
  }
  // One whole answer with a Content-Length; what follows stays.
  std::string answer() {
    hear([](const std::string& text) {
      const auto head = text.find("\r\n\r\n");
      if (head == std::string::npos) return false;
      const auto at = text.find("Content-Length: ");
      return at == std::string::npos || at > head ||
             text.size() >= head + 4 + std::stoul(text.substr(at + 16));
    });
    const auto head = heard.find("\r\n\r\n");
    if (head == std::string::npos) return "";
    const auto at = heard.find("Content-Length: ");
    const std::size_t size = head + 4 + (at < head ? std::stoul(heard.substr(at + 16)) : 0);
    std::string one = heard.substr(0, size);
    heard.erase(0, size);
    return one;
  }
  bool is_closed() {
    hear([](const std::string&) { return false; });
    return ended;
  }
  std::string heard;
  bool ended = false;

 private:
  Fd fd_;
};

struct Open : House {
  ListenerOptions options{};
  std::mutex shown_mutex;
  DrawnScreens shown;
  void show(const std::string& runtime, const std::string& text) {
    const std::scoped_lock lock(shown_mutex);
    if (text.empty())
      shown.erase(runtime);
    else
      shown[runtime] = {1, "running", text};
  }
  std::unique_ptr<Listener> listener;
  void start() {
    EventSource source;
    source.newest = [this] { return ledger().load().value.seq; };
    source.after = [this](std::int64_t after, int n) {
      return ledger().events_after(after, std::nullopt, n).value;
    };
    source.screens = [this](DrawnScreens& drawn) {
      const std::scoped_lock lock(shown_mutex);
      drawn = shown;
    };
    options.feed_every = options.screens_every = millis(5);
    auto opened =
        Listener::open(options, [this](const HttpRequest& r) { return answer_request(api(), r); }, source);
    ASSERT_TRUE(opened) << opened.error();
    listener = std::move(*opened);
  }
  void happen(int n, std::size_t longer = 0) {
    for (int i = 0; i < n; ++i)
      ledger().write(Note{{{"T-1"}, {1}}, "noted", std::string(longer, 'x'), "evidence " + std::to_string(i)},
                     {1'700'000'000'000 + i});
  }
};

const std::string host = "Host: localhost\r\n";
std::string get(const std::string& path) {
  return "GET /api/v1/" + path + " HTTP/1.1\r\n" + host + "\r\n";
}
std::string post(const std::string& path, const std::string& body) {
  return "POST /api/v1/" + path + " HTTP/1.1\r\n" + host +
         "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

TEST(Listener, ServesOneRequestAfterTheOtherOnOneConnection) {
  Open house;
  house.start();
  Client client(house.listener->port());
  client.say(post("tickets", R"({"title": "one"})") + get("tickets") + get("health"));  // all at once
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 201 Created\r\n"));
  EXPECT_NE(client.answer().find("\"title\":\"one\""), std::string::npos);
  EXPECT_NE(client.answer().find("\"version\":\"1.2.3\""), std::string::npos);
  client.say("HEAD /api/v1/health HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n");
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(client.heard.ends_with("\r\n\r\n")) << "a HEAD has no body";
}

TEST(Listener, ARequestThatComesByteByByteIsServed) {
  Open house;
  house.start();
  Client client(house.listener->port());
  for (const char c : post("tickets", R"({"title": "slow"})")) client.say(std::string(1, c));
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 201"));
}

TEST(Listener, SaysContinueBeforeALongBody) {
  Open house;
  house.start();
  Client client(house.listener->port());
  client.say("POST /api/v1/tickets HTTP/1.1\r\n" + host +
             "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n");
  EXPECT_EQ(client.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.say(R"({"title": "x"})");
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 201"));
}

TEST(Listener, LimitsHeadersAndBodies) {
  Open house;
  house.options.body_bytes_max = 1000;
  house.start();
  Client header(house.listener->port());
  header.say("GET /api/v1/health HTTP/1.1\r\n" + host + "X: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(header.is_closed());
  EXPECT_TRUE(header.heard.starts_with("HTTP/1.1 431")) << header.heard;
  Client endless(house.listener->port());
  endless.say(std::string(40'000, 'x'));
  EXPECT_TRUE(endless.is_closed());
  EXPECT_TRUE(endless.heard.starts_with("HTTP/1.1 4")) << endless.heard;
  Client body(house.listener->port());
  body.say("POST /api/v1/tickets HTTP/1.1\r\n" + host +
           "Content-Type: application/json\r\nContent-Length: 5000000000\r\n\r\n");
  EXPECT_TRUE(body.is_closed());
  EXPECT_TRUE(body.heard.starts_with("HTTP/1.1 413")) << body.heard;
  Client chunked(house.listener->port());
  chunked.say("POST /api/v1/tickets HTTP/1.1\r\n" + host +
              "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
              std::string(2000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_TRUE(chunked.is_closed());
  EXPECT_TRUE(chunked.heard.starts_with("HTTP/1.1 413")) << chunked.heard;
  Client nonsense(house.listener->port());
  nonsense.say("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_TRUE(nonsense.is_closed());
  EXPECT_TRUE(nonsense.heard.starts_with("HTTP/1.1 400")) << nonsense.heard;
}

TEST(Listener, SilentAndSlowClientsAreClosedAndHoldNobodyUp) {
  Open house;
  house.options.idle = millis(200);
  house.options.request_within = millis(200);
  house.options.connections_max = 50;
  house.start();
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 40; ++i) {
    silent.push_back(std::make_unique<Client>(house.listener->port()));
    if (i % 2 == 0) silent.back()->say("GET /api/v1/hea");  // and never the rest
  }
  // One that this machine made slow is closed too; it comes again.
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) {
    Client quick(house.listener->port());
    quick.say(get("health"));
    answer = quick.answer();
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  for (const auto& client : silent) EXPECT_TRUE(client->is_closed());
}

TEST(Listener, MoreConnectionsThanAllowedAreClosedAtOnce) {
  Open house;
  house.options.connections_max = 2;
  house.start();
  Client one(house.listener->port()), two(house.listener->port());
  one.say(get("health"));
  two.say(get("health"));
  EXPECT_TRUE(one.answer().starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(two.answer().starts_with("HTTP/1.1 200"));
  Client three(house.listener->port());
  EXPECT_TRUE(three.is_closed());
}

TEST(Listener, TheTokenIsAskedForOnTcp) {
  Open house;
  house.options.token = "0123456789abcdef0123456789abcdef";
  house.start();
  Client client(house.listener->port());
  client.say(get("health"));
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 401"));
  client.say("GET /api/v1/health HTTP/1.1\r\nHost: anywhere\r\nAuthorization: Bearer " + house.options.token +
             "\r\n\r\n");
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 200"));
}

TEST(Listener, AnAddressThatOthersReachNeedsAToken) {
  ListenerOptions options;
  options.address = "0.0.0.0";
  const auto opened = Listener::open(options, [](const HttpRequest&) { return HttpAnswer{}; }, {});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().find("token"), std::string::npos);
  options.address = "no-address";
  EXPECT_FALSE(Listener::open(options, [](const HttpRequest&) { return HttpAnswer{}; }, {}));
}

// Whatever is known at once is said in its turn, between what is not.
TEST(Listener, WhatIsKnownAtOnceKeepsItsPlaceInTheLine) {
  std::atomic<int> made = 0;
  const auto listener = Listener::open(
      {},
      [&](const HttpRequest& request) {
        ++made;
        return HttpAnswer{.body = "made " + request.path.back()};
      },
      {},
      [](const HttpRequest& request) {
        return request.path.back() == "known"
                   ? std::make_shared<const HttpAnswer>(HttpAnswer{.body = "known at once"})
                   : nullptr;
      });
  ASSERT_TRUE(listener) << listener.error();
  Client client((*listener)->port());
  std::string all;
  for (const char* name : {"a", "known", "b", "known"})
    all += std::string("GET /api/v1/") + name + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  all += "HEAD /api/v1/known HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  client.say(all);
  EXPECT_TRUE(client.answer().ends_with("made a"));
  EXPECT_TRUE(client.answer().ends_with("known at once"));
  EXPECT_TRUE(client.answer().ends_with("made b"));
  EXPECT_TRUE(client.answer().ends_with("known at once"));
  const std::string head = client.hear([](const std::string&) { return false; });
  EXPECT_NE(head.find("Content-Length: 13"), std::string::npos) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  EXPECT_EQ(made, 2);
}

TEST(Listener, AUnixSocketIsItsOwnersAlone) {
  const TempFolder folder;
  const std::string path = folder.path().string() + "/http.sock";
  for (int round = 0; round < 2; ++round) {
    Open house;
    house.options.address = "";
    house.options.unix_socket = path;
    house.start();
    EXPECT_EQ(std::filesystem::status(path).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    Client client(path);
    client.say("GET /api/v1/health HTTP/1.1\r\nHost: whatever\r\n\r\n");
    EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 200"));
    ListenerOptions second = house.options;
    EXPECT_FALSE(Listener::open(second, [](const HttpRequest&) { return HttpAnswer{}; }, {}))
        << "it is in use";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

std::vector<std::int64_t> ids_in(const std::string& stream) {
  std::vector<std::int64_t> ids;
  for (auto at = stream.find("id: "); at != std::string::npos; at = stream.find("id: ", at + 1))
    ids.push_back(std::stoll(stream.substr(at + 4)));
  return ids;
}

TEST(Listener, FollowersHearEachEventOnceAndResumeWhereTheyWere) {
  Open house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  house.start();
  const std::int64_t first = house.ledger().load().value.seq;
  Client follower(house.listener->port());
  follower.say(get("events/stream?after=" + std::to_string(first)));
  house.happen(20);
  follower.hear([](const std::string& text) { return ids_in(text).size() >= 20; });
  const auto heard = ids_in(follower.heard);
  ASSERT_EQ(heard.size(), 20U);
  EXPECT_TRUE(std::ranges::is_sorted(heard));
  EXPECT_EQ(std::ranges::adjacent_find(heard), heard.end());
  // Away for a while, and back with the number of the last one that it saw.
  house.happen(30);
  Client again(house.listener->port());
  again.say("GET /api/v1/events/stream HTTP/1.1\r\n" + host + "Last-Event-ID: " + std::to_string(heard[9]) +
            "\r\n\r\n");
  again.hear([](const std::string& text) { return ids_in(text).size() >= 40; });
  const auto rest = ids_in(again.heard);
  ASSERT_EQ(rest.size(), 40U);
  EXPECT_EQ(rest.front(), heard[10]);
  // One that names no number hears what happens from now on.
  Client fresh(house.listener->port());
  fresh.say(get("events/stream"));
  fresh.hear([](const std::string& text) { return text.find("retry:") != std::string::npos; });
  Client nonsense(house.listener->port());
  nonsense.say(get("events/stream?after=x"));
  EXPECT_TRUE(nonsense.answer().starts_with("HTTP/1.1 422"));
}

// What it has not read waits in its own small buffer, for as long as it may; then it is cut off, and can come
// back.
TEST(Listener, AFollowerThatDoesNotReadIsCutOffAndTheOthersHearEverything) {
  Open house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  house.options.write_within = seconds(3);
  house.options.connections_max = 2;
  house.start();
  const std::int64_t first = house.ledger().load().value.seq;
  Client deaf(house.listener->port(), 4096);
  Client good(house.listener->port());
  for (Client* one : {&deaf, &good}) one->say(get("events/stream?after=" + std::to_string(first)));
  constexpr int many = 2'000;
  // It reads while it happens, or it would be one that does not read.
  std::jthread reading{[&good] {
    good.hear([](const std::string& text) {
      return text.find("evidence " + std::to_string(many - 1)) != std::string::npos;
    });
  }};
  house.happen(many, 4000);
  reading.join();
  EXPECT_EQ(ids_in(good.heard).size(), static_cast<std::size_t>(many));
  // There was room for two: a third is served once the deaf one was cut off. Before that not a byte of its
  // own is read, or it would be one that reads late.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  std::string served;
  while (served.empty() && std::chrono::steady_clock::now() < until) {
    Client third(house.listener->port());
    third.say(get("health"));
    served = third.answer();
  }
  EXPECT_TRUE(served.starts_with("HTTP/1.1 200")) << "nobody was cut off";
  EXPECT_TRUE(deaf.is_closed());
  const auto told = ids_in(deaf.heard);
  ASSERT_LT(told.size(), static_cast<std::size_t>(many));
  Client back(house.listener->port());
  back.say(get("events/stream?after=" + std::to_string(told.empty() ? first : told.at(told.size() - 2))));
  back.hear([&](const std::string& text) {
    return text.find("evidence " + std::to_string(many - 1)) != std::string::npos;
  });
  EXPECT_NE(back.heard.find("evidence " + std::to_string(many - 1)), std::string::npos);
}

TEST(Listener, ScreensAreToldWhenTheyChangeAndWhenTheyGo) {
  Open house;
  house.show("T-1-g1", "\"one\"");
  house.show("T-2-g1", "\"two\"");
  house.start();
  Client client(house.listener->port());
  const auto hears = [&](const std::string& wanted) {
    return client.hear([&](const std::string& text) { return text.find(wanted) != std::string::npos; }, 60)
               .find(wanted) != std::string::npos;
  };
  client.say("GET /api/v1/screens/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(hears("event: screen\ndata: \"one\"\n\n")) << client.heard;
  EXPECT_TRUE(hears("event: screen\ndata: \"two\"\n\n")) << client.heard;
  EXPECT_TRUE(hears("event: runtimes\ndata: [\"T-1-g1\",\"T-2-g1\"]\n\n")) << client.heard;
  client.heard.clear();
  house.show("T-2-g1", "\"three\"");
  EXPECT_TRUE(hears("\"three\"")) << client.heard;
  EXPECT_EQ(client.heard.find("\"one\""), std::string::npos) << "only what has changed";
  house.show("T-1-g1", "");
  EXPECT_TRUE(hears("event: runtimes\ndata: [\"T-2-g1\"]\n\n")) << client.heard;
}

// Without a token nobody gets at anything but the page, which asks for it.
TEST(Listener, ThePageIsThereForWhoeverComesAndLetsNothingElseIn) {
  Open house;
  house.options.token = "0123456789abcdef";
  house.start();
  Client client(house.listener->port());
  for (const PageFile& file : page_files()) {
    client.say("GET /" + std::string(file.path) + " HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
    const std::string answer = client.answer();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << file.path << answer.substr(0, 200);
    EXPECT_NE(answer.find("Content-Type: " + std::string(file.type)), std::string::npos);
    const auto policy = answer.find("Content-Security-Policy: ");
    ASSERT_NE(policy, std::string::npos);
    EXPECT_EQ(answer.find("Content-Security-Policy: ", policy + 1), std::string::npos) << "one policy";
    EXPECT_EQ(answer.find("unsafe"), std::string::npos);
  }
  client.say("GET /api/v1/tickets HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 401"));
  client.say("GET /other HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 401"));
}

}  // namespace
}  // namespace holdfast::server
