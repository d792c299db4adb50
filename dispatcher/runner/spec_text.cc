#include "dispatcher/runner/spec_text.h"

#include <charconv>
#include <limits>
#include <set>

namespace holdfast {
namespace {

constexpr std::string_view first_line = "holdfast-spec 1\n";

struct Item {
  std::string_view key, value;
};

// Takes one item off the front; nullopt where there is none, and then the whole text is bad.
std::optional<Item> take_item(std::string_view& text) {
  const auto blank = text.find(' ');
  if (blank > 32) return {};  // too long for a key, or none at all
  const auto newline = text.find('\n', blank);
  if (newline == std::string_view::npos) return {};
  const auto digits = text.substr(blank + 1, newline - blank - 1);
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size() || length > largest_spec) return {};
  const auto rest = text.substr(newline + 1);
  if (rest.size() < length + 1 || rest[length] != '\n') return {};
  const Item item{text.substr(0, blank), rest.substr(0, length)};
  text = rest.substr(length + 1);
  return item;
}

template <class N>
bool read_number(std::string_view text, N& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size() && into >= 0;
}

std::string_view word_of(ReadyBy by) {
  switch (by) {
    case ReadyBy::started: return "started";
    case ReadyBy::hook_file: return "hook-file";
    case ReadyBy::pattern: return "pattern";
  }
  return "?";
}

bool read_ready_by(std::string_view text, ReadyBy& into) {
  for (const auto by : {ReadyBy::started, ReadyBy::hook_file, ReadyBy::pattern}) {
    if (text != word_of(by)) continue;
    into = by;
    return true;
  }
  return false;
}

// false: the key is unknown or its value is not of its kind.
bool apply(const Item& item, RunnerSpec& spec) {
  const auto text = [&](std::string& into) {
    into = item.value;
    return true;
  };
  if (item.key == "ticket") return text(spec.attempt.ticket.value);
  if (item.key == "generation") return read_number(item.value, spec.attempt.generation.value);
  if (item.key == "token") return text(spec.token);
  if (item.key == "working-directory") return text(spec.working_directory);
  if (item.key == "argv") return text(spec.argv.emplace_back());
  if (item.key == "environment") return text(spec.environment.emplace_back());
  if (item.key == "ready-by") return read_ready_by(item.value, spec.ready_by);
  if (item.key == "ready-pattern") return text(spec.ready_pattern);
  if (item.key == "go-ahead-within-ms") return read_number(item.value, spec.go_ahead_within.ms);
  if (item.key == "enter-delay-ms") return read_number(item.value, spec.enter_delay.ms);
  if (item.key == "term-grace-ms") return read_number(item.value, spec.term_grace.ms);
  if (item.key == "memory-limit-bytes") return read_number(item.value, spec.memory_limit_bytes);
  if (item.key == "cgroup-parent") return text(spec.cgroup_parent);
  if (item.key == "stream-limit-bytes") return read_number(item.value, spec.stream_limit_bytes);
  if (item.key == "columns") return read_number(item.value, spec.columns);
  if (item.key == "rows") return read_number(item.value, spec.rows);
  return false;
}

}  // namespace

std::optional<std::string> what_is_wrong_with_spec(const RunnerSpec& spec) {
  const auto bad = [](std::string_view text) { return text.find('\0') != std::string_view::npos; };
  if (spec.attempt.ticket.empty()) return "no ticket";
  if (spec.argv.empty() || spec.argv.front().empty()) return "no command";
  if (spec.token.empty()) return "no token";
  for (const auto& words : {spec.argv, spec.environment}) {
    for (const auto& word : words) {
      if (bad(word)) return "a NUL byte in the command or its environment";
    }
  }
  if (bad(spec.attempt.ticket.value) || bad(spec.token) || bad(spec.working_directory) ||
      bad(spec.ready_pattern) || bad(spec.cgroup_parent)) {
    return "a NUL byte in the orders";
  }
  if (spec.ready_by == ReadyBy::pattern && spec.ready_pattern.empty()) return "an empty ready pattern";
  for (const auto number : {spec.go_ahead_within.ms, spec.enter_delay.ms, spec.term_grace.ms,
                            spec.memory_limit_bytes, spec.stream_limit_bytes}) {
    if (number < 0) return "a negative number";
  }
  const auto fits = [](int cells) {
    return cells > 0 && cells <= std::numeric_limits<unsigned short>::max();
  };
  if (!fits(spec.columns) || !fits(spec.rows)) return "a terminal of no size";
  return std::nullopt;
}

std::string encode_spec(const RunnerSpec& spec) {
  std::string out{first_line};
  const auto add = [&out](std::string_view key, std::string_view value) {
    out.append(key).append(" ").append(std::to_string(value.size())).append("\n").append(value).append("\n");
  };
  const auto add_number = [&add](std::string_view key, std::int64_t n) { add(key, std::to_string(n)); };
  add("ticket", spec.attempt.ticket.value);
  add_number("generation", spec.attempt.generation.value);
  add("token", spec.token);
  add("working-directory", spec.working_directory);
  for (const auto& word : spec.argv) add("argv", word);
  for (const auto& word : spec.environment) add("environment", word);
  add("ready-by", word_of(spec.ready_by));
  add("ready-pattern", spec.ready_pattern);
  add_number("go-ahead-within-ms", spec.go_ahead_within.ms);
  add_number("enter-delay-ms", spec.enter_delay.ms);
  add_number("term-grace-ms", spec.term_grace.ms);
  add_number("memory-limit-bytes", spec.memory_limit_bytes);
  add("cgroup-parent", spec.cgroup_parent);
  add_number("stream-limit-bytes", spec.stream_limit_bytes);
  add_number("columns", spec.columns);
  add_number("rows", spec.rows);
  add("end", "");
  return out;
}

SpecReading decode_spec(std::string_view text) {
  if (text.size() > largest_spec) return {{}, "the orders are too large"};
  if (!text.starts_with(first_line)) return {{}, "not orders of a kind that this runner knows"};
  text.remove_prefix(first_line.size());
  RunnerSpec spec;
  std::set<std::string_view> once;
  while (true) {
    const auto item = take_item(text);
    if (!item) return {{}, "the orders are torn"};
    if (item->key == "end") break;
    const auto key = std::string{item->key};
    if (item->key != "argv" && item->key != "environment" && !once.insert(item->key).second) {
      return {{}, "the orders say " + key + " twice"};
    }
    if (!apply(*item, spec)) return {{}, "the orders hold something unknown at \"" + key + "\""};
  }
  if (!text.empty()) return {{}, "the orders go on after their end"};
  if (auto wrong = what_is_wrong_with_spec(spec)) return {{}, std::move(*wrong)};
  return {std::move(spec), {}};
}

}  // namespace holdfast
