#include "dispatcher/system/file_records.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "dispatcher/core/names.h"
#include "dispatcher/runner/record_text.h"
#include "dispatcher/runner/spec_text.h"
#include "dispatcher/runner/stream_file.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/errno_reply.h"
#include "dispatcher/system/file_lock.h"

namespace holdfast {
namespace {

constexpr std::size_t largest_record = 16U << 20;
constexpr std::size_t largest_said_piece = 256U << 10;

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

struct InboxEntry {
  unsigned long number = 0;
  MessageId id;
};

std::vector<InboxEntry> inbox_of(const std::string& folder) {
  std::vector<InboxEntry> entries;
  DIR* dir = ::opendir((folder + "/inbox").c_str());
  if (dir == nullptr) return entries;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string name = entry->d_name;
    const auto dash = name.find('-');
    if (name.front() == '.' || dash == std::string::npos) continue;
    entries.push_back({std::strtoul(name.c_str(), nullptr, 10), {name.substr(dash + 1)}});
  }
  ::closedir(dir);
  std::ranges::sort(entries, {}, &InboxEntry::number);
  return entries;
}

bool fit_for_a_file_name(const MessageId& id) {
  return !id.empty() && id.value.size() <= 100 && std::ranges::all_of(id.value, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string status_of(const RecordSighting& seen) {
  if (seen.worker_running) return "running";
  if (seen.gone_ahead) return "starting";
  return seen.decision == Decision::started ? "waiting for its go-ahead" : "not started";
}

}  // namespace

// Absolute, because the runner reads it from another working directory.
FileRecords::FileRecords(const std::string& folder) : folder_(std::filesystem::absolute(folder).string()) {
  make_folder(folder_);
}

std::string FileRecords::folder_of(const AttemptId& attempt) const {
  return folder_ + "/" + attempt_key(attempt);
}

Reply<Nothing> FileRecords::write_spec(const RunnerSpec& orders, const std::string& prompt) {
  if (auto wrong = what_is_wrong_with_spec(orders)) return {answered(EINVAL, *wrong)};
  RunnerSpec spec = orders;
  for (std::string& argument : spec.argv)
    if (argument == "{prompt_file}") argument = folder_of(spec.attempt) + "/prompt";
  const auto text = encode_spec(spec);
  if (text.size() > largest_spec) return {answered(E2BIG, "the orders are too large")};
  const auto folder = folder_of(spec.attempt);
  // Nothing here is flushed: after a power cut there is no runner that could follow these orders.
  int error = make_folder(folder, Durable::no);
  if (error == 0 && exists(folder + "/decision")) {
    return {answered(EEXIST, "this attempt is decided already")};
  }
  if (error == 0) error = make_folder(folder + "/inbox", Durable::no);
  if (error == 0 && !prompt.empty()) error = replace_file(folder, "prompt", prompt, Durable::no);
  if (error == 0) error = replace_file(folder, "spec", text, Durable::no);
  return {answered(error)};
}

Reply<SealAnswer> FileRecords::seal(const AttemptId& attempt, const std::string& why) {
  const auto folder = folder_of(attempt);
  // Also where no orders were ever written: then none of them can be followed later.
  if (const int error = make_folder(folder); error != 0) return {answered(error)};
  const auto created = create_exclusively(folder, "decision", sealed_text(SystemClock{}.now(), why));
  switch (created.created) {
    case Created::now: return {answered(0), SealAnswer::sealed};
    case Created::failed: return {answered(created.error)};
    case Created::existed: break;
  }
  const auto file = read_file(folder + "/decision", 4096);
  if (file.error != 0) return {answered(file.error)};
  switch (parse_decision(file.text).decision) {
    case Decision::sealed: return {answered(0), SealAnswer::sealed};
    case Decision::started: return {answered(0), SealAnswer::already_started};
    case Decision::none:
    case Decision::unreadable: break;
  }
  return {answered(EBADMSG, "the decision cannot be read")};
}

Reply<Nothing> FileRecords::give_go(const AttemptId& attempt) {
  const auto folder = folder_of(attempt);
  // Not flushed: a runner that could hear it does not outlive a power cut.
  const auto created = create_exclusively(folder, "go", record_line(SystemClock{}.now(), "go"), Durable::no);
  return {answered(created.created == Created::failed ? created.error : 0)};
}

Reply<Nothing> FileRecords::post_message(const AttemptId& attempt, const MessageId& id,
                                         const std::string& text) {
  if (!fit_for_a_file_name(id)) return {answered(EINVAL, "not the id of a message")};
  const auto folder = folder_of(attempt);
  // Two dispatchers posting the same message at the same time would give it two numbers; the runner would
  // still hand it over once, but the inbox should not lie.
  const auto lock = try_lock(folder + "/inbox.lock");
  if (!lock.lock) {
    if (lock.raw.code == EWOULDBLOCK) return {answered(EBUSY, "another message is being posted")};
    return {answered(lock.raw.code)};
  }
  const auto seen = read(attempt);
  if (seen.raw.code != 0) return {seen.raw};
  const auto inbox = inbox_of(folder);
  if (std::ranges::find(inbox, id, &InboxEntry::id) != inbox.end() ||
      std::ranges::find(seen.value.messages, id, &MessageSighting::id) != seen.value.messages.end()) {
    return {answered(0)};
  }
  if (seen.value.end || seen.value.decision == Decision::sealed) {
    return {answered(ESRCH, "the runtime has ended")};
  }
  // The worker's own hook may take its readiness back for a while (file `busy`).
  if (!seen.value.ready || exists(folder + "/busy")) {
    return {answered(EAGAIN, "runtime is not ready for input, status=" + status_of(seen.value))};
  }
  char number[32];
  ::snprintf(number, sizeof number, "%04lu-", inbox.empty() ? 1UL : inbox.back().number + 1);
  const auto created = create_exclusively(folder + "/inbox", number + id.value, text);
  return {answered(created.created == Created::failed ? created.error : 0)};
}

Reply<RecordSighting> FileRecords::read(const AttemptId& attempt) {
  const auto folder = folder_of(attempt);
  struct stat seen{};
  if (::stat(folder.c_str(), &seen) != 0) return {answered(errno)};
  RecordSighting sighting;
  // The record before the decision, and the inbox before the record: what is read later may say more, never
  // less.
  const auto inbox = inbox_of(folder);
  const auto record = read_file(folder + "/record", largest_record);
  if (record.error != 0 && record.error != ENOENT) return {answered(record.error)};
  absorb_record(record.text, sighting);
  const auto file = read_file(folder + "/decision", 4096);
  if (file.error == 0) {
    const auto decision = parse_decision(file.text);
    sighting.decision = decision.decision;
    sighting.runner = decision.runner;
    if (decision.decision == Decision::started) sighting.started_at = decision.at;
  } else {
    sighting.decision = file.error == ENOENT ? Decision::none : Decision::unreadable;
  }
  sighting.accepted = exists(folder + "/accepted");
  const auto stream = stream_extent(folder);
  sighting.stream_bytes = stream.bytes;
  sighting.last_output_at = {stream.last_written_ms};
  for (const auto& entry : inbox) {
    if (std::ranges::find(sighting.messages, entry.id, &MessageSighting::id) == sighting.messages.end()) {
      sighting.messages.push_back({entry.id, MessageProgress::posted, {}});
    }
  }
  return {answered(0), std::move(sighting)};
}

Reply<std::string> FileRecords::read_stream(const AttemptId& attempt, std::int64_t offset,
                                            std::int64_t at_most) {
  if (offset < 0 || at_most < 0) return {answered(EINVAL)};
  auto piece = read_stream_piece(folder_of(attempt), offset, at_most);
  if (piece.next_known > offset) {
    auto raw = answered(ENODATA, "bytes " + std::to_string(offset) + " to " +
                                     std::to_string(piece.next_known) + " of the stream were dropped");
    raw.text = std::to_string(piece.next_known);
    return {std::move(raw)};
  }
  return {answered(piece.error), std::move(piece.bytes)};
}

Reply<std::string> FileRecords::read_said(const AttemptId& attempt, std::int64_t offset) {
  if (offset < 0) return {answered(EINVAL)};
  const auto folder = folder_of(attempt);
  auto file = read_file(folder + "/said", largest_said_piece, static_cast<std::size_t>(offset));
  if (file.error == ENOENT && exists(folder)) return {answered(0)};
  if (file.error != 0) return {answered(file.error)};
  const auto last = file.text.rfind('\n');
  file.text.resize(last == std::string::npos ? 0 : last + 1);
  return {answered(0), std::move(file.text)};
}

Reply<std::vector<AttemptId>> FileRecords::list() {
  DIR* dir = ::opendir(folder_.c_str());
  if (dir == nullptr) return {answered(errno)};
  std::vector<AttemptId> attempts;
  errno = 0;
  while (const dirent* entry = ::readdir(dir)) {
    if (auto attempt = parse_attempt_key(entry->d_name)) attempts.push_back(std::move(*attempt));
    errno = 0;
  }
  const int error = errno;
  ::closedir(dir);
  if (error != 0) return {answered(error)};
  std::ranges::sort(attempts);
  return {answered(0), std::move(attempts)};
}

}  // namespace holdfast
