#include "dispatcher/board/remote/remote_board.h"

#include <algorithm>

#include "dispatcher/board/remote/board_http.h"
#include "dispatcher/board/remote/board_line.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

using board_json::Json;

class RemoteBoard final : public Board {
 public:
  explicit RemoteBoard(RemoteBoardParts parts)
      : shape_(std::move(parts.shape)),
        client_(std::move(parts.client)),
        line_(std::move(parts.random_name)) {}

  Reply<BoardChanges> changes_after(std::int64_t cursor, int at_most) override {
    std::string target = board_json::filled(shape_.paths.changes, "since", std::to_string(cursor));
    target = board_json::filled(target, "limit", std::to_string(std::clamp(at_most, 1, 1000)));
    const HttpReply reply = client_->call(board_json::call_for(shape_, "GET", target));
    Reply<BoardChanges> answer{board_json::raw_of(reply), {}};
    if (!board_json::is_good(answer.raw)) return answer;
    const auto body = board_json::body_of(reply);
    const Json* list = !body                           ? nullptr
                       : shape_.fields.tickets.empty() ? &*body
                                                       : board_json::at(*body, shape_.fields.tickets);
    const Json* now = body ? board_json::at(*body, shape_.fields.cursor) : nullptr;
    if (list == nullptr || !list->is_array() || now == nullptr || !now->is_number_integer())
      return {board_json::garbled(reply, "no list of tickets with a cursor"), {}};
    answer.value.cursor = now->get<std::int64_t>();
    if (const Json* complete = board_json::at(*body, shape_.fields.complete))
      answer.value.complete = complete->is_boolean() && complete->get<bool>();
    for (const Json& one : *list) {
      if (board_json::at(one, shape_.fields.skip) != nullptr) continue;
      auto ticket = board_json::ticket_from(one, shape_);
      // One that nobody understands is not the others' fault, and is passed over until it changes.
      if (ticket) answer.value.tickets.push_back(std::move(*ticket));
    }
    return answer;
  }

  Reply<BoardTicket> read(const TicketId& id) override {
    const std::string target = board_json::filled(shape_.paths.ticket, "id", id.value);
    return ticket_answer(client_->call(board_json::call_for(shape_, "GET", target)), id);
  }

  Reply<BoardTicket> move(const BoardMove& move, Instant) override {
    if (move.to == BoardState::todo)
      return {{Transport::answered, 422, {}, "no move leads to todo without a death certificate"}, {}};
    Json body;
    put(body, shape_.sends.version, move.expected_version);
    put(body, shape_.sends.key, move.key);
    put(body, shape_.sends.reason, move.reason);
    return transition(move.ticket, move.to, std::move(body));
  }

  Reply<BoardTicket> return_to_todo(const DeathCertificate& certificate, std::int64_t expected_version,
                                    const std::string& reason, Instant) override {
    Json body;
    put(body, shape_.sends.version, expected_version);
    put(body, shape_.sends.key, attempt_key(certificate.attempt()));
    put(body, shape_.sends.reason, reason);
    put(body, shape_.sends.cause, words_for(certificate.cause()));
    put(body, shape_.sends.evidence, certificate.evidence());
    return transition(certificate.attempt().ticket, BoardState::todo, std::move(body));
  }

  Reply<Nothing> comment(const TicketId& id, const std::string& key, const std::string& text,
                         Instant) override {
    Json body;
    put(body, shape_.sends.text, text);
    put(body, shape_.sends.key, key);
    const HttpReply reply = write(id, board_json::filled(shape_.paths.comment, "id", id.value), body);
    return {board_json::raw_of(reply), {}};
  }

 private:
  static void put(Json& into, const std::string& pointer, Json value) {
    board_json::put(into, pointer, std::move(value));
  }

  Reply<BoardTicket> transition(const TicketId& id, BoardState to, Json body) {
    const auto name = shape_.states.find(to);
    if (name == shape_.states.end() || name->second.empty())
      return {{Transport::answered, 422, {}, std::string("this board has no state for ") + words_for(to)},
              {}};
    put(body, shape_.sends.to, name->second);
    return ticket_answer(write(id, board_json::filled(shape_.paths.move, "id", id.value), body), id);
  }

  HttpReply write(const TicketId& id, std::string target, const Json& body) {
    HttpCall call = board_json::call_for(shape_, "POST", std::move(target));
    call.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    auto turn = line_.wait(id, call.target + "\n" + call.body);
    call.headers.emplace_back("Idempotency-Key", turn.key());
    call.repeatable = true;  // by its key, and by the version that it names
    HttpReply reply = client_->call(call);
    // Also where it doubts itself whether it was done: it would say so of this name for ever. What is asked
    // next goes by what is read then, and by its version.
    if (reply.transport == Transport::answered && reply.status >= 200 && reply.status < 500) turn.answered();
    return reply;
  }

  // A good answer shows the ticket; one that is refused may.
  Reply<BoardTicket> ticket_answer(const HttpReply& reply, const TicketId& id) {
    Reply<BoardTicket> answer{board_json::raw_of(reply), {}};
    if (answer.raw.transport != Transport::answered) return answer;
    const bool good = board_json::is_good(answer.raw);
    const auto body = board_json::body_of(reply);
    const Json* shown = !body  ? nullptr
                        : good ? &*body
                               : board_json::at(*body, shape_.fields.ticket_in_conflict);
    auto ticket = shown == nullptr ? std::unexpected(std::string("no ticket"))
                                   : board_json::ticket_from(*shown, shape_);
    if (ticket && ticket->id == id)
      answer.value = std::move(*ticket);
    else if (good)
      answer.raw =
          board_json::garbled(reply, ticket ? "another ticket than the one asked for" : ticket.error());
    return answer;
  }

  BoardShape shape_;
  std::unique_ptr<HttpClient> client_;
  BoardLine line_;
};

}  // namespace

std::unique_ptr<Board> make_remote_board(RemoteBoardParts parts) {
  return std::make_unique<RemoteBoard>(std::move(parts));
}

}  // namespace holdfast
