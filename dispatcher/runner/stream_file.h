// Everything the worker wrote to its terminal, within bounds.
//
// Layout: `stream` holds the bytes from 0 up to half the limit. Past that, bytes go to files named
// `stream.<offset>`, each a quarter of the limit long and named by the offset of its first byte in the
// worker's true output; the last two are kept. So an offset always means the same byte, and a hole between
// `stream` and the oldest tail file is what was dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/system/fd.h"

namespace holdfast {

class StreamFile {
 public:
  StreamFile(std::string folder, std::int64_t limit);

  // What cannot be written (disk full) is counted as dropped; the worker goes on.
  void append(std::string_view bytes);
  void sync();
  [[nodiscard]] std::int64_t bytes() const { return offset_; }

 private:
  void next_file();

  std::string folder_;
  std::int64_t head_, tail_;  // how long the files may become
  std::int64_t offset_ = 0;   // of the next byte of the true output
  std::int64_t left_ = 0;     // room in the current file
  Fd file_;
  std::vector<std::string> tails_;
};

// The reader's side.
struct StreamPiece {
  int error = 0;                // errno
  std::string bytes;            // from the asked offset on; empty at the end
  std::int64_t next_known = 0;  // where the asked offset was dropped: the first offset after it that is kept
};
StreamPiece read_stream_piece(const std::string& folder, std::int64_t offset, std::int64_t at_most);

struct StreamExtent {
  std::int64_t bytes = 0;            // length of the true output, dropped bytes included
  std::int64_t last_written_ms = 0;  // wall clock; 0: there is no stream
};
StreamExtent stream_extent(const std::string& folder);

}  // namespace holdfast
