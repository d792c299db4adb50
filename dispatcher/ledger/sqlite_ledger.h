// The ledger in one SQLite file: core's rules around an immediate transaction.
//
// write() takes the write lock, reads the view, lets core apply the rules, stores the delta, commits. Writers
// of one process that wait for each other are committed together (one fsync for all of them); a write that
// fails alone fails alone. Readers use a connection of their own and never wait for a writer. Several
// processes may have the file open.
//
// Replies, beyond what ports/ledger.h says: an error before COMMIT is an answer, and nothing was stored. An
// error at COMMIT that may have left the transaction in the log comes as Transport::cut.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dispatcher/ledger/ledger_mode.h"
#include "dispatcher/ports/ledger.h"

namespace holdfast {

class SqliteLedger final : public Ledger {
 public:
  ~SqliteLedger() override;

  Reply<LedgerContents> load() override;
  // A ledger that was restored from an older copy answers a `seq` smaller than the one asked for: load again.
  Reply<LedgerContents> changes_after(std::int64_t seq) override;
  Reply<LedgerDelta> write(const LedgerWrite&, Instant now) override;
  Reply<std::vector<Attempt>> attempts_of(const TicketId&) override;
  Reply<std::vector<Attempt>> open_attempts() override;
  Reply<std::vector<Message>> messages_of(const AttemptId&) override;
  Reply<std::vector<LedgerEvent>> events_after(std::int64_t seq, const std::optional<TicketId>&,
                                               int at_most) override;

  // One transaction, each write judged after the ones before it; a refused one stops none of the others.
  std::vector<Reply<LedgerDelta>> write_many(std::span<const LedgerWrite>, Instant now);

  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] const std::string& installation() const;  // 32 hexadecimal digits, given once
  std::string what_is_broken();                           // a complete check; empty: all is well
  std::expected<void, std::string> copy_to(const std::string& target);  // consistent, beside running writers

 private:
  friend std::expected<std::unique_ptr<SqliteLedger>, std::string> open_ledger(const std::string&, LedgerMode,
                                                                               int);
  struct Parts;
  explicit SqliteLedger(std::unique_ptr<Parts>);
  std::unique_ptr<Parts> parts_;
};

// The error is one line for a person: it names the file and the way out.
std::expected<std::unique_ptr<SqliteLedger>, std::string> open_ledger(const std::string& path, LedgerMode,
                                                                      int busy_ms = ledger_busy_ms);

}  // namespace holdfast
