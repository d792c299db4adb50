// Tells one sink what the ledger's log says, in the log's order, each line once.
//
// The log is the outbox: what is to be told is there already, durably, and nothing is kept in memory but the
// place up to which it was told. That place (the cursor) is a file that is replaced after each telling, so a
// dispatcher that is started again goes on where the last one was. Between a telling and its cursor a crash
// may fall, and an answer may be lost: then it is told again, with the same id. At least once, in order; a
// receiver that keeps ids has it exactly once.
//
// It has a thread of its own and waits for nobody but its sink: a sink that does not answer costs a thread
// that waits, and the dispatcher nothing.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "dispatcher/notify/sink.h"
#include "dispatcher/ports/ledger.h"

namespace holdfast {

struct NotifierOptions {
  std::string name;          // "webhook": of the cursor's file, and in words
  std::string folder;        // of the cursor's file
  std::string installation;  // a cursor of another ledger says nothing about this one
  std::set<NoticeKind> about;
  Duration look_every = seconds(1);
  Duration first_wait = seconds(1);  // before it is told again; doubled each time, by chance up to that
  Duration longest_wait = minutes(5);
  Duration lasts = minutes(24LL * 60);      // what is older is not told any more
  Duration crash_loop_rests = minutes(10);  // one crash loop is one notice
  std::function<Instant()> now;
  std::function<std::uint32_t()> random;
  std::function<std::string(const TicketId&)> title;  // called on its thread; empty where it is not known
  std::function<void(std::string)> say;               // one line for people; called on its thread
};

class Notifier {
 public:
  // Begins with the newest event where it has never told anything: the past is no news.
  Notifier(Ledger&, std::unique_ptr<Sink>, NotifierOptions);
  ~Notifier();  // after the telling that is under way, if there is one
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Waits until what is in the log now is told, or cannot be told now, or this long has passed.
  void finish(Duration within);

 private:
  struct Cursor {
    std::int64_t seq = -1;  // -1: there is none
    Instant crash_loop;     // when one was told
  };
  void run();
  bool tell_all_there_is();  // false: not all of it could be told
  bool tell(const Notice&);
  Cursor stored_cursor();
  void store(std::int64_t seq);
  bool rest(Duration);  // false: it is to end

  Ledger& ledger_;
  std::unique_ptr<Sink> sink_;
  NotifierOptions options_;
  Cursor cursor_;
  bool troubled_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool hurrying_ = false;  // somebody waits for what is there
  bool idle_ = false;
  std::thread thread_;
};

}  // namespace holdfast
