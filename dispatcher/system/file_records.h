// The attempts' record folders on a local disk, as the dispatcher sees them. See ports/attempts.h for what
// lies in one.
//
// All raw replies are `answered` with an errno (0: fine): what a file operation says, it says at once. An
// attempt without a folder is ENOENT. Safe for several threads and several dispatchers at once.
#pragma once

#include <string>

#include "dispatcher/ports/attempts.h"

namespace holdfast {

class FileRecords final : public Records {
 public:
  // `folder`: holds one folder per attempt, named by its key; made where it is missing.
  explicit FileRecords(const std::string& folder);

  Reply<Nothing> write_spec(const RunnerSpec&, const std::string& prompt = {}) override;
  Reply<SealAnswer> seal(const AttemptId&, const std::string& why) override;
  Reply<Nothing> give_go(const AttemptId&) override;
  Reply<Nothing> post_message(const AttemptId&, const MessageId&, const std::string& text) override;
  Reply<RecordSighting> read(const AttemptId&) override;
  // Where bytes at `offset` were dropped: code ENODATA, and raw.text is the first offset after them that is
  // kept.
  Reply<std::string> read_stream(const AttemptId&, std::int64_t offset, std::int64_t at_most) override;
  Reply<std::string> read_said(const AttemptId&, std::int64_t offset) override;
  Reply<std::vector<AttemptId>> list() override;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string folder_of(const AttemptId&) const;  // what the runner gets as its argument

 private:
  std::string folder_;
};

}  // namespace holdfast
