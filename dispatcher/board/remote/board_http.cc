#include "dispatcher/board/remote/board_http.h"

#include "dispatcher/core/markers.h"

namespace holdfast::board_json {

std::optional<Json> body_of(const HttpReply& reply) {
  if (reply.transport != Transport::answered) return std::nullopt;
  const std::string type = reply.header("content-type");
  if (!type.empty() && type.find("json") == std::string::npos) return std::nullopt;
  Json j = Json::parse(reply.body, nullptr, false);
  if (j.is_discarded()) return std::nullopt;
  return j;
}

RawReply raw_of(const HttpReply& reply) {
  RawReply raw{reply.transport, reply.status, {}, reply.words};
  if (reply.transport != Transport::answered) return raw;
  if (reply.status >= 200 && reply.status < 300) return raw;
  const auto body = body_of(reply);
  std::string words;
  if (body && body->is_object()) {
    words = text_at(*body, "/detail");
    if (words.empty()) words = text_at(*body, "/message");
    const std::string code = text_at(*body, "/code");
    if (code == "idempotency_in_doubt")
      return {Transport::no_answer, reply.status, {}, printable(words, 400)};
  }
  // Some say "too many" with the number for "you may not".
  if (reply.status == 403 &&
      (reply.header("x-ratelimit-remaining") == "0" || !reply.header("retry-after").empty()))
    raw.code = 429;
  if (words.empty()) words = printable(std::string_view(reply.body).substr(0, 200), 200);
  raw.error = std::to_string(reply.status) + (words.empty() ? "" : ": " + printable(words, 400));
  return raw;
}

RawReply garbled(const HttpReply& reply, const std::string& words) {
  return {Transport::answered, 0, printable(std::string_view(reply.body).substr(0, 200), 200),
          "an answer that is none of this board's (" + std::to_string(reply.status) + "): " + words};
}

HttpCall call_for(const BoardShape& shape, std::string method, std::string target) {
  HttpCall call;
  call.repeatable = method == "GET";
  call.method = std::move(method);
  call.target = std::move(target);
  for (const auto& [name, value] : shape.headers) call.headers.emplace_back(name, value);
  return call;
}

}  // namespace holdfast::board_json
