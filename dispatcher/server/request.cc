#include "dispatcher/server/request.h"

#include <algorithm>
#include <charconv>

#include "dispatcher/core/decide.h"
#include "dispatcher/core/words.h"

namespace holdfast::server {

Refused invalid(std::string words) {
  return Refused(Refusal{422, "invalid", std::move(words)});
}

bool answered(const RawReply& raw) {
  return raw.transport == Transport::answered && raw.code == 0;
}

std::string person_of(const HttpRequest& request) {
  const auto name = request.header("holdfast-by");
  return name && !name->empty() ? printable(*name, 80) : "http";
}

Hand hand_of(const ApiParts& parts, const HttpRequest& request) {
  return {parts.ledger, parts.desk, person_of(request), parts.now()};
}

const std::string& named(const HttpRequest& request) {
  return request.path.at(3);
}

Taken<Json> object_in(const HttpRequest& request) {
  if (request.body.empty()) return Json::object();
  Json j = Json::parse(request.body, nullptr, false);
  if (j.is_discarded()) return Refused(Refusal{400, "not_json", "the body is not JSON"});
  if (!j.is_object()) return Refused(Refusal{400, "not_json", "the body must be one JSON object"});
  return j;
}

std::string etag_of(const BoardTicket& ticket) {
  return "\"" + std::to_string(ticket.version) + "\"";
}

HttpAnswer ticket_answer(int status, const BoardTicket& ticket) {
  HttpAnswer answer = json_answer(status, row_of(ticket, true));
  answer.headers.emplace_back("ETag", etag_of(ticket));
  return answer;
}

Taken<std::optional<std::int64_t>> version_wanted(const HttpRequest& request) {
  const auto tag = request.header("if-match");
  if (!tag || *tag == "*") return std::optional<std::int64_t>{};
  std::int64_t version = 0;
  const char* end = tag->data() + tag->size();
  if (tag->size() >= 3 && tag->front() == '"' && tag->back() == '"') {
    const auto parsed = std::from_chars(tag->data() + 1, end - 1, version);
    if (parsed.ec == std::errc{} && parsed.ptr == end - 1) return std::optional(version);
  }
  return Refused(
      Refusal{412, "version_conflict", "If-Match holds no version of a ticket: expected \"<number>\""});
}

Taken<int> limit_asked(const HttpRequest& request, int usual, int most) {
  const auto word = request.asked("limit");
  if (!word) return usual;
  int n = 0;
  const auto parsed = std::from_chars(word->data(), word->data() + word->size(), n);
  if (parsed.ec != std::errc{} || parsed.ptr != word->data() + word->size() || n < 1 || n > most)
    return invalid("limit must be a whole number from 1 to " + std::to_string(most));
  return n;
}

Taken<std::int64_t> number_asked(const HttpRequest& request, const char* name) {
  const auto word = request.asked(name);
  if (!word) return 0;
  std::int64_t n = 0;
  const auto parsed = std::from_chars(word->data(), word->data() + word->size(), n);
  if (parsed.ec != std::errc{} || parsed.ptr != word->data() + word->size() || n < 0)
    return invalid(std::string(name) + " must be a whole number");
  return n;
}

std::optional<std::string> Fields::text(const char* name) {
  const Json* value = take(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  wrong(name, "a string");
  return std::nullopt;
}

std::optional<std::int64_t> Fields::number(const char* name, std::int64_t most) {
  const Json* value = take(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_integer()) {
    const auto n = value->get<std::int64_t>();
    if (n >= -most && n <= most) return n;
  }
  wrong(name, most == 1'000'000 ? "a whole number up to a million" : "a whole number");
  return std::nullopt;
}

std::optional<bool> Fields::truth(const char* name) {
  const Json* value = take(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  wrong(name, "true or false");
  return std::nullopt;
}

std::optional<std::vector<std::string>> Fields::texts(const char* name) {
  const Json* value = take(name);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> list;
  if (value->is_array())
    for (const Json& one : *value) {
      if (!one.is_string()) break;
      list.push_back(one.get<std::string>());
    }
  if (value->is_array() && list.size() == value->size()) return list;
  wrong(name, "a list of strings");
  return std::nullopt;
}

std::optional<BoardState> Fields::state(const char* name) {
  const auto word = text(name);
  if (!word) return std::nullopt;
  const auto state = board_state_from(*word);
  if (!state) wrong(name, "backlog, todo, in_progress, in_review, blocked, done or cancelled");
  return state;
}

std::optional<Refusal> Fields::mistake() const {
  if (!words_.empty()) return Refusal{422, "invalid", words_};
  for (const auto& [key, value] : object_.items())
    if (std::ranges::find(known_, key) == known_.end())
      return Refusal{422, "unknown_field", "/" + printable(key, 80) + " is not a field of this request"};
  return std::nullopt;
}

const Json* Fields::take(const char* name) {
  known_.emplace_back(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void Fields::wrong(const char* name, const std::string& expected) {
  if (words_.empty()) words_ = std::string("/") + name + " must be " + expected;
}

Taken<std::string> reason_in(const HttpRequest& request) {
  auto object = object_in(request);
  if (!object) return Refused(object.error());
  Fields fields(std::move(*object));
  const std::string reason = fields.text("reason").value_or("");
  if (const auto wrong = fields.mistake()) return Refused(*wrong);
  return reason;
}

Taken<std::string> text_in(const HttpRequest& request) {
  auto object = object_in(request);
  if (!object) return Refused(object.error());
  Fields fields(std::move(*object));
  const auto text = fields.text("text");
  if (const auto wrong = fields.mistake()) return Refused(*wrong);
  if (!text) return invalid("/text is needed");
  return *text;
}

Taken<bool> yes_asked(const HttpRequest& request, const char* name) {
  const auto word = request.asked(name);
  if (!word || *word == "no") return false;
  if (*word == "yes") return true;
  return invalid(std::string(name) + " must be yes or no");
}

}  // namespace holdfast::server
