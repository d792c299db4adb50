#include "dispatcher/board/ticket_lines.h"

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "dispatcher/board/dependency_cycle.h"
#include "dispatcher/board/ticket_checks.h"
#include "dispatcher/core/markers.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t errors_max = 100;

// nlohmann's parser keeps the last of two equal keys without a word; this one remembers the first repeated
// one.
class KeyWatch {
 public:
  bool operator()(int, json::parse_event_t event, json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start: open_.emplace_back(); break;
      case json::parse_event_t::object_end: open_.pop_back(); break;
      case json::parse_event_t::key:
        if (const auto key = parsed.get<std::string>(); !open_.back().insert(key).second && repeated_.empty())
          repeated_ = key;
        break;
      case json::parse_event_t::array_start:
      case json::parse_event_t::array_end:
      case json::parse_event_t::value: break;
    }
    return true;
  }
  [[nodiscard]] const std::string& repeated() const { return repeated_; }

 private:
  std::vector<std::set<std::string>> open_;
  std::string repeated_;
};

// Takes fields out of one object; what is left over at the end is unknown.
class Reader {
 public:
  Reader(const json& object, std::string path, int line, std::vector<LineError>& errors)
      : object_(object), path_(std::move(path)), line_(line), errors_(errors) {}

  const json* field(const char* key, bool required) {
    known_.insert(key);
    const auto found = object_.find(key);
    if (found != object_.end()) return &*found;
    if (required) error(key, "is missing");
    return nullptr;
  }

  void text(const char* key, std::string& out, bool required = false) {
    const json* value = field(key, required);
    if (value == nullptr) return;
    if (value->is_string())
      out = value->get<std::string>();
    else
      error(key, std::string("must be a string, is ") + article(*value));
  }

  template <class Integer>
  void integer(const char* key, Integer& out, std::int64_t least, std::int64_t most) {
    const json* value = field(key, false);
    if (value == nullptr) return;
    const bool fits =
        value->is_number_integer() &&
        !(value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(most)) &&
        value->get<std::int64_t>() >= least && value->get<std::int64_t>() <= most;
    if (fits)
      out = static_cast<Integer>(value->get<std::int64_t>());
    else
      error(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                     ", is " + article(*value));
  }

  template <class Take>
  void list(const char* key, Take take) {
    const json* value = field(key, false);
    if (value == nullptr) return;
    if (!value->is_array()) return error(key, std::string("must be a list, is ") + article(*value));
    for (std::size_t n = 0; n < value->size(); ++n)
      take((*value)[n], std::string(key) + "/" + std::to_string(n));
  }

  void nothing_else() {
    for (const auto& [key, value] : object_.items())
      if (!known_.contains(key)) error(key, "is no field of this object");
  }

  void error(const std::string& key, std::string expected) {
    errors_.push_back({line_, path_ + "/" + key, std::move(expected)});
  }

  static std::string article(const json& value) { return std::string("a ") + value.type_name(); }

 private:
  const json& object_;
  std::string path_;
  int line_;
  std::vector<LineError>& errors_;
  std::set<std::string> known_;
};

constexpr std::int64_t latest = std::numeric_limits<std::int64_t>::max() / 4;

void read_comment(const json& value, const std::string& path, TicketLine& into,
                  std::vector<LineError>& errors) {
  if (!value.is_object()) {
    errors.push_back({into.line, path, "must be an object, is " + Reader::article(value)});
    return;
  }
  sqlite::Comment comment;
  comment.at = into.ticket.changed_at;
  Reader r(value, path, into.line, errors);
  r.text("key", comment.key, true);
  r.integer("at", comment.at.ms, 0, latest);
  r.text("author", comment.author);
  r.text("text", comment.text, true);
  r.nothing_else();
  if (auto wrong = what_is_wrong_with_text(comment.text)) r.error("text", *wrong);
  if (auto wrong = what_is_wrong_with_person(comment.author)) r.error("author", *wrong);
  if (auto wrong = what_is_wrong_with_title(comment.key)) r.error("key", *wrong);
  for (const auto& other : into.comments)
    if (other.key == comment.key) r.error("key", "is there twice");
  into.comments.push_back(std::move(comment));
}

