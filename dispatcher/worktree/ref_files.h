// Refs as files: what the hot path reads and writes without starting a process.
//
// The protocol is git's own ("name.lock" made exclusively, filled, renamed), so that a git that runs at the
// same time sees a complete ref or none, and its lock is respected. Only what is simple is done here; for
// everything else the answer is `ask_git`, never a guess.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

using RefMap = std::map<std::string, std::string>;  // full ref name -> commit

struct Head {
  std::string ref;  // "refs/heads/x" when symbolic
  std::string oid;  // when detached
  [[nodiscard]] bool readable() const { return !ref.empty() || !oid.empty(); }
  friend bool operator==(const Head&, const Head&) = default;
};

class RefFiles {
 public:
  explicit RefFiles(std::string common_dir) : common_(std::move(common_dir)) {}

  // nullopt: there is no such ref, or it is nothing simple. Follows symbolic refs.
  [[nodiscard]] std::optional<std::string> resolve(const std::string& ref) const;

  // The refs of these patterns: a full name, a folder ("refs/holdfast/keep/T-1/"), or the beginning of names
  // in one folder ("refs/heads/hf/T-1-*"). Symbolic ones are left out. Only below refs/heads/ and
  // refs/holdfast/, where every ref is a commit, and refs/stash. nullopt: something there is nothing simple.
  //
  // git itself reads every ref of a folder to find one in it: with a thousand branches of earlier attempts
  // that is what an inspection would cost.
  [[nodiscard]] std::optional<RefMap> list(const std::vector<std::string>& patterns) const;

  enum class Made { now, exists, ask_git };
  [[nodiscard]] Made create(const std::string& ref, const std::string& oid) const;

  // HEAD of one worktree. False: somebody holds its lock, or the disk refused; nothing was changed then.
  static Head read_head(const std::string& admin);
  [[nodiscard]] static bool write_head(const std::string& admin, const std::string& content);
  // The same, only if it still is what was read. False: it is something else now, too.
  [[nodiscard]] static bool move_head(const std::string& admin, const Head& from, const std::string& content);
  // Of an earlier call of ours that was killed. REQUIRES: nobody else makes this ref.
  void drop_lock(const std::string& ref) const;

 private:
  enum class Packed { no, yes, in_the_way };
  [[nodiscard]] Packed packed(const std::string& ref, std::string& oid) const;

  std::string common_;
};

}  // namespace holdfast
