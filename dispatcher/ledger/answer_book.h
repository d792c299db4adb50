// What was answered to requests that named a key (HTTP's Idempotency-Key): the same request again gets the
// same answer, and does nothing a second time.
//
// The key is written down before anything is done, the answer after it. A request whose program was killed in
// between stays begun for ever: nobody can tell whether it was done, and it is not done again.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <variant>

#include "dispatcher/core/instant.h"

namespace holdfast {

struct KeptAnswer {
  int status = 0;
  std::string type, headers, body;
  friend bool operator==(const KeptAnswer&, const KeptAnswer&) = default;
};

class AnswerBook {
 public:
  virtual ~AnswerBook() = default;

  struct Fresh {};         // it is noted as begun: do it, then finish() or forget() it
  struct OtherRequest {};  // the key belongs to another request
  struct Begun {};         // somebody does it now, or was killed while doing it
  using Look = std::variant<Fresh, KeptAnswer, OtherRequest, Begun>;

  // `request` tells requests apart: method, path, query and body, or a digest of them. The error is one line.
  virtual std::expected<Look, std::string> begin(const std::string& key, const std::string& request,
                                                 Instant now) = 0;
  virtual void finish(const std::string& key, const KeptAnswer&) = 0;
  virtual void forget(const std::string& key) = 0;  // nothing was done: the next one may try
};

// Answers are kept for a day. Safe to call from several threads.
std::expected<std::unique_ptr<AnswerBook>, std::string> open_answer_book(const std::string& ledger_path);

}  // namespace holdfast
