#include "dispatcher/board/remote/label_board.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "dispatcher/board/remote/board_http.h"
#include "dispatcher/board/remote/board_line.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

using board_json::Json;

constexpr int pages_max = 1000;
constexpr int page_size = 100;  // as in the shape's path

// What tells two views of one issue apart.
std::string print_of(const BoardTicket& t) {
  std::string print = std::to_string(static_cast<int>(t.state)) + "\n" + std::to_string(t.changed_at.ms) +
                      "\n" + t.title + "\n" + t.body;
  for (const std::string& label : t.labels) print += "\n" + label;
  return print;
}

std::string remark_of(const std::string& key) {
  return "<!-- holdfast:" + key + " -->";
}

class LabelBoard final : public Board {
 public:
  explicit LabelBoard(RemoteBoardParts parts)
      : shape_(std::move(parts.shape)),
        client_(std::move(parts.client)),
        line_(std::move(parts.random_name)) {}

  // `cursor` is the time of the newest change that was listed. The list is asked for from that time on, so
  // that what changed in the same second is not missed; what was listed so already is passed over.
  Reply<BoardChanges> changes_after(std::int64_t cursor, int at_most) override {
    const std::lock_guard one_at_a_time(listing_);
    if (cursor == 0) {
      listed_.clear();
      tag_.clear();
    }
    Reply<BoardChanges> answer;
    answer.value.cursor = cursor;
    std::vector<std::pair<TicketId, std::string>> shown;
    for (int page = 1; page <= pages_max; ++page) {
      std::string target = board_json::filled(shape_.paths.changes, "since",
                                              board_json::iso_8601({std::max<std::int64_t>(cursor, 0)}));
      target = board_json::filled(target, "page", std::to_string(page));
      HttpCall call = board_json::call_for(shape_, "GET", target);
      if (page == 1 && !tag_.empty() && tag_of_ == target) call.headers.emplace_back("If-None-Match", tag_);
      const HttpReply reply = client_->call(call);
      if (reply.transport == Transport::answered && reply.status == 304 && page == 1) {
        answer.raw = {Transport::answered, 200, {}, {}};
        return answer;
      }
      answer.raw = board_json::raw_of(reply);
      if (!board_json::is_good(answer.raw)) return {answer.raw, {}};
      const auto body = board_json::body_of(reply);
      if (!body || !body->is_array()) return {board_json::garbled(reply, "no list of issues"), {}};
      const std::string tag = page == 1 ? reply.header("etag") : std::string();
      Instant newest;
      for (const Json& one : *body) {
        if (const Json* at = board_json::at(one, shape_.fields.changed_at))
          newest = std::max(newest, board_json::instant_from(*at).value_or(Instant{}));
        auto ticket = ticket_from(one);
        if (!ticket) continue;
        std::string print = print_of(*ticket);
        if (const auto before = listed_.find(ticket->id); before != listed_.end() && before->second == print)
          continue;
        shown.emplace_back(ticket->id, std::move(print));
        answer.value.tickets.push_back(std::move(*ticket));
      }
      const bool moved_on = newest.ms > cursor;
      answer.value.cursor = std::max(answer.value.cursor, newest.ms);
      const bool last = std::ssize(*body) < page_size;
      // A full page may be the last one too. Where all of it is of one second the next page is the only way
      // on.
      if (last || (moved_on && page * page_size >= at_most)) {
        answer.value.complete = last;
        // The tag is of this very question; one that moves on asks another the next time.
        tag_ = last && page == 1 && !moved_on ? tag : std::string();
        tag_of_ = target;
        break;
      }
    }
    for (auto& [id, print] : shown) listed_[id] = std::move(print);
    return answer;
  }

  Reply<BoardTicket> read(const TicketId& id) override {
    const HttpReply reply = client_->call(board_json::call_for(shape_, "GET", ticket_path(id)));
    return issue_answer(reply, id, nullptr);
  }

  Reply<BoardTicket> move(const BoardMove& move, Instant) override {
    if (move.to == BoardState::todo)
      return {{Transport::answered, 422, {}, "no move leads to todo without a death certificate"}, {}};
    return transition(move.ticket, move.expected_version, move.to, move.key);
  }

  Reply<BoardTicket> return_to_todo(const DeathCertificate& certificate, std::int64_t expected_version,
                                    const std::string&, Instant) override {
    return transition(certificate.attempt().ticket, expected_version, BoardState::todo,
                      attempt_key(certificate.attempt()));
  }

  Reply<Nothing> comment(const TicketId& id, const std::string& key, const std::string& text,
                         Instant) override {
    const auto turn = line_.wait(id, "comment " + key);
    const std::string remark = remark_of(key);
    for (int page = 1; page <= pages_max; ++page) {
      std::string target = board_json::filled(shape_.paths.comments, "id", id.value);
      target = board_json::filled(target, "page", std::to_string(page));
      const HttpReply reply = client_->call(board_json::call_for(shape_, "GET", target));
      const RawReply raw = board_json::raw_of(reply);
      // Nothing was written yet, so what is not known is only whether it is there.
      if (!board_json::is_good(raw)) return {not_begun(raw), {}};
      const auto body = board_json::body_of(reply);
      if (!body || !body->is_array())
        return {not_begun(board_json::garbled(reply, "no list of comments")), {}};
      for (const Json& one : *body)
        if (board_json::text_at(one, shape_.sends.text).find(remark) != std::string::npos)
          return {{Transport::answered, 200, {}, {}}, {}};
      if (std::ssize(*body) < page_size) break;
    }
    Json body;
    board_json::put(body, shape_.sends.text, text + "\n\n" + remark);
    HttpCall call =
        board_json::call_for(shape_, "POST", board_json::filled(shape_.paths.comment, "id", id.value));
    call.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    return {board_json::raw_of(client_->call(call)), {}};
  }

