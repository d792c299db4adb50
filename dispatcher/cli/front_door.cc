#include "dispatcher/cli/front_door.h"

#include <unistd.h>

#include "dispatcher/board/desk.h"
#include "dispatcher/cli/board_part.h"
#include "dispatcher/cli/git_part.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/press_key.h"
#include "dispatcher/ledger/change_counter.h"
#include "dispatcher/server/api.h"
#include "dispatcher/server/listener.h"
#include "dispatcher/server/screens.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/file_records.h"

namespace holdfast::cli {

struct FrontDoor::Parts {
  Config config;
  std::unique_ptr<SqliteLedger> ledger;
  std::unique_ptr<Desk> desk;
  std::unique_ptr<FileRecords> records;
  std::unique_ptr<AnswerBook> book;
  std::unique_ptr<ChangeCounter> changes;
  std::unique_ptr<Board> board;  // elsewhere, for what a person asks of it
  std::unique_ptr<server::AnswerCache> cache;
  std::unique_ptr<Worktrees> worktrees;  // for a landing that a person asks for
  std::unique_ptr<server::ApiParts> api;
  std::function<std::string()> metrics;
  std::unique_ptr<server::Listener> listener;  // first to go
  std::string address;
};

FrontDoor::FrontDoor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
FrontDoor::~FrontDoor() {
  parts_->listener.reset();
  ::unlink((parts_->config.state + "/http-address").c_str());
}
const std::string& FrontDoor::address() const {
  return parts_->address;
}

namespace {

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

// "host:port" in its parts; the port alone is of 127.0.0.1.
void take_listen(const std::string& listen, server::ListenerOptions& options) {
  options.address.clear();
  if (listen.empty()) return;
  const auto colon = listen.rfind(':');
  std::string host = colon == std::string::npos ? "" : listen.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost" || host.empty()) host = "127.0.0.1";
  options.address = host;
  options.port =
      static_cast<std::uint16_t>(std::stoi(colon == std::string::npos ? listen : listen.substr(colon + 1)));
}

// Outside of /api/v1, where programs that scrape look for it.
server::HttpAnswer metrics_answer(const server::HttpRequest& request, const std::string& text) {
  if (request.method != "GET" && request.method != "HEAD")
    return server::problem(405, "method_not_allowed", "/metrics can be read");
  return {.status = 200, .type = "text/plain; version=0.0.4; charset=utf-8", .body = text};
}

Refusal refused_for(const Trouble& trouble) {
  return {500, "failed", trouble.words};
}

// Each look and each key opens the parts afresh, as the command line does: nothing of the dispatcher's is
// shared, and nothing is held open for somebody who may never ask.
void connect_to_the_world(FrontDoor::Parts& p) {
  p.worktrees = make_worktrees(p.config, true);
  p.api->worktrees = p.worktrees.get();
  p.api->look = [&p](bool worktrees) -> Taken<std::unique_ptr<LookAround>> {
    auto look = look_around(p.config, worktrees);
    if (!look) return std::unexpected(refused_for(look.error()));
    return std::move(*look);
  };
  p.api->find_what_is_broken = [](LookAround& look) {
    auto* own = dynamic_cast<OwnLook*>(&look);
    return own == nullptr ? std::vector<Finding>{} : find_what_is_broken(*own);
  };
  p.api->press = [&p](const Attempt& attempt, const std::string& key) -> Taken<Nothing> {
    const auto parts = open_installation(p.config, LedgerMode::read_only);
    if (!parts) return std::unexpected(refused_for(parts.error()));
    return press_key((*parts)->world(), attempt, key, p.config.policy.call_deadline);
  };
}

}  // namespace

Or<std::unique_ptr<FrontDoor>> open_front_door(const Config& config, std::function<std::string()> metrics,
                                               TicketsElsewhere tickets_elsewhere) {
  if (config.listen.empty() && config.unix_socket.empty()) return nullptr;
  auto parts = std::make_unique<FrontDoor::Parts>();
  parts->config = config;
  parts->metrics = std::move(metrics);
  const Places places = places_of(config);
  auto ledger = open_ledger(places.ledger, LedgerMode::command_line);
  if (!ledger) return bad(ledger.error());
  auto desk = open_desk(places.ledger, LedgerMode::command_line);
  if (!desk) return bad(desk.error());
  parts->ledger = std::move(*ledger);
  parts->desk = std::move(*desk);
  parts->records = std::make_unique<FileRecords>(places.records);
  auto book = open_answer_book(places.ledger);
  if (!book) return bad(book.error());
  parts->book = std::move(*book);
  auto changes = open_change_counter(places.ledger);
  if (!changes) return bad(changes.error());
  parts->changes = std::move(*changes);
  parts->cache = std::make_unique<server::AnswerCache>([c = parts->changes.get()] { return c->now(); });

  server::ListenerOptions options;
  take_listen(config.listen, options);
  options.unix_socket = config.unix_socket;
  std::string token_file = config.token_file;
  if (token_file.empty() && !options.address.empty() && !is_loopback(options.address))
    token_file = config.state + "/http-token";
  if (!token_file.empty()) {
    auto token = server::read_or_make_token(token_file);
    if (!token) return bad(token.error());
    options.token = std::move(*token);
  }
  FrontDoor::Parts& p = *parts;
  parts->api = std::make_unique<server::ApiParts>(
      server::ApiParts{*p.ledger, *p.desk, *p.records, *p.book, p.config.policy, HOLDFAST_VERSION, wall_clock,
                       [&p] { wake_dispatcher(p.config); }, random_token});
  p.api->cache = p.cache.get();
  if (tickets_elsewhere && !config.board.url.empty()) {
    auto board = make_board(config, LedgerMode::command_line);
    if (!board) return std::unexpected(board.error());
    p.board = std::move(*board);
    p.api->board_elsewhere = p.board.get();
    p.api->tickets_elsewhere = std::move(tickets_elsewhere);
  }
  connect_to_the_world(p);
  server::EventSource source;
  source.newest = [&p] { return p.ledger->load().value.seq; };
  source.after = [&p](std::int64_t after, int at_most) {
    return p.ledger->events_after(after, std::nullopt, at_most).value;
  };
  source.screens = [&p](server::DrawnScreens& drawn) { server::draw_screens(*p.api, drawn); };
  auto listener = server::Listener::open(
      options,
      [&p](const server::HttpRequest& request) {
        if (p.metrics && request.path == std::vector<std::string>{"metrics"})
          return metrics_answer(request, p.metrics());
        return answer_request(*p.api, request);
      },
      source, [&p](const server::HttpRequest& request) { return server::answer_at_once(*p.api, request); });
  if (!listener) return bad("server: " + listener.error());
  parts->listener = std::move(*listener);
  parts->address = options.address.empty()
                       ? "unix:" + options.unix_socket
                       : "http://" +
                             (options.address.find(':') == std::string::npos ? options.address
                                                                             : "[" + options.address + "]") +
                             ":" + std::to_string(parts->listener->port());
  replace_file(config.state, "http-address", parts->address + "\n", Durable::no);
  return std::make_unique<FrontDoor>(std::move(parts));
}

}  // namespace holdfast::cli
