// One persistent connection to one tmux server: a `tmux -C attach` child process that we talk to through
// pipes.
//
// Not safe for several threads at once; whoever owns it serialises. After anything but `answered` it is
// closed: the child is killed and reaped, and what it had already passed on may still take effect in the
// server. The owner finds out by looking for former_pid() in the server's list of clients.
#pragma once

#include <atomic>
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

  // Starts the child and waits until it is attached. never_sent: `words` say why not.
  Talk connect(const Deadline&, std::string& words);
  [[nodiscard]] bool connected();  // also notices that the child has gone in the meantime

  // Sends one line that holds `commands` commands; they are answered in their order. A command that fails
  // ends the line, so there may be fewer blocks, and only the last can have failed.
  struct Answer {
    Talk talk = Talk::never_sent;
    std::vector<ControlBlock> blocks;
    std::string words;
  };
  Answer ask(const std::string& line, std::size_t commands, const Deadline&);

  void close();
  // Of the last child that was closed after it had passed a line on; 0: there is none.
  [[nodiscard]] std::int64_t former_pid() const { return former_pid_; }
  [[nodiscard]] std::int64_t pid() const { return pid_; }

 private:
  struct Inlet;  // what the reading thread fills

  std::vector<std::string> argv_, environment_;
  int news_;
  std::int64_t pid_ = 0, former_pid_ = 0;
  bool has_asked_ = false;
  Fd to_, process_;
  std::shared_ptr<Inlet> inlet_;
  std::thread reader_;
};

}  // namespace holdfast
