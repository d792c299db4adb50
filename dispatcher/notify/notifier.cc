#include "dispatcher/notify/notifier.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

constexpr int page = 200;

bool answered(const RawReply& raw) {
  return raw.transport == Transport::answered && raw.code == 0;
}

}  // namespace

Notifier::Notifier(Ledger& ledger, std::unique_ptr<Sink> sink, NotifierOptions options)
    : ledger_(ledger), sink_(std::move(sink)), options_(std::move(options)), thread_([this] { run(); }) {}

Notifier::~Notifier() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Notifier::finish(Duration within) {
  std::unique_lock lock(mutex_);
  hurrying_ = true;
  idle_ = false;
  changed_.notify_all();
  changed_.wait_for(lock, std::chrono::milliseconds(within.ms), [this] { return idle_; });
}

bool Notifier::rest(Duration longest) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(longest.ms), [this] { return stopping_ || hurrying_; });
  return !stopping_;
}

Notifier::Cursor Notifier::stored_cursor() {
  const FileText file = read_file(options_.folder + "/told-" + options_.name, 4096);
  const auto j = nlohmann::json::parse(file.text, nullptr, false);
  if (file.error != 0 || !j.is_object()) return {};
  const auto whose = j.find("installation"), seq = j.find("seq"), crash_loop = j.find("crash_loop");
  if (whose == j.end() || *whose != options_.installation) return {};
  if (seq == j.end() || !seq->is_number_integer() || crash_loop == j.end() ||
      !crash_loop->is_number_integer())
    return {};
  return {seq->get<std::int64_t>(), {crash_loop->get<std::int64_t>()}};
}

void Notifier::store(std::int64_t seq) {
  cursor_.seq = seq;
  const nlohmann::ordered_json j = {
      {"installation", options_.installation}, {"seq", seq}, {"crash_loop", cursor_.crash_loop.ms}};
  // Where it cannot be written the notice is told again after a restart.
  replace_file(options_.folder, "told-" + options_.name, j.dump() + "\n");
}

void Notifier::run() {
  // Where the ledger does not answer yet, nothing is known of what is new.
  for (bool begun = false; !begun;) {
    const auto all = ledger_.load();
    begun = answered(all.raw);
    if (begun) {
      cursor_ = stored_cursor();
      // An older copy was restored: its numbers are given anew.
      if (cursor_.seq < 0 || cursor_.seq > all.value.seq) store(all.value.seq);
    } else if (!rest(options_.look_every)) {
      return;
    }
  }
  Duration wait = options_.first_wait;
  for (bool going_on = true; going_on;) {
    bool waited_for = false;  // before it looks, so that what was there then is told
    {
      const std::lock_guard lock(mutex_);
      waited_for = hurrying_;
    }
    const bool all_told = tell_all_there_is();
    Duration pause = options_.look_every;
    if (all_told) {
      wait = options_.first_wait;
    } else {
      const auto spread = static_cast<std::uint32_t>(wait.ms / 2 + 1);
      pause = {wait.ms / 2 + static_cast<std::int64_t>(options_.random() % spread)};
      wait = std::min(Duration{wait.ms * 2}, options_.longest_wait);
    }
    {
      const std::lock_guard lock(mutex_);
      if (waited_for) {
        idle_ = true;
        hurrying_ = false;
      }
    }
    changed_.notify_all();
    going_on = rest(pause);
  }
}

bool Notifier::tell_all_there_is() {
  for (;;) {
    const auto events = ledger_.events_after(cursor_.seq, std::nullopt, page);
    if (!answered(events.raw) || events.value.empty()) return true;
    for (const LedgerEvent& event : events.value) {
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return true;
      }
      const auto notice = notice_of(event);
      if (!notice || !options_.about.contains(notice->kind)) {
        cursor_.seq = event.seq;  // in memory alone: it costs nothing to read it again
        continue;
      }
      if (!tell(*notice)) return false;
      store(event.seq);
    }
  }
}

// false: it is to be tried again.
bool Notifier::tell(const Notice& notice) {
  const Instant now = options_.now();
  // Each young death says so again while the loop lasts.
  if (notice.kind == NoticeKind::crash_loop && cursor_.crash_loop.set() && notice.at >= cursor_.crash_loop &&
      notice.at - cursor_.crash_loop < options_.crash_loop_rests)
    return true;
  if (now - notice.at > options_.lasts) {
    options_.say(options_.name + ": not told any more, since it is too old: " + summary_of(notice));
    return true;
  }
  const std::string title = notice.attempt.ticket.empty() ? "" : options_.title(notice.attempt.ticket);
  const Telling told = sink_->tell(notice, id_of(notice, options_.installation),
                                   body_of(notice, options_.installation, title));
  switch (told.heard) {
    case Heard::yes:
      if (troubled_) options_.say(options_.name + ": works again");
      troubled_ = false;
      break;
    case Heard::refused: options_.say(options_.name + ": refused: " + told.words); break;
    case Heard::perhaps:
      if (!troubled_) options_.say(options_.name + ": not heard, it is tried again: " + told.words);
      troubled_ = true;
      return false;
  }
  if (notice.kind == NoticeKind::crash_loop) cursor_.crash_loop = notice.at;
  return true;
}

}  // namespace holdfast
