// The readers of what people and foreign programs write: the configuration, tickets to be imported, what a
// board over HTTP answers.
#include <string>

#include "dispatcher/board/remote/board_http.h"
#include "dispatcher/board/ticket_lines.h"
#include "dispatcher/config/config.h"
#include "dispatcher/core/names.h"
#include "dispatcher/fuzz/targets.h"

namespace holdfast::fuzz {

void config(std::string_view bytes) {
  const auto read = parse_config(bytes, "/srv/fuzz/holdfast.json");
  if (!read) {
    must(shows_as_one_line(read.error().words), "a mistake in the configuration is one line");
    must(read.error().words.starts_with("/srv/fuzz/holdfast.json") ||
             read.error().words.starts_with("holdfast.json"),
         "it begins with the file");
    return;
  }
  must(read->repository.starts_with('/') && read->state.starts_with('/'), "the places are absolute");
  must(read->policy.capacity > 0, "something can run");
}

void ticket_lines(std::string_view bytes) {
  const Instant now{1'700'000'000'000};
  const TicketLines read = parse_ticket_lines(bytes, now);
  must(read.errors.size() <= 100, "no more than a hundred mistakes are told");
  for (const LineError& error : read.errors) {
    must(error.line > 0, "a mistake has its line");
    must(shows_as_one_line(words_for(error)), "a mistake in a line is one line");
  }
  if (!read.errors.empty()) return;
  std::string written;
  for (const TicketLine& line : read.lines) written += ticket_line(line.ticket, line.comments);
  const TicketLines again = parse_ticket_lines(written, now);
  must(again.errors.empty() && again.lines.size() == read.lines.size(), "what is written can be read again");
  std::string twice;
  for (const TicketLine& line : again.lines) twice += ticket_line(line.ticket, line.comments);
  must(twice == written, "byte for byte");
}

void foreign_board(std::string_view bytes) {
  HttpReply reply;
  reply.transport = Transport::answered;
  reply.status = 409;
  reply.headers["content-type"] = "application/json";
  reply.body = bytes;
  must(shows_as_one_line(board_json::raw_of(reply).error), "a refusal's words are one line");
  must(shows_as_one_line(board_json::garbled(reply, "odd").text), "and so is what nobody understands");
  const auto body = board_json::body_of(reply);
  if (!body) return;
  for (const auto& [name, shape] : known_board_shapes()) {
    board_json::state_of_issue(*body, shape);
    const board_json::Json list = body->is_array() ? *body : board_json::Json::array({*body});
    for (const board_json::Json& one : list) {
      const auto ticket = board_json::ticket_from(one, shape);
      if (!ticket) {
        must(shows_as_one_line(ticket.error()), "why it is no ticket is one line");
        continue;
      }
      must(!what_is_wrong_with_ticket_id(ticket->id.value), "a ticket's id can stand in a path");
      must(ticket->priority >= -1'000'000'000 && ticket->title.size() <= bytes.size() * 3,
           "nothing is made up");
    }
  }
}

}  // namespace holdfast::fuzz
