// For tests: an HTTP server of a few lines, which answers as it is told, or breaks off in the middle. Each
// connection has a thread; nothing is kept in order but what the test itself keeps.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::test_server {

struct Request {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in small letters
};

struct Answer {
  int status = 200;
  std::string body = "{}";
  std::map<std::string, std::string> headers = {};
  enum class End { whole, in_the_body, before_it, never } end = End::whole;
};

// Reads until the head and the body that it announces are there; false: the connection ended before.
inline bool read_message(int fd, std::string& head, std::string& body) {
  std::string all;
  char block[65536];
  std::size_t end = std::string::npos;
  while ((end = all.find("\r\n\r\n")) == std::string::npos) {
    const ssize_t n = ::recv(fd, block, sizeof block, 0);
    if (n <= 0) return false;
    all.append(block, static_cast<std::size_t>(n));
  }
  head = all.substr(0, end + 2);
  body = all.substr(end + 4);
  std::size_t length = 0;
  for (std::size_t at = 0; at < head.size(); at = head.find('\n', at) + 1) {
    std::string line = head.substr(at, head.find('\r', at) - at);
    for (char& c : line) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (line.starts_with("content-length:")) length = std::stoul(line.substr(15));
    if (head.find('\n', at) == std::string::npos) break;
  }
  while (body.size() < length) {
    const ssize_t n = ::recv(fd, block, sizeof block, 0);
    if (n <= 0) return false;
    body.append(block, static_cast<std::size_t>(n));
  }
  return true;
}

inline bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

inline Request request_from(const std::string& head, std::string body) {
  Request request;
  request.body = std::move(body);
  const auto first = head.find(' '), second = head.find(' ', first + 1);
  request.method = head.substr(0, first);
  request.target = head.substr(first + 1, second - first - 1);
  for (std::size_t at = head.find('\n') + 1; at < head.size(); at = head.find('\n', at) + 1) {
    const std::size_t end = head.find('\r', at), colon = head.find(':', at);
    if (end == std::string::npos || colon == std::string::npos || colon > end) break;
    std::string name = head.substr(at, colon - at);
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    request.headers[name] = head.substr(colon + 2, end - colon - 2);
  }
  return request;
}

// A listening socket on loopback, and what is done with each connection.
class Sockets {
 public:
  explicit Sockets(std::function<void(int fd)> serve) : serve_(std::move(serve)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) std::abort();
    ::listen(listener_, 64);
    socklen_t size = sizeof where;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size);
    port_ = ntohs(where.sin_port);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~Sockets() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& one : threads_) one.join();
  }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int accepted() const { return accepted_; }

 private:
  void accept_all() {
    while (!stopping_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) {
        if (stopping_) return;
        continue;
      }
      ++accepted_;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        serve_(fd);
        const std::lock_guard closing(mutex_);
        open_.remove(fd);
        ::close(fd);
      });
    }
  }
  std::function<void(int)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> accepted_ = 0;
  std::mutex mutex_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread thread_;
};

inline std::string text_of(const Answer& answer) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Said\r\n";
  bool typed = false;
  for (const auto& [name, value] : answer.headers) {
    text += name + ": " + value + "\r\n";
    typed = typed || name == "Content-Type";
  }
  if (!typed) text += "Content-Type: application/json\r\n";
  if (answer.status != 304) text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  return text + "\r\n" + (answer.status == 304 ? "" : answer.body);
}

class Server {
 public:
  explicit Server(std::function<Answer(const Request&)> answer)
      : answer_(std::move(answer)), sockets_([this](int fd) { serve(fd); }) {}
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(sockets_.port()); }
  [[nodiscard]] int accepted() const { return sockets_.accepted(); }
  std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve(int fd) {
    std::string head, body;
    while (read_message(fd, head, body)) {
      const Request request = request_from(head, body);
      Answer answer;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        answer = answer_(request);
      }
      std::string text = text_of(answer);
      switch (answer.end) {
        case Answer::End::whole: break;
        case Answer::End::in_the_body:
          send_all(fd, std::string_view(text).substr(0, text.size() - 1));
          return;
        case Answer::End::before_it: return;
        case Answer::End::never: {  // until the other side has given up
          char byte = 0;
          while (::recv(fd, &byte, 1, 0) > 0) {
          }
          return;
        }
      }
      if (!send_all(fd, text)) return;
    }
  }
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::function<Answer(const Request&)> answer_;
  Sockets sockets_;
};

}  // namespace holdfast::test_server
