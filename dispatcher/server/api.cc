#include "dispatcher/server/api.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace holdfast::server {
namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    parts.push_back(path.substr(0, path.find('/')));
    path.remove_prefix(std::min(parts.back().size() + 1, path.size()));
  }
  return parts;
}

bool fit_for_a_key(const std::string& key) {
  return !key.empty() && key.size() <= 80 && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// Tells a caller's own requests apart; nobody gains anything by finding two that are alike.
std::string digest_of(const HttpRequest& request) {
  std::uint64_t one = 0xcbf29ce484222325U, two = 0x9e3779b97f4a7c15U;
  const auto take = [&](std::string_view text) {
    for (const char c : text) {
      one = (one ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
      two = (two + static_cast<unsigned char>(c)) * 0xff51afd7ed558ccdU;
    }
    one = (one ^ 0xff) * 0x100000001b3U;
  };
  take(request.method);
  for (const std::string& segment : request.path) take(segment);
  for (const auto& [name, value] : request.query) {
    take(name);
    take(value);
  }
  take(request.body);
  return std::to_string(one) + "-" + std::to_string(two) + "-" + std::to_string(request.body.size());
}

KeptAnswer kept(const HttpAnswer& answer) {
  KeptAnswer kept{answer.status, answer.type, "", answer.body};
  for (const auto& [name, value] : answer.headers) kept.headers += name + ": " + value + "\n";
  return kept;
}
HttpAnswer replayed(const KeptAnswer& kept) {
  HttpAnswer answer{kept.status, kept.type, kept.body, {{"Idempotent-Replayed", "true"}}};
  for (std::string_view rest = kept.headers; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (const auto colon = line.find(": "); colon != std::string_view::npos)
      answer.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return answer;
}

HttpAnswer handle(const Route& route, const ApiParts& parts, const HttpRequest& request) {
  try {
    if (!route.of_the_ledger || parts.cache == nullptr || parts.tickets_elsewhere)
      return route.handle(parts, request);
    if (const auto kept = parts.cache->find(request)) return *kept;
    const auto before = parts.cache->before();
    HttpAnswer answer = route.handle(parts, request);
    parts.cache->keep(request, before, answer);
    return answer;
  } catch (const std::exception& e) {  // of a library; none of ours throws
    return problem(500, "failed", e.what());
  }
}

// The same key: the same answer, and nothing is done twice. What was refused had no effect, and may be tried
// again.
HttpAnswer once(const Route& route, const ApiParts& parts, const HttpRequest& request,
                const std::string& key) {
  if (!fit_for_a_key(key))
    return problem(422, "invalid_key", "Idempotency-Key: expected 1 to 80 letters, digits, - and _");
  const auto look = parts.book.begin(key, digest_of(request), parts.now());
  if (!look) return problem(503, "busy", look.error());
  if (const auto* before = std::get_if<KeptAnswer>(&*look)) return replayed(*before);
  if (std::holds_alternative<AnswerBook::OtherRequest>(*look))
    return problem(422, "idempotency_key_reused", "this Idempotency-Key was used for another request");
  if (std::holds_alternative<AnswerBook::Begun>(*look))
    return problem(
        409, "idempotency_in_doubt",
        "a request with this Idempotency-Key was begun, and its answer is not known (yet): look whether it "
        "was done");
  HttpAnswer answer = handle(route, parts, request);
  // Whoever is told to come again soon was not begun with.
  const bool not_begun =
      std::ranges::any_of(answer.headers, [](const auto& header) { return header.first == "Retry-After"; });
  if (answer.status < 400)
    parts.book.finish(key, kept(answer));
  else if (answer.status < 500 || not_begun)
    parts.book.forget(key);
  return answer;
}

bool fits(const std::vector<std::string>& path, std::string_view route) {
  const auto wanted = segments(route);
  if (path.size() != wanted.size() + 2 || path[0] != "api" || path[1] != "v1") return false;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!wanted[i].starts_with('{') && wanted[i] != path[i + 2]) return false;
  return true;
}

}  // namespace

HttpAnswer answer_request(const ApiParts& parts, const HttpRequest& request) {
  std::string allowed;
  for (const Route& route : routes()) {
    if (!fits(request.path, route.path)) continue;
    if (route.method != request.method && !(request.method == "HEAD" && route.method == "GET")) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    const auto key = request.header("idempotency-key");
    return key && request.method == "POST" ? once(route, parts, request, *key)
                                           : handle(route, parts, request);
  }
  if (allowed.empty())
    return problem(404, "no_such_path", "there is nothing at this path; see /api/v1/openapi.json");
  HttpAnswer answer = problem(405, "method_not_allowed", "this path takes " + allowed);
  answer.headers.emplace_back("Allow", allowed);
  return answer;
}

std::shared_ptr<const HttpAnswer> answer_at_once(const ApiParts& parts, const HttpRequest& request) {
  if (parts.cache == nullptr || request.method != "GET") return nullptr;
  // That somebody could be asked whether the file has changed is that it can be read.
  if (request.path.size() == 3 && request.path[2] == "health" && request.path[0] == "api" &&
      request.path[1] == "v1")
    return parts.cache->before() ? std::make_shared<const HttpAnswer>(health_answer(parts, true)) : nullptr;
  return parts.cache->find(request);
}

std::span<const Route> routes() {
  static const std::vector<Route> table = [] {
    std::vector<Route> all;
    for (auto* family : {ticket_routes, look_routes, board_routes})
      for (Route& route : family()) all.push_back(std::move(route));
    // Those that read rows and make JSON of them. Not: what also reads records, looks, or tells the time.
    static constexpr std::array<std::string_view, 6> kept{"tickets", "tickets/{id}", "runtimes",
                                                          "pool",    "events",       "board/changes"};
    for (Route& route : all)
      route.of_the_ledger = route.method == "GET" && std::ranges::find(kept, route.path) != kept.end();
    return all;
  }();
  return table;
}

std::span<const Stream> streams() {
  static const std::vector<Stream> table{
      {"events/stream",
       "What happens, as it happens; Last-Event-ID (or `after`) resumes after an event's number",
       {"after"}},
      {"screens/stream", "The last lines of every open runtime: all of them, then each when it has changed"},
  };
  return table;
}

Json openapi(const std::string& version) {
  Json paths = Json::object();
  for (const Route& route : routes()) {
    Json operation;
    operation["summary"] = route.summary;
    operation["parameters"] = Json::array();
    if (route.path.find("{id}") != std::string_view::npos)
      operation["parameters"].push_back(
          {{"name", "id"}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    for (const std::string_view name : route.asks)
      operation["parameters"].push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
    if (!route.body.empty())
      operation["requestBody"] = {
          {"content",
           {{"application/json", {{"schema", {{"type", "object"}}}, {"example", Json::parse(route.body)}}}}}};
    operation["responses"]["default"] = {{"description", "done"}};
    for (const auto& [status, code] : route.refusals) {
      Json& refusal = operation["responses"][std::to_string(status)];
      const std::string before = refusal.is_object() ? refusal["description"].get<std::string>() + ", " : "";
      refusal = {{"description", before + std::string(code)},
                 {"content",
                  {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/problem"}}}}}}}};
    }
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    paths["/api/v1/" + std::string(route.path)][method] = operation;
  }
  for (const Stream& stream : streams()) {
    Json operation;
    operation["summary"] = stream.summary;
    operation["parameters"] = Json::array();
    for (const std::string_view name : stream.asks)
      operation["parameters"].push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
    operation["responses"]["200"] = {
        {"description", "server-sent events, without end"},
        {"content", {{"text/event-stream", {{"schema", {{"type", "string"}}}}}}}};
    paths["/api/v1/" + std::string(stream.path)]["get"] = operation;
  }
  Json j;
  j["openapi"] = "3.1.0";
  j["info"] = {{"title", "holdfast"}, {"version", version}};
  j["paths"] = paths;
  j["components"]["schemas"]["problem"] = {{"type", "object"},
                                           {"required", {"status", "code", "detail"}},
                                           {"properties",
                                            {{"status", {{"type", "integer"}}},
                                             {"code", {{"type", "string"}}},
                                             {"detail", {{"type", "string"}}}}}};
  return j;
}

}  // namespace holdfast::server
