// The terminal that the worker sits on, seen from its master side. Nothing here ever blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/system/fd.h"

namespace holdfast {

class InnerPty {
 public:
  // errno; 0: open, and `slave()` can be given to a child until drop_slave().
  int open(int columns, int rows);
  [[nodiscard]] int master() const { return master_.get(); }
  [[nodiscard]] int slave() const { return slave_.get(); }
  void drop_slave() { slave_.reset(); }

  void resize(int columns, int rows);

  // What was written by us and not yet taken by the kernel keeps its order; a person's keys wait behind a
  // paste.
  void queue(std::string_view bytes) { pending_ += bytes; }
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }
  void flush();

  enum class Read { some, nothing_now, closed };
  Read read(std::string& into);

  // Lines are assembled by the kernel, which then drops what is past 4095 bytes of one.
  [[nodiscard]] bool canonical() const;
  [[nodiscard]] bool return_means_newline() const;

  // How many bytes wait on the worker's side, unread; nullopt where the kernel does not say.
  [[nodiscard]] std::optional<int> unread() const;

 private:
  Fd master_, slave_;
  std::string pending_;
};

}  // namespace holdfast
