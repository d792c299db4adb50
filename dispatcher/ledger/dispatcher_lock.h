// One dispatcher for each state folder. The lock is the kernel's: it is gone with its owner, however that
// ended, and a stale file says nothing.
#pragma once

#include <expected>
#include <memory>
#include <string>

namespace holdfast {

struct LockTrouble {
  bool held = false;  // by another dispatcher; else it could not even be tried
  std::string words;
};

class DispatcherLock {
 public:
  DispatcherLock(DispatcherLock&&) noexcept;
  DispatcherLock& operator=(DispatcherLock&&) noexcept;
  ~DispatcherLock();

 private:
  friend std::expected<DispatcherLock, LockTrouble> lock_dispatcher(const std::string&);
  struct Held;
  explicit DispatcherLock(std::unique_ptr<Held>);
  std::unique_ptr<Held> held_;
};

// Takes <state_folder>/dispatcher.lock, or says who holds it: "... pid 4711 on build-7 ...". Children do not
// inherit it.
std::expected<DispatcherLock, LockTrouble> lock_dispatcher(const std::string& state_folder);

// Whether a dispatcher works there; takes nothing and writes nothing. unknown: the file cannot be looked at.
enum class DispatcherRuns { yes, no, unknown };
DispatcherRuns dispatcher_runs(const std::string& state_folder);

}  // namespace holdfast
