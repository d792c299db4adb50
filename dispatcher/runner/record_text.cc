#include "dispatcher/runner/record_text.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace holdfast {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"-_./:,+@[]()>"}.find(c) != std::string_view::npos;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    if (plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', hex[byte >> 4], hex[byte & 15]};
  }
  return out;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto* from = text.data() + i + 1;
      if (const auto [end, error] = std::from_chars(from, from + 2, value, 16);
          error == std::errc{} && end == from + 2) {
        out += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

struct Line {
  Instant at;
  std::string_view word;
  std::map<std::string_view, std::string> fields;

  [[nodiscard]] std::string text(std::string_view key) const {
    const auto found = fields.find(key);
    return found == fields.end() ? std::string{} : found->second;
  }
  template <class N>
  [[nodiscard]] std::optional<N> number(std::string_view key) const {
    const auto found = fields.find(key);
    if (found == fields.end()) return {};
    N value{};
    const auto& digits = found->second;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return {};
    return value;
  }
};

std::optional<Line> parse_line(std::string_view text) {
  Line line;
  const auto* const begin = text.data();
  const auto [end, error] = std::from_chars(begin, begin + text.size(), line.at.ms);
  if (error != std::errc{} || end == begin + text.size() || *end != ' ') return {};
  text.remove_prefix(static_cast<std::size_t>(end - begin) + 1);
  line.word = text.substr(0, text.find(' '));
  text.remove_prefix(line.word.size());
  while (!text.empty()) {
    text.remove_prefix(1);  // the blank
    const auto field = text.substr(0, text.find(' '));
    text.remove_prefix(field.size());
    if (const auto equals = field.find('='); equals != std::string_view::npos) {
      line.fields[field.substr(0, equals)] = percent_decoded(field.substr(equals + 1));
    }
  }
  return line;
}

ProcessIdentity identity_in(const Line& line) {
  return {line.text("boot"), line.text("pidns"), line.number<std::int64_t>("pid").value_or(0),
          line.number<std::uint64_t>("ticks").value_or(0)};
}

std::string_view word_of(OomEvidence oom) {
  switch (oom) {
    case OomEvidence::none_seen: return "none-seen";
    case OomEvidence::killed: return "killed";
    case OomEvidence::unknown: return "unknown";
  }
  return "?";
}

std::string_view word_of(MessageStep step) {
  switch (step) {
    case MessageStep::handing: return "handing";
    case MessageStep::handed: return "handed";
    case MessageStep::consumed: return "consumed";
    case MessageStep::refused: return "refused";
  }
  return "?";
}

WorkerEnd end_in(const Line& line) {
  WorkerEnd end;
  end.exit_code = line.number<int>("code");
  end.signal = line.number<int>("signal");
  end.core_dumped = line.text("core") == "1";
  for (const auto oom : {OomEvidence::none_seen, OomEvidence::killed}) {
    if (line.text("oom") == word_of(oom)) end.oom = oom;
  }
  end.oom_evidence = line.text("evidence");
  end.reason = line.text("reason");
  end.tree_empty = line.text("empty") == "1";
  end.user_ms = line.number<std::int64_t>("user-ms").value_or(0);
  end.system_ms = line.number<std::int64_t>("system-ms").value_or(0);
  end.peak_rss_kib = line.number<std::int64_t>("peak-rss-kib").value_or(0);
  return end;
}

void absorb_message(const Line& line, std::vector<MessageSighting>& messages) {
  const MessageId id{line.text("id")};
  auto found = std::ranges::find(messages, id, &MessageSighting::id);
  if (found == messages.end()) found = messages.insert(found, {id, MessageProgress::posted, {}});
  const auto state = line.text("state");
  if (state == word_of(MessageStep::handing) || state == word_of(MessageStep::handed)) {
    found->progress = MessageProgress::handed;
  } else if (state == word_of(MessageStep::consumed)) {
    found->progress = MessageProgress::consumed;
  } else if (state == word_of(MessageStep::refused)) {
    found->progress = MessageProgress::refused;
    found->why = line.text("why");
  }
}

void absorb_line(const Line& line, RecordSighting& into) {
  if (line.word == "started") {
    into.started_at = line.at;
  } else if (line.word == "gone-ahead") {
    into.gone_ahead = true;
  } else if (line.word == "containment") {
    into.cgroup = line.text("cgroup");
    into.memory_ceiling = line.text("ceiling");
  } else if (line.word == "worker") {
    into.worker = identity_in(line);
  } else if (line.word == "running") {
    into.worker_running = true;
  } else if (line.word == "ready") {
    if (!into.ready) into.ready_at = line.at;
    into.ready = true;
  } else if (line.word == "message") {
    absorb_message(line, into.messages);
  } else if (line.word == "end") {
    if (!into.end) into.end = end_in(line);
  }
}

}  // namespace

std::string record_line(Instant at, std::string_view word, const RecordFields& fields) {
  auto line = std::to_string(at.ms) + " " + std::string{word};
  for (const auto& [key, value] : fields)
    line.append(" ").append(key).append("=").append(percent_encoded(value));
  return line + "\n";
}

RecordFields identity_fields(const ProcessIdentity& who) {
  return {{"boot", who.boot_id},
          {"pidns", who.pid_namespace},
          {"pid", std::to_string(who.pid)},
          {"ticks", std::to_string(who.start_ticks)}};
}

RecordFields end_fields(const WorkerEnd& end) {
  RecordFields fields;
  if (end.exit_code) fields.emplace_back("code", std::to_string(*end.exit_code));
  if (end.signal) fields.emplace_back("signal", std::to_string(*end.signal));
  fields.emplace_back("core", end.core_dumped ? "1" : "0");
  fields.emplace_back("oom", word_of(end.oom));
  fields.emplace_back("evidence", end.oom_evidence);
  fields.emplace_back("reason", end.reason);
  fields.emplace_back("empty", end.tree_empty ? "1" : "0");
  fields.emplace_back("user-ms", std::to_string(end.user_ms));
  fields.emplace_back("system-ms", std::to_string(end.system_ms));
  fields.emplace_back("peak-rss-kib", std::to_string(end.peak_rss_kib));
  return fields;
}

std::string message_line(Instant at, const MessageId& id, MessageStep step, std::string_view why) {
  RecordFields fields{{"id", id.value}, {"state", std::string{word_of(step)}}};
  if (!why.empty()) fields.emplace_back("why", why);
  return record_line(at, "message", fields);
}

void absorb_record(std::string_view text, RecordSighting& into) {
  for (auto newline = text.find('\n'); newline != std::string_view::npos; newline = text.find('\n')) {
    if (const auto line = parse_line(text.substr(0, newline))) absorb_line(*line, into);
    text.remove_prefix(newline + 1);
  }
}

std::string started_text(Instant at, const ProcessIdentity& runner) {
  return record_line(at, "started", identity_fields(runner));
}

std::string sealed_text(Instant at, std::string_view why) {
  return record_line(at, "sealed", {{"why", std::string{why}}});
}

DecisionReading parse_decision(std::string_view text) {
  if (text.empty() || text.back() != '\n') return {};
  const auto line = parse_line(text.substr(0, text.size() - 1));
  if (!line) return {};
  if (line->word == "sealed") return {Decision::sealed, {}, line->at, line->text("why")};
  const auto runner = identity_in(*line);
  if (line->word != "started" || !runner.known()) return {};
  return {Decision::started, runner, line->at, {}};
}

}  // namespace holdfast
