#include "dispatcher/board/remote/ticket_json.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "dispatcher/config/url.h"
#include "dispatcher/core/markers.h"
#include "dispatcher/core/names.h"

namespace holdfast::board_json {
namespace {

std::optional<int> digits(std::string_view text, std::size_t from, std::size_t count) {
  int n = 0;
  if (from + count > text.size()) return std::nullopt;
  const char* begin = text.data() + from;
  const auto parsed = std::from_chars(begin, begin + count, n);
  return parsed.ec == std::errc{} && parsed.ptr == begin + count && n >= 0 ? std::optional(n) : std::nullopt;
}

std::optional<Instant> from_iso(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') ||
      text[13] != ':' || text[16] != ':' || text.back() != 'Z')
    return std::nullopt;
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2),
             hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  int ms = 0;
  if (text[19] == '.')
    if (const auto three = digits(text, 20, std::min<std::size_t>(3, text.size() - 21))) {
      ms = *three;
      for (std::size_t n = text.size() - 21; n < 3; ++n) ms *= 10;
    }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = (static_cast<std::int64_t>(days) * 24 + *hour) * 60 + *minute;
  return Instant{(minutes * 60 + *second) * 1000 + ms};
}

// A ticket's id may be a number.
std::string plain(const Json& j) {
  if (j.is_string()) return j.get<std::string>();
  if (j.is_number_integer()) return j.dump();
  return {};
}

}  // namespace

const Json* at(const Json& j, const std::string& pointer) {
  if (pointer.empty()) return nullptr;
  try {
    const Json::json_pointer where(pointer);
    if (!j.contains(where)) return nullptr;
    const Json& found = j.at(where);
    return found.is_null() ? nullptr : &found;
  } catch (const Json::exception&) {  // an index into what is no list
    return nullptr;
  }
}

std::string text_at(const Json& j, const std::string& pointer) {
  const Json* found = at(j, pointer);
  return found == nullptr ? std::string() : plain(*found);
}

std::optional<Instant> instant_from(const Json& j) {
  if (j.is_number_integer()) return Instant{j.get<std::int64_t>()};
  if (j.is_string()) return from_iso(j.get_ref<const std::string&>());
  return std::nullopt;
}

std::string iso_8601(Instant at) {
  const std::chrono::sys_seconds time{std::chrono::seconds(at.ms / 1000)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  const auto two = [](auto n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) +
         "-" + two(static_cast<unsigned>(date.day())) + "T" + two(clock.hours().count()) + ":" +
         two(clock.minutes().count()) + ":" + two(clock.seconds().count()) + "Z";
}

std::vector<std::string> labels_of(const Json& j, const BoardShape& shape) {
  std::vector<std::string> labels;
  const Json* list = at(j, shape.fields.labels);
  if (list == nullptr || !list->is_array()) return labels;
  for (const Json& one : *list) {
    const Json* name =
        shape.fields.label_name.empty() || one.is_string() ? &one : at(one, shape.fields.label_name);
    if (name != nullptr && name->is_string()) labels.push_back(name->get<std::string>());
  }
  return labels;
}

std::optional<BoardState> state_of_label(std::string_view label, const BoardShape& shape) {
  for (const auto& [state, name] : shape.states)
    if (!name.empty() && name == label) return state;
  return std::nullopt;
}

// Two labels of states, which a person's hand may leave, mean the one that is less to be done: a ticket is
// not begun because of a label that was forgotten.
BoardState state_of_issue(const Json& j, const BoardShape& shape) {
  if (text_at(j, shape.fields.state) == "closed")
    return text_at(j, shape.fields.reason) == "not_planned" ? BoardState::cancelled : BoardState::done;
  std::optional<BoardState> state;
  const auto rank = [](BoardState s) {
    switch (s) {
      case BoardState::blocked: return 6;
      case BoardState::cancelled: return 5;
      case BoardState::done: return 4;
      case BoardState::in_review: return 3;
      case BoardState::in_progress: return 2;
      case BoardState::backlog: return 1;
      case BoardState::todo: return 0;
    }
    __builtin_unreachable();
  };
  for (const std::string& label : labels_of(j, shape))
    if (const auto named = state_of_label(label, shape); named && (!state || rank(*named) > rank(*state)))
      state = named;
  return state.value_or(shape.unlabelled);
}

std::expected<BoardTicket, std::string> ticket_from(const Json& j, const BoardShape& shape) {
  const BoardFields& f = shape.fields;
  if (!j.is_object()) return std::unexpected("a ticket is no object");
  BoardTicket t;
  t.id = {text_at(j, f.id)};
  if (const auto wrong = what_is_wrong_with_ticket_id(t.id.value))
    return std::unexpected("'" + printable(t.id.value, 80) + "' is no id of a ticket: " + *wrong);
  t.title = text_at(j, f.title);
  t.body = text_at(j, f.body);
  t.profile = text_at(j, f.profile);
  t.reason = text_at(j, f.reason);
  t.moved_by = text_at(j, f.moved_by);
  t.labels = labels_of(j, shape);
  if (const Json* priority = at(j, f.priority); priority != nullptr && priority->is_number_integer())
    t.priority =
        static_cast<int>(std::clamp<std::int64_t>(priority->get<std::int64_t>(), -1'000'000, 1'000'000));
  if (const Json* others = at(j, f.depends_on); others != nullptr && others->is_array())
    for (const Json& one : *others) t.depends_on.push_back({plain(one)});
  if (const Json* time = at(j, f.created_at)) t.created_at = instant_from(*time).value_or(Instant{});
  if (const Json* time = at(j, f.changed_at)) t.changed_at = instant_from(*time).value_or(Instant{});
  switch (shape.kind) {
    case BoardKind::labels: {
      t.state = state_of_issue(j, shape);
      t.reason.clear();
      for (const std::string& label : t.labels) {
        const auto value_of = [&](const std::string& prefix) -> std::optional<std::string> {
          if (prefix.empty() || !label.starts_with(prefix)) return std::nullopt;
          std::string value = label.substr(prefix.size());
          value.erase(0, value.find_first_not_of(' '));
          return value;
        };
        if (const auto n = value_of(shape.priority_label)) {
          std::from_chars(n->data(), n->data() + n->size(), t.priority);
          t.priority = std::clamp(t.priority, -1'000'000, 1'000'000);
        }
        if (const auto name = value_of(shape.profile_label)) t.profile = *name;
      }
      return t;
    }
    case BoardKind::transitions: break;
  }
  const std::string state = text_at(j, f.state);
  const auto known = std::ranges::find_if(
      shape.states, [&](const auto& one) { return !one.second.empty() && one.second == state; });
  if (known == shape.states.end())
    return std::unexpected(t.id.value + ": nobody knows a state '" + printable(state, 80) + "'");
  t.state = known->first;
  const Json* version = at(j, f.version);
  if (version == nullptr || !version->is_number_integer())
    return std::unexpected(t.id.value + ": it has no version, so nothing can be written under a condition");
  t.version = version->get<std::int64_t>();
  return t;
}

void put(Json& into, const std::string& pointer, Json value) {
  if (!pointer.empty()) into[Json::json_pointer(pointer)] = std::move(value);
}

std::string filled(std::string path, std::string_view name, std::string_view value) {
  const std::string mark = "{" + std::string(name) + "}";
  for (std::size_t i = path.find(mark); i != std::string::npos; i = path.find(mark, i)) {
    const std::string encoded = percent_encoded(value);
    path.replace(i, mark.size(), encoded);
    i += encoded.size();
  }
  return path;
}

}  // namespace holdfast::board_json
