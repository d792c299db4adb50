#include "dispatcher/cli/notify_part.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "dispatcher/board/desk.h"
#include "dispatcher/core/classify.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/telling.h"
#include "dispatcher/core/words.h"
#include "dispatcher/notify/desktop.h"
#include "dispatcher/notify/notifier.h"
#include "dispatcher/notify/webhook.h"
#include "dispatcher/server/gate.h"
#include "dispatcher/system/chance.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kept_max = 200;  // of lines nobody asked for, and of notes that cannot be written
constexpr Duration told_within = seconds(10);

}  // namespace

struct Notifications::Parts {
  std::unique_ptr<SqliteLedger> ledger;
  std::unique_ptr<Desk> desk;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Note> notes;
  bool writing = false;
  bool ending = false;
  std::deque<std::string> lines;
  std::thread writer;                                // of notes: the log may be locked by somebody else
  std::vector<std::unique_ptr<Notifier>> notifiers;  // first to go

  void say(std::string line) {
    const std::lock_guard lock(mutex);
    if (lines.size() >= kept_max) lines.pop_front();
    lines.push_back(std::move(line));
  }

  void write_notes() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return ending || !notes.empty(); });
      if (notes.empty()) return;
      const Note note = std::move(notes.front());
      notes.pop_front();
      writing = true;
      lock.unlock();
      ledger->write(note, wall_clock());
      lock.lock();
      writing = false;
      changed.notify_all();
    }
  }

  ~Parts() {
    notifiers.clear();
    {
      const std::lock_guard lock(mutex);
      ending = true;
    }
    changed.notify_all();
    if (writer.joinable()) writer.join();
  }
};

Notifications::Notifications(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Notifications::~Notifications() = default;

std::optional<Note> worth_a_note(const Answer& answer) {
  const auto* move = std::get_if<MoveTicket>(&answer.effect);
  if (move == nullptr || !is_done(classify(call_of(answer.effect), answer.raw))) return std::nullopt;
  const AttemptId attempt = parse_attempt_key(move->key).value_or(AttemptId{move->ticket, {}});
  if (move->to == BoardState::in_progress && move->reason.starts_with(told_kept))
    return Note{attempt, "drift", "put right", move->reason};
  if (move->to == BoardState::blocked && move->reason.starts_with(told_ended))
    return Note{attempt, "blocked", "nobody else has moved it", move->reason};
  return std::nullopt;
}

void Notifications::saw(const Answer& answer) {
  auto note = worth_a_note(answer);
  if (!note) return;
  {
    const std::lock_guard lock(parts_->mutex);
    if (parts_->notes.size() >= kept_max)
      return;  // the file has not been writable for long: it is in the logs
    parts_->notes.push_back(std::move(*note));
  }
  parts_->changed.notify_all();
}

std::vector<std::string> Notifications::said() {
  const std::lock_guard lock(parts_->mutex);
  std::vector<std::string> all(parts_->lines.begin(), parts_->lines.end());
  parts_->lines.clear();
  return all;
}

void Notifications::finish(Duration within) {
  {
    std::unique_lock lock(parts_->mutex);
    parts_->changed.wait_for(lock, std::chrono::milliseconds(within.ms),
                             [this] { return parts_->notes.empty() && !parts_->writing; });
  }
  for (const auto& one : parts_->notifiers) one->finish(within);
}

Or<std::unique_ptr<Notifications>> open_notifications(const Config& config) {
  const NotifyConfig& wanted = config.notify;
  if (wanted.webhook.empty() && wanted.command.empty()) return nullptr;
  auto parts = std::make_unique<Notifications::Parts>();
  const Places places = places_of(config);
  auto ledger = open_ledger(places.ledger, LedgerMode::command_line);
  if (!ledger) return bad(ledger.error());
  auto desk = open_desk(places.ledger, LedgerMode::read_only);
  if (!desk) return bad(desk.error());
  parts->ledger = std::move(*ledger);
  parts->desk = std::move(*desk);
  Notifications::Parts& p = *parts;

  NotifierOptions options;
  options.folder = config.state;
  options.installation = p.ledger->installation();
  for (const std::string& word : wanted.about)
    if (const auto kind = notice_kind_from(word)) options.about.insert(*kind);
  options.crash_loop_rests = config.policy.breaker_rest;
  options.now = wall_clock;
  options.random = chance;
  options.title = [&p](const TicketId& id) {
    const auto page = p.desk->show(id);
    return page ? page->ticket.title : std::string();
  };
  options.say = [&p](std::string line) { p.say(std::move(line)); };

  std::vector<std::pair<std::unique_ptr<Sink>, NotifierOptions>> sinks;
  if (!wanted.webhook.empty()) {
    HttpClientOptions client;
    const auto url = parse_url(wanted.webhook);
    if (!url) return bad("webhook: expected " + url.error());
    client.url = *url;
    client.ca_file = wanted.ca_file;
    client.user_agent = "holdfast/" HOLDFAST_VERSION;
    client.within = told_within;
    client.now = wall_clock;
    client.random = chance;
    auto secret = server::read_or_make_token(wanted.secret_file.empty() ? config.state + "/webhook-secret"
                                                                        : wanted.secret_file);
    if (!secret) return bad(secret.error());
    options.name = "webhook";
    sinks.emplace_back(make_webhook(std::move(client), std::move(*secret)), options);
  }
  if (!wanted.command.empty()) {
    options.name = "command";
    options.longest_wait = minutes(1);
    options.lasts = minutes(10);  // whoever sits there now is not told of yesterday
    sinks.emplace_back(make_desktop(wanted.command, told_within), options);
  }
  p.writer = std::thread([&p] { p.write_notes(); });
  for (auto& [sink, its] : sinks)
    p.notifiers.push_back(std::make_unique<Notifier>(*p.ledger, std::move(sink), std::move(its)));
  return std::make_unique<Notifications>(std::move(parts));
}

}  // namespace holdfast::cli
