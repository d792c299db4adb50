// The client: how far each call came, what is repeated, and who is left in quiet.
#include "dispatcher/board/remote/http_client.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>

#include "dispatcher/board/remote/test_server.h"

namespace holdfast::http_client_tests {
namespace {

using test_server::Answer;
using test_server::Request;
using test_server::Server;

struct House {
  std::function<Answer(const Request&)> answer = [](const Request&) { return Answer{}; };
  Server server{[this](const Request& r) { return answer(r); }};
  Instant now{1'700'000'000'000};
  HttpClientOptions options() {
    HttpClientOptions o;
    o.url = parse_url(server.url() + "/below").value();
    o.within = seconds(60);  // what is to pass in a test is set by the test
    o.first_wait = millis(2);
    o.now = [this] { return now; };
    o.random = [] { return 1U; };
    return o;
  }
};

HttpCall get(const std::string& target = "/x") {
  HttpCall call;
  call.target = target;
  call.repeatable = true;
  return call;
}
HttpCall post(bool repeatable) {
  HttpCall call;
  call.method = "POST";
  call.target = "/x";
  call.body = R"({"a": 1})";
  call.repeatable = repeatable;
  return call;
}

TEST(HttpClient, SaysWhatItIsToldAndKeepsItsConnection) {
  House house;
  auto options = house.options();
  options.token = "secret";
  HttpClient client(options);
  for (int n = 0; n < 3; ++n) {
    const HttpReply reply = client.call(post(true));
    EXPECT_EQ(reply.transport, Transport::answered) << reply.words;
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "{}");
  }
  EXPECT_EQ(client.connections_made(), 1);
  const Request seen = house.server.requests().front();
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/below/x");
  EXPECT_EQ(seen.body, R"({"a": 1})");
  EXPECT_EQ(seen.headers.at("authorization"), "Bearer secret");
  EXPECT_EQ(seen.headers.at("content-type"), "application/json");
}

TEST(HttpClient, NobodyThereIsNeverSent) {
  auto house = std::make_unique<House>();
  HttpClientOptions options = house->options();
  options.now = [] { return Instant{1}; };
  house.reset();
  HttpClient client(options);
  const HttpReply reply = client.call(post(true));
  EXPECT_EQ(reply.transport, Transport::never_sent) << reply.words;
  EXPECT_FALSE(reply.words.empty());
}

TEST(HttpClient, NoAnswerInTimeIsNoAnswerAndIsNotRepeated) {
  House house;
  house.answer = [](const Request&) { return Answer{.end = Answer::End::never}; };
  auto options = house.options();
  options.within = millis(300);
  HttpClient client(options);
  const HttpReply reply = client.call(get());
  // On a machine that is slow enough it was not even sent in time.
  EXPECT_NE(reply.transport, Transport::answered);
  EXPECT_NE(reply.transport, Transport::cut) << reply.words;
  EXPECT_LE(house.server.requests().size(), 1U);
}

TEST(HttpClient, WhatMayBeRepeatedIsAndWhatMayNotIsNot) {
  for (const auto end : {Answer::End::in_the_body, Answer::End::before_it}) {
    House house;
    int failures = 2;
    house.answer = [&](const Request&) { return Answer{.end = failures-- > 0 ? end : Answer::End::whole}; };
    HttpClient client(house.options());
    EXPECT_EQ(client.call(post(true)).transport, Transport::answered);
    EXPECT_EQ(house.server.requests().size(), 3U);
    failures = 1;
    const HttpReply once = client.call(post(false));
    EXPECT_EQ(once.transport, Transport::cut) << once.words;
    EXPECT_EQ(house.server.requests().size(), 4U);
  }
}

// A server that closes kept connections, as all of them do after a while.
TEST(HttpClient, AKeptConnectionThatWasClosedIsNotUsed) {
  House house;
  std::atomic<int> served = 0;
  test_server::Sockets closing([&](int fd) {
    std::string head, body;
    if (!test_server::read_message(fd, head, body)) return;
    ++served;
    test_server::send_all(fd, test_server::text_of(Answer{}));
  });
  auto options = house.options();
  options.url = parse_url("http://127.0.0.1:" + std::to_string(closing.port())).value();
  HttpClient client(options);
  for (int n = 1; n <= 4; ++n) {
    EXPECT_EQ(client.call(post(n % 2 == 0)).transport, Transport::answered);
    EXPECT_EQ(served, n) << "each is heard once";
  }
}

// A server's word about a connection that it is about to close is no answer to what is asked next.
TEST(HttpClient, WhatNobodyAskedForIsNoAnswer) {
  House house;
  for (const bool at_once : {true, false}) {
    std::atomic<bool> heard = false, said = false;
    test_server::Sockets chatty([&](int fd) {
      std::string head, body;
      if (!test_server::read_message(fd, head, body)) return;
      const std::string answer = test_server::text_of(Answer{.body = "1"});
      const std::string beyond = test_server::text_of(Answer{.status = 408});
      if (at_once) {
        test_server::send_all(fd, answer + beyond);
      } else {
        test_server::send_all(fd, answer);
        while (!heard) std::this_thread::yield();
        test_server::send_all(fd, beyond);
        said = true;
      }
      test_server::read_message(fd, head, body);
    });
    auto options = house.options();
    options.url = parse_url("http://127.0.0.1:" + std::to_string(chatty.port())).value();
    HttpClient client(options);
    for (int n = 0; n < 2; ++n) {
      EXPECT_EQ(client.call(get()).status, 200) << at_once;
      heard = true;
      while (!at_once && !said) std::this_thread::yield();
    }
  }
}

TEST(HttpClient, AnAnswerThatIsNoHttpAndOneThatIsTooLongAreCut) {
  House house;
  test_server::Sockets odd([](int fd) {
    std::string head, body;
    while (test_server::read_message(fd, head, body)) test_server::send_all(fd, "220 mail.example ESMTP\r\n");
  });
  auto options = house.options();
  options.tries = 1;
  options.url = parse_url("http://127.0.0.1:" + std::to_string(odd.port())).value();
  EXPECT_EQ(HttpClient(options).call(get()).transport, Transport::cut);
  house.answer = [](const Request&) { return Answer{.body = std::string(10'000, 'x')}; };
  options = house.options();
  options.tries = 1;
  options.body_bytes_max = 1000;
  EXPECT_EQ(HttpClient(options).call(get()).transport, Transport::cut);
}

TEST(HttpClient, WhoAsksForQuietGetsIt) {
  House house;
  house.answer = [](const Request&) { return Answer{.status = 429, .headers = {{"Retry-After", "30"}}}; };
  HttpClient client(house.options());
  EXPECT_EQ(client.call(get()).status, 429);
  const HttpReply held = client.call(get());
  EXPECT_EQ(held.transport, Transport::never_sent);
  EXPECT_NE(held.words.find("quiet"), std::string::npos) << held.words;
  EXPECT_EQ(house.server.requests().size(), 1U);
  house.now = house.now + seconds(31);
  house.answer = [&](const Request&) {
    return Answer{.headers = {{"X-RateLimit-Remaining", "0"},
                              {"X-RateLimit-Reset", std::to_string(house.now.ms / 1000 + 100)}}};
  };
  EXPECT_EQ(client.call(get()).status, 200) << "the last one that is left";
  EXPECT_EQ(client.call(get()).transport, Transport::never_sent);
  house.now = house.now + seconds(101);
  house.answer = [](const Request&) { return Answer{}; };
  EXPECT_EQ(client.call(get()).transport, Transport::answered);
}

// A certificate that is signed by itself, and a server that shows it.
struct Certificate {
  std::string names = "DNS:localhost";
  int from = -86400, to = 86400;  // in seconds from now
};
class TlsServer {
 public:
  explicit TlsServer(const Certificate& wanted = {}) : context_(SSL_CTX_new(TLS_server_method())) {
    EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.from);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.to);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    const unsigned char common[] = "a board of a test";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    for (const auto& [id, value] : {std::pair{NID_subject_alt_name, wanted.names.c_str()},
                                    std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
      X509_add_ext(certificate, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    char path[] = "/tmp/hf-certificate-XXXXXX";
    const int fd = ::mkstemp(path);
    file_ = path;
    FILE* out = ::fdopen(fd, "w");
    PEM_write_X509(out, certificate);
    std::fclose(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
    sockets_ = std::make_unique<test_server::Sockets>([this](int socket) { serve(socket); });
  }
  ~TlsServer() {
    sockets_.reset();
    SSL_CTX_free(context_);
    std::filesystem::remove(file_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] int heard() const { return heard_; }  // bytes of requests
  [[nodiscard]] std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(sockets_->port());
  }

 private:
  void serve(int socket) {
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, socket);
    if (SSL_accept(ssl) == 1) {
      std::string all;
      char block[4096];
      const std::string answer = test_server::text_of(Answer{});
      for (int n = 0; (n = SSL_read(ssl, block, sizeof block)) > 0;) {
        heard_ += n;
        all.append(block, static_cast<std::size_t>(n));
        if (!all.ends_with("\r\n\r\n")) continue;
        all.clear();
        SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
      }
    }
    ERR_clear_error();
    SSL_free(ssl);
  }
  SSL_CTX* context_;
  std::atomic<int> heard_ = 0;
  std::string file_;
  std::unique_ptr<test_server::Sockets> sockets_;
};

TEST(HttpClient, TlsIsAlwaysChecked) {
  TlsServer server;
  House house;
  auto options = house.options();
  options.tries = 1;
  const auto ask = [&](const std::string& host, const std::string& ca_file) {
    options.url = parse_url(server.url(host)).value();
    options.ca_file = ca_file;
    HttpClient client(options);
    client.call(get());
    return client.call(get());
  };
  const HttpReply good = ask("localhost", server.file());
  EXPECT_EQ(good.transport, Transport::answered) << good.words;
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(ask("localhost", "").transport, Transport::never_sent) << "nobody vouches for it";
  EXPECT_EQ(ask("127.0.0.1", server.file()).transport, Transport::never_sent) << "it is another's";
  EXPECT_EQ(ask("localhost", "/no/such/file").transport, Transport::never_sent);
}

// Whoever cannot prove who it is hears nothing, least of all the token.
TEST(HttpClient, TlsTellsNothingToWhomItDoesNotTrust) {
  const struct {
    const char* what;
    Certificate certificate;
    const char* host;
    bool trusted;
  } table[] = {
      {"right", {}, "localhost", true},
      {"right, by number", {.names = "IP:127.0.0.1"}, "127.0.0.1", true},
      {"right, one of several", {.names = "DNS:board.example,DNS:localhost"}, "localhost", true},
      {"of another host", {.names = "DNS:board.example"}, "localhost", false},
      {"of a longer name", {.names = "DNS:localhost.example"}, "localhost", false},
      {"a number in a name", {.names = "DNS:127.0.0.1"}, "127.0.0.1", false},
      {"expired", {.from = -86400, .to = -3600}, "localhost", false},
      {"not valid yet", {.from = 3600, .to = 86400}, "localhost", false},
  };
  House house;
  for (const auto& row : table) {
    TlsServer server(row.certificate);
    auto options = house.options();
    options.tries = 1;
    options.token = "secret";
    options.url = parse_url(server.url(row.host)).value();
    options.ca_file = server.file();
    const HttpReply reply = HttpClient(options).call(get());
    EXPECT_EQ(reply.transport, row.trusted ? Transport::answered : Transport::never_sent)
        << row.what << ": " << reply.words;
    EXPECT_EQ(server.heard() > 0, row.trusted) << row.what;
    if (!row.trusted) {
      EXPECT_NE(reply.words.find("TLS with "), std::string::npos) << row.what << reply.words;
    }
    // Signed by itself, and nobody here has said that it is to be trusted.
    options.ca_file.clear();
    EXPECT_EQ(HttpClient(options).call(get()).transport, Transport::never_sent) << row.what;
  }
}

TEST(HttpClient, WhereTlsIsWantedPlainTextIsNoAnswer) {
  House house;
  auto options = house.options();
  options.tries = 1;
  options.token = "secret";
  std::string address = house.server.url();
  options.url = parse_url(address.replace(0, 4, "https")).value();
  options.within = seconds(2);  // it waits for more of the greeting
  EXPECT_EQ(HttpClient(options).call(get()).transport, Transport::never_sent);
  EXPECT_TRUE(house.server.requests().empty());
}

TEST(HttpClient, AnAddressInItsParts) {
  EXPECT_EQ(parse_url("https://api.example/repos/o/r/").value(),
            (Url{true, "api.example", "443", "/repos/o/r"}));
  EXPECT_EQ(parse_url("http://[::1]:8080").value(), (Url{false, "::1", "8080", ""}));
  EXPECT_EQ(parse_url("http://[::1]:8080").value().authority(), "[::1]:8080");
  for (const char* wrong : {"", "ftp://x", "http://", "http://bob:pass@x/", "http://x/?q=1", "http://x:port/",
                            "http://x y/", "http://[::1", "http://x/\r\nHost: y", "//x"})
    EXPECT_FALSE(parse_url(wrong)) << wrong;
}

}  // namespace
}  // namespace holdfast::http_client_tests