 private:
  // Of what was last seen of an issue.
  struct Seen {
    std::string print;
    std::int64_t version = 0;
    Instant changed_at;
    std::string moved_by;  // while it stays as our own move has left it
  };

  [[nodiscard]] std::string ticket_path(const TicketId& id) const {
    return board_json::filled(shape_.paths.ticket, "id", id.value);
  }

  // The reading that comes before a write: it has changed nothing, whatever became of it.
  static RawReply not_begun(RawReply raw) {
    const bool said_no = raw.transport == Transport::answered && raw.code >= 400 && raw.code < 500;
    if (!said_no) raw.transport = Transport::never_sent;
    return raw;
  }

  // nullopt: no ticket, or none that anybody understands. `key`: it is as our own move has just left it.
  std::optional<BoardTicket> ticket_from(const Json& issue, const std::string* key = nullptr) {
    if (board_json::at(issue, shape_.fields.skip) != nullptr) return std::nullopt;
    auto ticket = board_json::ticket_from(issue, shape_);
    if (!ticket) return std::nullopt;
    const std::string print = print_of(*ticket);
    const std::lock_guard lock(mutex_);
    Seen& seen = seen_[ticket->id];
    if (seen.print != print) {
      if (ticket->changed_at < seen.changed_at) {  // a replica that is behind
        ticket->version = ticket->changed_at.ms;
        return std::move(*ticket);
      }
      seen.version = std::max(seen.version + 1, ticket->changed_at.ms);
      seen.print = print;
      seen.changed_at = ticket->changed_at;
      seen.moved_by.clear();
    }
    if (key != nullptr) seen.moved_by = *key;
    ticket->version = seen.version;
    ticket->moved_by = seen.moved_by;
    return std::move(*ticket);
  }

  Reply<BoardTicket> issue_answer(const HttpReply& reply, const TicketId& id, const std::string* key) {
    Reply<BoardTicket> answer{board_json::raw_of(reply), {}};
    if (!board_json::is_good(answer.raw)) return answer;
    const auto body = board_json::body_of(reply);
    auto ticket = body ? ticket_from(*body, key) : std::nullopt;
    if (!ticket || ticket->id != id)
      answer.raw = board_json::garbled(reply, "no issue, or another than the one asked for");
    else
      answer.value = std::move(*ticket);
    return answer;
  }

  Reply<BoardTicket> transition(const TicketId& id, std::int64_t expected_version, BoardState to,
                                const std::string& key) {
    const auto turn = line_.wait(id, "move " + key + " to " + words_for(to));
    const HttpReply before = client_->call(board_json::call_for(shape_, "GET", ticket_path(id)));
    Reply<BoardTicket> now = issue_answer(before, id, nullptr);
    if (!board_json::is_good(now.raw)) {
      now.raw = not_begun(now.raw);
      return now;
    }
    if (now.value.version != expected_version) {
      now.raw = {Transport::answered, 409, {}, id.value + " was changed meanwhile"};
      return now;
    }
    if (now.value.state == BoardState::done || now.value.state == BoardState::cancelled) {
      const bool there = now.value.state == to;
      now.raw = {Transport::answered, there ? 200 : 422, {}, there ? "" : id.value + " is closed"};
      return now;
    }
    const bool closed = to == BoardState::done || to == BoardState::cancelled;
    const std::string& label = shape_.states.at(to);
    if (label.empty() && !closed && to != shape_.unlabelled)
      return {{Transport::answered, 422, {}, std::string("this board has no label for ") + words_for(to)},
              {}};
    Json body;
    body["labels"] = Json::array();
    for (const std::string& one : now.value.labels)
      if (!board_json::state_of_label(one, shape_)) body["labels"].push_back(one);
    if (!label.empty()) body["labels"].push_back(label);
    body["state"] = closed ? "closed" : "open";
    if (closed) body["state_reason"] = to == BoardState::done ? "completed" : "not_planned";
    HttpCall call =
        board_json::call_for(shape_, "PATCH", board_json::filled(shape_.paths.move, "id", id.value));
    call.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    return issue_answer(client_->call(call), id, &key);
  }

  BoardShape shape_;
  std::unique_ptr<HttpClient> client_;
  BoardLine line_;
  std::mutex mutex_;
  std::map<TicketId, Seen> seen_;
  std::mutex listing_;
  std::map<TicketId, std::string> listed_;
  std::string tag_, tag_of_;
};

}  // namespace

std::unique_ptr<Board> make_label_board(RemoteBoardParts parts) {
  return std::make_unique<LabelBoard>(std::move(parts));
}

}  // namespace holdfast
