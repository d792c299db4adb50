// The HTTP interface without its sockets: a request becomes an answer. One table of routes; the OpenAPI
// document is made from it.
//
// What is asked for under /api/v1 and what the answers hold stays compatible; fields are added, never
// changed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "dispatcher/board/desk.h"
#include "dispatcher/core/policy.h"
#include "dispatcher/ledger/answer_book.h"
#include "dispatcher/look/doctor.h"
#include "dispatcher/look/look.h"
#include "dispatcher/look/statistics.h"
#include "dispatcher/ports/attempts.h"
#include "dispatcher/ports/board.h"
#include "dispatcher/ports/ledger.h"
#include "dispatcher/ports/worktrees.h"
#include "dispatcher/server/answer_cache.h"
#include "dispatcher/server/http.h"

namespace holdfast::server {

// What is kept from one request to the next; all of it can be found again.
struct ApiMemory {
  std::mutex looking;  // one look at a time: it may be slow, and everybody else is answered meanwhile
  std::mutex landing;  // and one landing
  std::mutex counting;
  Statistics statistics;
  std::mutex keeping;
  std::map<std::string, HttpAnswer> looks;  // the newest of each kind, for whoever asks during another look
};

// All of them are safe to call from several threads.
struct ApiParts {
  Ledger& ledger;
  Desk& desk;
  Records& records;
  AnswerBook& book;
  const Policy& policy;
  std::string version;  // of the program
  std::function<Instant()> now;
  std::function<void()> wake;                // tells the dispatcher that something was written
  std::function<std::string()> random_name;  // unguessable

  // What reaches beyond the ledger's file. Where one is empty, its routes answer 503 `not_here`.
  std::function<Taken<std::unique_ptr<LookAround>>(bool worktrees)> look = {};
  std::function<std::vector<Finding>(LookAround&)> find_what_is_broken = {};
  std::function<Taken<Nothing>(const Attempt&, const std::string& key)> press = {};  // "C-c", "Escape"
  Worktrees* worktrees = nullptr;
  // Where the board is elsewhere: its tickets, as they were last read, and the board itself. Empty: tickets
  // are the desk's.
  std::function<std::shared_ptr<const std::vector<BoardTicket>>()> tickets_elsewhere = {};
  Board* board_elsewhere = nullptr;
  AnswerCache* cache = nullptr;  // of what is made of the ledger's file alone

  std::shared_ptr<ApiMemory> memory = std::make_shared<ApiMemory>();
};

struct Route {
  std::string_view method;
  std::string_view path;  // below /api/v1: "tickets/{id}/move"
  std::string_view summary;
  HttpAnswer (*handle)(const ApiParts&, const HttpRequest&);
  std::string_view body = {};               // an example of what is sent; empty: nothing is
  std::vector<std::string_view> asks = {};  // names in the query
  std::vector<std::pair<int, std::string_view>> refusals = {};  // status and stable code
  bool of_the_ledger = false;  // its answer depends on the request and the ledger's file, and nothing else
};
std::span<const Route> routes();
// Those of each family, in a file of its own.
std::vector<Route> ticket_routes();
std::vector<Route> look_routes();
std::vector<Route> board_routes();

// What is told without end, by server-sent events: the listener's affair, described with the rest.
struct Stream {
  std::string_view path;
  std::string_view summary;
  std::vector<std::string_view> asks = {};
};
std::span<const Stream> streams();

// Never throws. Checks nothing about who asks: that is the listener's (gate.h).
HttpAnswer answer_request(const ApiParts&, const HttpRequest&);
// What can be said without waiting for anybody: what is kept, and that all is well. nullptr: nothing can.
std::shared_ptr<const HttpAnswer> answer_at_once(const ApiParts&, const HttpRequest&);

Json openapi(const std::string& version);
HttpAnswer health_answer(const ApiParts&, bool ledger_can_be_read);

}  // namespace holdfast::server
