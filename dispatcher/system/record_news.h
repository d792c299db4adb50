// Tells that something was written into a record folder. News only wakes; what it is, is found by reading the
// record.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "dispatcher/core/ids.h"
#include "dispatcher/system/fd.h"

namespace holdfast {

// Safe for several threads at once. Where the kernel has no watches left to give, watch() says so with an
// errno, and the attempt has to be looked at by the clock.
class RecordNews {
 public:
  // `folder`: of all attempts, as given to FileRecords. A file named `wake` that is touched in it makes fd()
  // readable too.
  explicit RecordNews(std::string folder);

  int watch(const AttemptId&);  // errno; its folder must be there; watching twice is watching once
  void unwatch(const AttemptId&);

  [[nodiscard]] int fd() const { return news_.get(); }  // for poll or epoll; readable when there are news
  struct Heard {
    std::vector<AttemptId> attempts;  // each once
    bool woken = false;               // the folder's own `wake` was touched
  };
  Heard drain();  // what came since the last call; fd() is not readable any more

 private:
  std::string folder_;
  Fd news_;
  int folder_watch_ = -1;
  std::mutex mutex_;
  std::map<int, AttemptId> watched_;
};

}  // namespace holdfast
