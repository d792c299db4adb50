// The HTTP interface without its sockets: a request becomes an answer. One table of routes; the OpenAPI
// document is made from it.
//
// What is asked for under /api/v1 and what the answers hold stays compatible; fields are added, never
// changed.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "dispatcher/board/desk.h"
#include "dispatcher/core/policy.h"
#include "dispatcher/ledger/answer_book.h"
#include "dispatcher/ports/attempts.h"
#include "dispatcher/ports/ledger.h"
#include "dispatcher/server/http.h"

namespace holdfast::server {

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
};

struct Route {
  std::string_view method;
  std::string_view path;  // below /api/v1: "tickets/{id}/move"
  std::string_view summary;
  HttpAnswer (*handle)(const ApiParts&, const HttpRequest&);
  std::string_view body = {};               // an example of what is sent; empty: nothing is
  std::vector<std::string_view> asks = {};  // names in the query
  std::vector<std::pair<int, std::string_view>> refusals = {};  // status and stable code
};
std::span<const Route> routes();

// Never throws. Checks nothing about who asks: that is the listener's (gate.h).
HttpAnswer answer_request(const ApiParts&, const HttpRequest&);

Json openapi(const std::string& version);

}  // namespace holdfast::server
