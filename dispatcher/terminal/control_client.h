// One persistent connection to one tmux server: a `tmux -C attach` child process that we talk to through
// pipes.
//
// Not safe for several threads at once; whoever owns it serialises. A line that is not answered in time stays
// owed: the connection is kept, and nothing else is sent on it until that answer has come, so that it can no
// longer take effect behind anybody's back. The child is never killed with an answer owed. Nor should one be
// started for a server that stands still; see terminal/knock.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dispatcher/system/clocks.h"
#include "dispatcher/system/fd.h"
#include "dispatcher/terminal/control_stream.h"

namespace holdfast {

class ControlClient {
 public:
  // `news`: an eventfd that is written to when the server says something unasked; -1: none.
  ControlClient(std::vector<std::string> argv, std::vector<std::string> environment, int news);
  ~ControlClient();
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  enum class Talk { answered, never_sent, no_answer, cut };

  // Starts the child, unless one is on its way already, and waits until it is attached. never_sent: it ended,
  // and `words` say why.
  Talk connect(const Deadline&, std::string& words);
  [[nodiscard]] bool on_its_way() const { return inlet_ != nullptr; }  // connect() would start none
  [[nodiscard]] bool connected();  // attached, and the child has not gone in the meantime

  // Waits for what is owed, then sends one line that holds `commands` commands; they are answered in their
  // order. A command that fails ends the line, so there may be fewer blocks, and only the last can have
  // failed.
  struct Answer {
    Talk talk = Talk::never_sent;
    std::vector<ControlBlock> blocks;
    std::string words;
  };
  Answer ask(const std::string& line, std::size_t commands, const Deadline&);

  void close();
  // Of the last child that ended with an answer owed; 0: there is none.
  [[nodiscard]] std::int64_t former_pid() const { return former_pid_; }
  [[nodiscard]] std::int64_t pid() const { return pid_; }

 private:
  bool settle(const Deadline&);

  struct Inlet;  // what the reading thread fills

  std::vector<std::string> argv_, environment_;
  int news_;
  std::int64_t pid_ = 0, former_pid_ = 0;
  std::size_t owed_ = 0;  // commands of the line whose answer has not come
  Fd to_, process_;
  std::shared_ptr<Inlet> inlet_;
  std::thread reader_;
};

}  // namespace holdfast
