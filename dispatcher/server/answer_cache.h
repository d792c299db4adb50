// Answers that are made of the ledger's file alone, kept for as long as nobody has written into it: who asks
// for the same again gets the same bytes, without a query, and without another thread.
//
// Sound because the counter is read before the answer is made: whatever was committed while it was made
// differs from that number, and the next one who asks finds that it does. Everything is forgotten at once
// then, so what is kept is bounded by what was asked between two commits, and by a number of bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "dispatcher/server/http.h"

namespace holdfast::server {

class AnswerCache {
 public:
  // `changes`: differs after every commit; nothing: it cannot be told at once.
  explicit AnswerCache(std::function<std::optional<std::int64_t>()> changes) : changes_(std::move(changes)) {}

  // Never waits for the ledger. nullptr: it is to be made.
  std::shared_ptr<const HttpAnswer> find(const HttpRequest&);
  // For an answer that is about to be made, and kept after it.
  [[nodiscard]] std::optional<std::int64_t> before() { return changes_(); }
  void keep(const HttpRequest&, std::optional<std::int64_t> before, const HttpAnswer&);

  static constexpr std::size_t answer_bytes_max = 1 << 20;
  static constexpr std::size_t all_bytes_max = 16 << 20;

 private:
  std::function<std::optional<std::int64_t>()> changes_;
  std::mutex mutex_;
  std::int64_t as_of_ = -1;
  std::size_t bytes_ = 0;
  std::map<std::string, std::shared_ptr<const HttpAnswer>> kept_;
};

}  // namespace holdfast::server
