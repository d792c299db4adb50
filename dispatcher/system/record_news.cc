#include "dispatcher/system/record_news.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "dispatcher/core/names.h"

namespace holdfast {

RecordNews::RecordNews(std::string folder)
    : folder_(std::move(folder)), news_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  folder_watch_ = ::inotify_add_watch(news_.get(), folder_.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB);
}

int RecordNews::watch(const AttemptId& attempt) {
  const std::lock_guard hold{mutex_};
  const auto path = folder_ + "/" + attempt_key(attempt);
  const int watch =
      ::inotify_add_watch(news_.get(), path.c_str(), IN_CREATE | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB);
  if (watch < 0) return errno;
  watched_[watch] = attempt;
  return 0;
}

void RecordNews::unwatch(const AttemptId& attempt) {
  const std::lock_guard hold{mutex_};
  for (auto it = watched_.begin(); it != watched_.end();) {
    if (it->second == attempt) {
      ::inotify_rm_watch(news_.get(), it->first);
      it = watched_.erase(it);
    } else {
      ++it;
    }
  }
}

RecordNews::Heard RecordNews::drain() {
  Heard heard;
  const std::lock_guard hold{mutex_};
  std::set<AttemptId> named;
  alignas(inotify_event) std::array<char, 65536> space;
  for (auto got = ::read(news_.get(), space.data(), space.size()); got > 0;
       got = ::read(news_.get(), space.data(), space.size())) {
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, space.data() + at, sizeof event);
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        // Some were lost, nobody knows whose.
        for (const auto& [watch, attempt] : watched_) named.insert(attempt);
        heard.woken = true;
      } else if (event.wd == folder_watch_) {
        heard.woken = true;
      } else if ((event.mask & IN_IGNORED) != 0) {
        watched_.erase(event.wd);  // its folder is gone
      } else if (const auto found = watched_.find(event.wd); found != watched_.end()) {
        named.insert(found->second);
      }
    }
  }
  heard.attempts.assign(named.begin(), named.end());
  return heard;
}

}  // namespace holdfast
