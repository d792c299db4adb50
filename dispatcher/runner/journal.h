// The runner's record: lines that are on disk before the act that they announce.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "dispatcher/runner/record_text.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/fd.h"

namespace holdfast {

struct JournalLine {
  std::string_view word;
  RecordFields fields = {};
};

class Journal {
 public:
  explicit Journal(std::string folder);

  // Opens `record` for appending and reserves a little room, so that the last line still fits on a full disk.
  // Its name is durable with the next flush of the folder: the decision's.
  int open();

  // errno; 0: the line is durable. After anything else it may be there in part: the next line begins afresh.
  int write(std::string_view word, const RecordFields& fields = {});
  int write(std::span<const JournalLine>);  // all of them with one flush
  int write_message(const MessageId&, MessageStep, std::string_view why = {});

  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  int append(const std::string& line);

  std::string folder_;
  Fd file_;
  SystemClock clock_;
  std::string separator_;  // a newline after a write that failed half-way
};

}  // namespace holdfast
