#include "dispatcher/notify/notice.h"

#include <nlohmann/json.hpp>

#include "dispatcher/core/names.h"
#include "dispatcher/core/telling.h"
#include "dispatcher/core/words.h"
#include "dispatcher/look/words.h"

namespace holdfast {
namespace {

constexpr std::size_t words_max = 2000;
constexpr std::size_t title_max = 300;

NoticeKind kind_of_attention(std::string_view text) {
  if (text.starts_with(told_unknown)) return NoticeKind::unknown;
  if (text.starts_with(told_undying)) return NoticeKind::undying;
  return NoticeKind::attention;
}

std::optional<NoticeKind> kind_of(const LedgerEvent& e) {
  if (e.kind == "question") return NoticeKind::question;
  if (e.kind == "closed" && e.cause == words_for(BoardState::blocked)) return NoticeKind::blocked;
  if (e.kind == "closed" && e.evidence.find(told_stranded) != std::string::npos) return NoticeKind::stranded;
  // Whoever is attached knows it best, and is a person.
  if (e.kind == "attention" && !e.evidence.empty() && !e.evidence.starts_with(told_attached))
    return kind_of_attention(e.evidence);
  if (e.kind == "breaker" && e.cause.starts_with(told_crash_loop)) return NoticeKind::crash_loop;
  if (e.kind == "drift") return NoticeKind::drift;
  if (e.kind == "blocked") return NoticeKind::blocked;
  return std::nullopt;
}

const char* verb_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::question: return "asks";
    case NoticeKind::blocked: return "is blocked";
    case NoticeKind::stranded: return "left stranded commits";
    case NoticeKind::unknown: return "may be alive or dead";
    case NoticeKind::undying: return "does not die";
    case NoticeKind::drift: return "was put to todo while its runtime lives";
    case NoticeKind::crash_loop: return "attempts die young";
    case NoticeKind::attention: return "needs a person";
  }
  __builtin_unreachable();
}

std::string name_of(const AttemptId& id) {
  if (id.ticket.empty()) return "";
  return id.generation.value == 0 ? id.ticket.value : attempt_key(id);
}

}  // namespace

const char* words_for(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::question: return "question";
    case NoticeKind::blocked: return "blocked";
    case NoticeKind::stranded: return "stranded";
    case NoticeKind::unknown: return "unknown";
    case NoticeKind::undying: return "undying";
    case NoticeKind::drift: return "drift";
    case NoticeKind::crash_loop: return "crash_loop";
    case NoticeKind::attention: return "attention";
  }
  __builtin_unreachable();
}

const std::vector<NoticeKind>& notice_kinds() {
  static const std::vector<NoticeKind> all{NoticeKind::question,   NoticeKind::blocked,  NoticeKind::stranded,
                                           NoticeKind::unknown,    NoticeKind::undying,  NoticeKind::drift,
                                           NoticeKind::crash_loop, NoticeKind::attention};
  return all;
}

std::optional<NoticeKind> notice_kind_from(std::string_view word) {
  for (const NoticeKind kind : notice_kinds())
    if (word == words_for(kind)) return kind;
  return std::nullopt;
}

std::optional<Notice> notice_of(const LedgerEvent& e) {
  const auto kind = kind_of(e);
  if (!kind) return std::nullopt;
  return Notice{*kind, e.seq, e.at, e.attempt, e.evidence.empty() ? e.cause : e.evidence};
}

std::string summary_of(const Notice& n) {
  const std::string who = n.attempt.ticket.empty() ? "holdfast" : n.attempt.ticket.value;
  return safe(who + (n.kind == NoticeKind::crash_loop ? ": " : " ") + verb_of(n.kind) +
                  (n.words.empty() ? "" : ": " + n.words),
              title_max);
}

std::string id_of(const Notice& n, const std::string& installation) {
  return installation + "-" + std::to_string(n.seq);
}

std::string body_of(const Notice& n, const std::string& installation, const std::string& title) {
  nlohmann::ordered_json j;
  j["id"] = id_of(n, installation);
  j["kind"] = words_for(n.kind);
  j["at"] = n.at.ms;
  j["ticket"] =
      n.attempt.ticket.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(n.attempt.ticket.value);
  j["runtime"] =
      n.attempt.generation.value == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(name_of(n.attempt));
  j["title"] = safe(title, title_max);
  j["summary"] = summary_of(n);
  j["words"] = safe(n.words, words_max);
  j["installation"] = installation;
  return j.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace holdfast