TicketLine read_ticket(const json& object, int line, Instant now, std::vector<LineError>& errors) {
  TicketLine out;
  out.line = line;
  BoardTicket& t = out.ticket;
  t.version = 1;
  t.created_at = t.changed_at = now;
  Reader r(object, "", line, errors);
  const auto strings = [&](const char* key, auto& into) {
    r.list(key, [&](const json& value, const std::string& place) {
      if (value.is_string())
        into.emplace_back(value.get<std::string>());
      else
        r.error(place, "must be a string, is " + Reader::article(value));
    });
  };
  r.text("id", t.id.value, true);
  r.text("title", t.title, true);
  r.text("body", t.body);
  std::string state = words_for(BoardState::todo);
  r.text("state", state);
  if (const auto known = board_state_from(state))
    t.state = *known;
  else
    r.error("state", "must be backlog, todo, in_progress, in_review, blocked, done or cancelled");
  r.integer("priority", t.priority, std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
  r.text("profile", t.profile);
  strings("labels", t.labels);
  std::vector<std::string> dependencies;
  strings("depends_on", dependencies);
  for (auto& id : dependencies) t.depends_on.push_back({std::move(id)});
  r.integer("created_at", t.created_at.ms, 0, latest);
  r.integer("changed_at", t.changed_at.ms, 0, latest);
  r.text("reason", t.reason);
  r.list("comments",
         [&](const json& value, const std::string& place) { read_comment(value, "/" + place, out, errors); });
  r.nothing_else();
  return out;
}

void read_line(std::string_view text, int line, Instant now, TicketLines& out) {
  KeyWatch keys;
  json object;
  try {
    object = json::parse(text, [&keys](int depth, json::parse_event_t event, json& parsed) {
      return keys(depth, event, parsed);
    });
  } catch (const json::exception& bad) {  // nlohmann has no other way to say where
    std::string words = bad.what();
    if (const auto at = words.find("] "); at != std::string::npos) words.erase(0, at + 2);
    // Its own line is always 1; the one that counts is told already.
    if (const auto at = words.find("line 1, "); at != std::string::npos) words.erase(at, 8);
    for (char& c : words)
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    out.errors.push_back({line, "", "must be one JSON object: " + words});
    return;
  }
  if (!object.is_object()) {
    out.errors.push_back({line, "", "must be one JSON object, is " + Reader::article(object)});
    return;
  }
  if (!keys.repeated().empty()) {
    out.errors.push_back({line, "/" + keys.repeated(), "is there twice"});
    return;
  }
  const std::size_t before = out.errors.size();
  TicketLine read = read_ticket(object, line, now, out.errors);
  if (out.errors.size() == before)
    if (const auto wrong = what_is_wrong_with(read.ticket))
      out.errors.push_back({line, wrong->path, wrong->words});
  out.lines.push_back(std::move(read));
}

void check_together(TicketLines& out) {
  std::map<TicketId, int> first;
  Dependencies graph;
  for (const TicketLine& read : out.lines) {
    const auto [at, is_new] = first.emplace(read.ticket.id, read.line);
    if (!is_new)
      out.errors.push_back({read.line, "/id", "is on line " + std::to_string(at->second) + " already"});
    graph[read.ticket.id] = read.ticket.depends_on;
  }
  const auto ring = find_cycle(graph);
  if (ring.empty()) return;
  std::string words = "must not form a ring:";
  for (std::size_t n = 0; n < ring.size() && n < 20; ++n) words += (n == 0 ? " " : " -> ") + ring[n].value;
  out.errors.push_back({first[ring.front()], "/depends_on", words});
}

}  // namespace

std::string words_for(const LineError& error) {
  // A parser quotes what it met, and the whole goes to a terminal.
  return holdfast::printable("line " + std::to_string(error.line) + ": " +
                                 (error.path.empty() ? "" : error.path + ": ") + error.expected,
                             1000);
}

TicketLines parse_ticket_lines(std::string_view text, Instant now) {
  TicketLines out;
  int number = 0;
  while (!text.empty() && out.errors.size() < errors_max) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) read_line(line, number, now, out);
  }
  if (out.errors.empty()) check_together(out);
  if (out.errors.size() > errors_max) out.errors.resize(errors_max);
  return out;
}

namespace {
// A dispatcher's reason or comment may quote a worker's output; what no import would take is replaced.
std::string printable(std::string text) {
  for (std::size_t at = 0; (at = text.find('\0', at)) != std::string::npos;)
    text.replace(at, 1, "\xEF\xBF\xBD");
  return text;
}
}  // namespace

std::string ticket_line(const BoardTicket& t, const std::vector<sqlite::Comment>& comments) {
  ordered_json object;
  object["id"] = t.id.value;
  object["title"] = t.title;
  object["body"] = t.body;
  object["state"] = words_for(t.state);
  object["priority"] = t.priority;
  object["profile"] = t.profile;
  object["labels"] = t.labels;
  object["depends_on"] = ordered_json::array();
  for (const TicketId& id : t.depends_on) object["depends_on"].push_back(id.value);
  object["created_at"] = t.created_at.ms;
  object["changed_at"] = t.changed_at.ms;
  object["reason"] = printable(t.reason);
  object["comments"] = ordered_json::array();
  for (const auto& comment : comments)
    object["comments"].push_back(ordered_json{{"key", comment.key},
                                              {"at", comment.at.ms},
                                              {"author", comment.author},
                                              {"text", printable(comment.text)}});
  // A dispatcher's comment may quote a worker's output: bytes that are not UTF-8 are replaced, once and for
  // all.
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace holdfast
