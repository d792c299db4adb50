#include "dispatcher/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "dispatcher/core/decide.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast::cli {
namespace {

std::string time_of_day(Instant now) {
  const std::string whole = clock_words(now);
  return whole.size() > 19 ? whole.substr(11, 8) : whole;
}

std::string attempt_line(const Attempt& a) {
  switch (a.phase) {
    case Phase::planned:
      return a.step == Step::claimed ? "claimed: " + a.branch.value + " in " + a.slot.value
                                     : "is being spawned";
    case Phase::newborn: return "is born: session " + a.session.value;
    case Phase::ready: return "is ready for input";
    case Phase::running: return "runs (pid " + std::to_string(a.worker.pid) + ")";
    case Phase::waiting: return "asks: " + a.said_text;
    case Phase::finished:
      return std::string(a.said == Said::done ? "says DONE: " : "says REVIEW: ") + a.said_text +
             (a.cause == Cause::none ? "" : " (" + sentence_for(a.cause, a.exit_code) + ")");
    case Phase::lost: return "is dead: " + sentence_for(a.cause, a.exit_code) + "; " + a.evidence;
    case Phase::closed: return "is closed: " + a.reason;
  }
  __builtin_unreachable();
}

std::string_view color_of(Phase phase) {
  switch (phase) {
    case Phase::planned:
    case Phase::newborn:
    case Phase::ready: return blue;
    case Phase::running: return cyan;
    case Phase::waiting: return yellow;
    case Phase::finished: return green;
    case Phase::lost: return red;
    case Phase::closed: return dim;
  }
  __builtin_unreachable();
}

}  // namespace

std::vector<std::string> Progress::changes(const Brain& brain, const Shell& shell) {
  std::vector<std::string> lines;
  const auto say = [&](const std::string& who, const std::string& what) {
    lines.push_back(shell.paint(dim, time_of_day(brain.knowledge.now)) + "  " + who + "  " + what);
  };
  for (const auto& [id, t] : brain.knowledge.tickets) {
    Last& last = last_[id];
    if (t.newest &&
        (t.newest->revision != last.attempt_revision || t.newest->id.generation != last.generation)) {
      const std::string line = attempt_line(*t.newest);
      // An ending that was there before this dispatcher is no news of it.
      const bool old = last.generation.value == 0 && !t.newest->open();
      if (!old && (line != last.line || t.newest->id.generation != last.generation))
        say(attempt_key(t.newest->id), shell.paint(color_of(t.newest->phase), safe(line, 300)));
      if (t.newest->attention != last.attention && !t.newest->attention.empty())
        say(attempt_key(t.newest->id),
            shell.paint(yellow, "needs a person: " + safe(t.newest->attention, 300)));
      last.attempt_revision = t.newest->revision;
      last.generation = t.newest->id.generation;
      last.line = line;
      last.attention = t.newest->attention;
    }
    if (t.board && t.board->version != last.version) {
      const bool known = last.version >= 0;
      last.version = t.board->version;
      if (known || t.board->state == BoardState::todo)
        say(id.value, std::string("-> ") + words_for(t.board->state) +
                          (t.board->reason.empty() ? "" : ": " + safe(t.board->reason, 200)));
    }
  }
  if (brain.knowledge.ledger_trouble != ledger_trouble_) {
    ledger_trouble_ = brain.knowledge.ledger_trouble;
    say("ledger", ledger_trouble_.empty() ? "works again" : shell.paint(red, safe(ledger_trouble_, 300)));
  }
  if (const Instant until = brain.knowledge.breaker.open_until; until != rests_until_) {
    rests_until_ = until;
    if (until > brain.knowledge.now)
      say("crash loop", shell.paint(yellow, "too many attempts died young: nothing new is begun before " +
                                                clock_words(until) + "; who lives goes on"));
  }
  for (const auto& [number, shard] : brain.knowledge.shards) {
    std::string& last = shard_trouble_[number];
    if (shard.trouble == last) continue;
    last = shard.trouble;
    say("tmux " + std::to_string(number),
        last.empty() ? "answers again" : shell.paint(yellow, safe(last, 300)));
  }
  return lines;
}

std::vector<TicketLine> live_lines(const Brain& brain, std::size_t at_most) {
  std::vector<std::pair<int, TicketLine>> order;
  for (const auto& [id, t] : brain.knowledge.tickets) {
    const Attempt* a = t.current();
    if (!t.board && a == nullptr) continue;
    TicketLine line;
    line.ticket = id.value;
    line.state = t.board ? words_for(t.board->state) : "?";
    int rank = 2;
    if (a != nullptr) {
      rank = 0;
      line.attempt = "g" + std::to_string(a->id.generation.value);
      line.phase = words_for(a->phase);
      line.since = span_words(brain.knowledge.now - a->changed_at);
      line.what = a->attention.empty() ? attempt_line(*a) : "! " + a->attention;
    } else {
      if (t.board->state == BoardState::todo) rank = 1;
      if (t.newest) line.attempt = "g" + std::to_string(t.newest->id.generation.value);
      line.what = t.board->reason;
    }
    order.emplace_back(rank, std::move(line));
  }
  std::vector<TicketLine> lines;
  for (int rank = 0; rank <= 2; ++rank)  // live ones first
    for (auto& [of, line] : order)
      if (of == rank && lines.size() < at_most) lines.push_back(std::move(line));
  return lines;
}

void LivePainter::paint(const Brain& brain, const std::string& headline) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) size = {24, 100, 0, 0};
  const std::size_t columns = std::max<std::size_t>(size.ws_col, 40);
  std::vector<std::vector<std::string>> rows;
  for (TicketLine& line : live_lines(brain, static_cast<std::size_t>(std::max(3, size.ws_row - 4))))
    rows.push_back({line.ticket, line.state, line.attempt, line.phase, line.since, safe(line.what, 200)});
  std::string text = shell_.paint(bold, headline) + "\n" +
                     table({"TICKET", "BOARD", "TRY", "PHASE", "FOR", "WHAT"}, rows, shell_);
  // Lines are cut to the screen, or painting over them would miss the wrapped ones.
  std::string out = lines_ == 0 ? "" : "\x1b[" + std::to_string(lines_) + "F";
  lines_ = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    while (width_of(line) >= columns) {
      std::size_t cut = line.size() - 1;
      while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0U) == 0x80U) --cut;
      line.resize(cut);
    }
    out += line + "\x1b[0m\x1b[K\n";
    lines_ += 1;
    at = end + 1;
  }
  out_ << out << "\x1b[J" << std::flush;
}

void LivePainter::leave() {
  lines_ = 0;
}

}  // namespace holdfast::cli
