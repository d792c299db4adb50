#include "dispatcher/runner/stream_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

constexpr std::int64_t smallest_limit = 64 << 10;
constexpr std::string_view head_name = "stream";

struct Segment {
  std::int64_t begin = 0, end = 0, written_ms = 0;
  std::string path;
};

// Ordered by offset. A file that vanishes meanwhile (the writer dropped it) is not in it.
std::vector<Segment> segments_in(const std::string& folder, int& error) {
  std::vector<Segment> found;
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) {
    error = errno;
    return found;
  }
  while (const dirent* entry = ::readdir(dir)) {
    std::string_view name = entry->d_name;
    if (!name.starts_with(head_name)) continue;
    Segment segment;
    segment.path = folder + "/" + entry->d_name;
    name.remove_prefix(head_name.size());
    if (!name.empty()) {
      if (name.front() != '.') continue;
      name.remove_prefix(1);
      const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), segment.begin);
      if (wrong != std::errc{} || end != name.data() + name.size() || segment.begin < 0) continue;
    }
    struct stat seen{};
    if (::lstat(segment.path.c_str(), &seen) != 0 || !S_ISREG(seen.st_mode)) continue;
    segment.end = segment.begin + seen.st_size;
    segment.written_ms =
        static_cast<std::int64_t>(seen.st_mtim.tv_sec) * 1000 + seen.st_mtim.tv_nsec / 1'000'000;
    found.push_back(std::move(segment));
  }
  ::closedir(dir);
  std::ranges::sort(found, {}, &Segment::begin);
  return found;
}

}  // namespace

StreamFile::StreamFile(std::string folder, std::int64_t limit)
    : folder_(std::move(folder)), head_(std::max(limit, smallest_limit) / 2), tail_(head_ / 2) {}

void StreamFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (left_ == 0) next_file();
    const auto take = std::min<std::int64_t>(left_, static_cast<std::int64_t>(bytes.size()));
    const auto part = bytes.substr(0, static_cast<std::size_t>(take));
    if (!file_.open() || write_all(file_.get(), part) != 0) {
      // A file must not hold fewer bytes than its offsets say: what follows goes into a new one.
      file_.reset();
      left_ = take;
    }
    left_ -= take;
    offset_ += take;
    bytes.remove_prefix(part.size());
  }
}

void StreamFile::sync() {
  if (file_.open()) ::fdatasync(file_.get());
}

void StreamFile::next_file() {
  const bool first = offset_ == 0;
  const auto path = folder_ + "/" + std::string{head_name} + (first ? "" : "." + std::to_string(offset_));
  file_ = Fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  left_ = first ? head_ : tail_;
  if (first) return;
  tails_.push_back(path);
  if (tails_.size() > 2) {
    ::unlink(tails_.front().c_str());
    tails_.erase(tails_.begin());
  }
}

StreamPiece read_stream_piece(const std::string& folder, std::int64_t offset, std::int64_t at_most) {
  StreamPiece piece;
  const auto segments = segments_in(folder, piece.error);
  for (const auto& segment : segments) {
    if (segment.end <= offset) continue;
    if (segment.begin > offset) {
      piece.next_known = segment.begin;
      return piece;
    }
    const auto from = static_cast<std::size_t>(offset - segment.begin);
    const auto length = std::min(at_most, segment.end - offset);
    auto file = read_file(segment.path, static_cast<std::size_t>(std::max<std::int64_t>(length, 0)), from);
    piece.error = file.error;
    piece.bytes = std::move(file.text);
    return piece;
  }
  return piece;
}

StreamExtent stream_extent(const std::string& folder) {
  StreamExtent extent;
  int error = 0;
  for (const auto& segment : segments_in(folder, error)) {
    extent.bytes = std::max(extent.bytes, segment.end);
    if (segment.end > segment.begin)
      extent.last_written_ms = std::max(extent.last_written_ms, segment.written_ms);
  }
  return extent;
}

}  // namespace holdfast
