#include "dispatcher/notify/desktop.h"

#include <array>

#include "dispatcher/look/words.h"
#include "dispatcher/system/run_process.h"

namespace holdfast {
namespace {

// In one pass, so that a text in which "{words}" stands is not looked into again.
std::string filled_in(std::string_view argument, const Notice& notice) {
  const std::array<std::pair<std::string_view, std::string>, 4> values{{
      {"{kind}", words_for(notice.kind)},
      {"{ticket}", notice.attempt.ticket.value},
      {"{summary}", summary_of(notice)},
      {"{words}", safe(notice.words, 1000)},
  }};
  std::string out;
  for (std::size_t at = 0; at < argument.size();) {
    bool replaced = false;
    for (const auto& [name, value] : values) {
      if (!argument.substr(at).starts_with(name)) continue;
      if (out.empty() && value.starts_with('-')) out += ' ';
      out += value;
      at += name.size();
      replaced = true;
      break;
    }
    if (!replaced) out += argument[at++];
  }
  return out;
}

class Desktop final : public Sink {
 public:
  Desktop(std::vector<std::string> command, Duration within)
      : command_(std::move(command)), within_(within) {}

  Telling tell(const Notice& notice, const std::string&, const std::string& body) override {
    ProcessOrder order;
    order.argv = arguments_for(command_, notice);
    order.input = body + "\n";
    order.deadline = within_;
    order.output_limit = 4096;
    const RawReply reply = run_process(order);
    if (reply.transport == Transport::answered && reply.code == 0) return {Heard::yes, {}};
    std::string words = reply.transport == Transport::answered
                            ? "it exited with " + std::to_string(reply.code)
                        : reply.transport == Transport::no_answer ? "it did not end in time"
                                                                  : "it could not be run";
    if (reply.transport != Transport::no_answer && !reply.error.empty())
      words += ": " + safe(reply.error, 200);
    return {Heard::perhaps, words};
  }

 private:
  std::vector<std::string> command_;
  Duration within_;
};

}  // namespace

std::vector<std::string> arguments_for(const std::vector<std::string>& command, const Notice& notice) {
  std::vector<std::string> argv;
  for (const std::string& argument : command)
    // The program itself is never a text of others.
    argv.push_back(argv.empty() ? argument : filled_in(argument, notice));
  return argv;
}

std::unique_ptr<Sink> make_desktop(std::vector<std::string> command, Duration within) {
  return std::make_unique<Desktop>(std::move(command), within);
}

}  // namespace holdfast
