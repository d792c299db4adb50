#include "dispatcher/runner/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "dispatcher/system/durable_file.h"

namespace holdfast {

Journal::Journal(std::string folder) : folder_(std::move(folder)) {}

int Journal::open() {
  file_ =
      Fd{::open((folder_ + "/record").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file_.open()) return errno;
  // Not every file system can reserve; that only costs the comfort.
  ::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, 0, 65536);
  return 0;
}

int Journal::write(std::string_view word, const RecordFields& fields) {
  return append(record_line(clock_.now(), word, fields));
}

int Journal::write(std::span<const JournalLine> lines) {
  std::string text;
  for (const JournalLine& line : lines) text += record_line(clock_.now(), line.word, line.fields);
  return append(text);
}

int Journal::write_message(const MessageId& id, MessageStep step, std::string_view why) {
  return append(message_line(clock_.now(), id, step, why));
}

int Journal::append(const std::string& line) {
  const int error = write_all(file_.get(), separator_ + line);
  if (error != 0) {
    separator_ = "\n";
    return error;
  }
  separator_.clear();
  return ::fdatasync(file_.get()) == 0 ? 0 : errno;
}

}  // namespace holdfast
