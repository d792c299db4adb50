#include "dispatcher/worktree/ref_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/fd.h"
#include "dispatcher/worktree/git.h"

namespace holdfast {
namespace {

constexpr std::size_t longest_loose_ref = 4096;
constexpr std::size_t longest_packed_refs = std::size_t{64} << 20;

// Readers see the old file or the complete new one. Not flushed, as git itself does not flush refs unless it
// is told to: after a power cut there is no worker, and the slot is salvaged and given back anyway.
template <class StillWanted>
bool replace_under_lock(const std::string& path, std::string_view content, StillWanted still_wanted) {
  const std::string lock = path + ".lock";
  const Fd fd(::open(lock.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd.open()) return false;
  if (still_wanted() && write_all(fd.get(), content) == 0 && std::rename(lock.c_str(), path.c_str()) == 0)
    return true;
  ::unlink(lock.c_str());
  return false;
}

// A worker can write anything into its HEAD: no name leads out of the folder of refs.
bool is_plain(std::string_view name) {
  return name.starts_with("refs/") && name.find("..") == std::string_view::npos &&
         name.find("//") == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

bool is_of(const std::string& ref, const std::string& pattern) {
  if (pattern.ends_with('/')) return ref.starts_with(pattern);
  if (!pattern.ends_with('*')) return ref == pattern;
  const std::string_view begin = std::string_view(pattern).substr(0, pattern.size() - 1);
  return ref.starts_with(begin) && ref.find('/', begin.size()) == std::string::npos;
}

enum class Loose { commit, symbolic, none, nothing_simple };
Loose read_loose(const std::string& path, std::string& oid) {
  const FileText file = read_file(path, longest_loose_ref);
  if (file.error == ENOENT || file.error == EISDIR || file.error == ENOTDIR) return Loose::none;
  if (file.error != 0) return Loose::nothing_simple;
  oid = trimmed(file.text);
  if (oid.starts_with("ref: ")) return Loose::symbolic;
  return is_object_id(oid) ? Loose::commit : Loose::nothing_simple;
}

bool make_parents(const std::string& base, const std::string& ref) {
  for (auto at = ref.find('/'); at != std::string::npos; at = ref.find('/', at + 1))
    if (::mkdir((base + "/" + ref.substr(0, at)).c_str(), 0777) != 0 && errno != EEXIST) return false;
  return true;
}

}  // namespace

RefFiles::Packed RefFiles::packed(const std::string& ref, std::string& oid) const {
  const FileText file = read_file(common_ + "/packed-refs", longest_packed_refs);
  if (file.error == ENOENT) return Packed::no;
  if (file.error != 0 || file.longer) return Packed::in_the_way;
  std::string_view rest = file.text;
  for (auto at = rest.find(ref); at != std::string_view::npos; at = rest.find(ref, at + 1)) {
    if (at < 41 || rest[at - 1] != ' ') continue;
    const auto end = at + ref.size();
    if (end < rest.size() && rest[end] == '/') return Packed::in_the_way;  // a folder of refs has that name
    if (end < rest.size() && rest[end] != '\n' && rest[end] != '\r') continue;
    const auto newline = rest.rfind('\n', at);
    const auto begin = newline == std::string_view::npos ? 0 : newline + 1;
    oid = std::string(rest.substr(begin, at - 1 - begin));
    return is_object_id(oid) ? Packed::yes : Packed::in_the_way;
  }
  return Packed::no;
}

std::optional<std::string> RefFiles::resolve(const std::string& ref) const {
  std::string name = ref;
  for (int hops = 0; hops < 6; ++hops) {
    if (!is_plain(name)) return std::nullopt;
    FileText file = read_file(common_ + "/" + name, longest_loose_ref);
    std::string oid;
    if (file.error != 0) {
      if (packed(name, oid) == Packed::yes) return oid;
      // It may have been packed, then loosened again, between the two looks.
      file = read_file(common_ + "/" + name, longest_loose_ref);
      if (file.error != 0) return std::nullopt;
    }
    std::string text = trimmed(file.text);
    if (is_object_id(text)) return text;
    if (!text.starts_with("ref: refs/")) return std::nullopt;
    name = text.substr(5);
  }
  return std::nullopt;
}

std::optional<RefMap> RefFiles::list(const std::vector<std::string>& patterns) const {
  namespace fs = std::filesystem;
  std::error_code none;
  if (fs::exists(common_ + "/reftable", none)) return std::nullopt;
  RefMap found;
  std::vector<std::string> symbolic;  // and what is packed under that name does not count
  bool simple = true;
  const auto take = [&](const std::string& ref) {
    std::string oid;
    switch (read_loose(common_ + "/" + ref, oid)) {
      case Loose::commit: found[ref] = oid; return;
      case Loose::symbolic: symbolic.push_back(ref); return;
      case Loose::none: return;
      case Loose::nothing_simple: simple = false; return;
    }
  };
  // Loose ones first: what is packed meanwhile is in the packed ones by then.
  for (const std::string& pattern : patterns) {
    const bool fine = pattern.starts_with("refs/heads/") || pattern.starts_with("refs/holdfast/") ||
                      pattern == "refs/stash";
    if (!fine || !is_plain(pattern.substr(0, pattern.size() - 1))) return std::nullopt;
    if (pattern.ends_with('/')) {
      for (fs::recursive_directory_iterator at(common_ + "/" + pattern, none), end; !none && at != end;
           at.increment(none))
        if (!at->is_directory(none) && !at->path().string().ends_with(".lock"))
          take(at->path().string().substr(common_.size() + 1));
    } else if (pattern.ends_with('*')) {
      const std::string folder = pattern.substr(0, pattern.rfind('/') + 1);
      for (fs::directory_iterator at(common_ + "/" + folder, none), end; !none && at != end;
           at.increment(none))
        if (const std::string ref = folder + at->path().filename().string();
            is_of(ref, pattern) && !ref.ends_with(".lock"))
          take(ref);
    } else {
      take(pattern);
    }
    if (none && none != std::errc::no_such_file_or_directory && none != std::errc::not_a_directory)
      return std::nullopt;
    none.clear();
  }
  if (!simple) return std::nullopt;
  const FileText packed = read_file(common_ + "/packed-refs", longest_packed_refs);
  if (packed.error == ENOENT) return found;
  if (packed.error != 0 || packed.longer) return std::nullopt;
  for (std::string_view rest = packed.text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto space = line.find(' ');
    if (space == std::string_view::npos || line[0] == '#' || line[0] == '^') continue;
    const std::string ref(line.substr(space + 1));
    const auto wanted = [&ref](const std::string& pattern) { return is_of(ref, pattern); };
    if (std::ranges::any_of(patterns, wanted) && is_object_id(line.substr(0, space)))
      found.try_emplace(ref, line.substr(0, space));
  }
  for (const std::string& ref : symbolic) found.erase(ref);
  return found;
}

RefFiles::Made RefFiles::create(const std::string& ref, const std::string& oid) const {
  const std::string path = common_ + "/" + ref;
  struct stat there{};
  if (::lstat(path.c_str(), &there) == 0) return S_ISREG(there.st_mode) ? Made::exists : Made::ask_git;
  std::string old;
  switch (packed(ref, old)) {
    case Packed::yes: return Made::exists;
    case Packed::in_the_way: return Made::ask_git;
    case Packed::no: break;
  }
  // A packed ref may be called like one of our folders ("refs/heads/hf"): no ref can live below it.
  for (auto at = ref.find('/', 11); at != std::string::npos; at = ref.find('/', at + 1))
    if (packed(ref.substr(0, at), old) == Packed::yes) return Made::ask_git;
  if (!make_parents(common_, ref)) return Made::ask_git;
  // The lock comes first, the last look after it: whoever creates the same ref holds the same lock meanwhile.
  const std::string lock = path + ".lock";
  const Fd fd(::open(lock.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd.open()) return Made::ask_git;
  if (::lstat(path.c_str(), &there) == 0 || packed(ref, old) != Packed::no) {
    ::unlink(lock.c_str());
    return Made::exists;
  }
  if (write_all(fd.get(), oid + "\n") == 0 && std::rename(lock.c_str(), path.c_str()) == 0) return Made::now;
  ::unlink(lock.c_str());
  return Made::ask_git;
}

void RefFiles::drop_lock(const std::string& ref) const {
  ::unlink((common_ + "/" + ref + ".lock").c_str());
}

Head RefFiles::read_head(const std::string& admin) {
  const FileText file = read_file(admin + "/HEAD", longest_loose_ref);
  if (file.error != 0) return {};
  const std::string text = trimmed(file.text);
  if (is_object_id(text)) return {.ref = "", .oid = text};
  if (text.starts_with("ref: ")) return {.ref = trimmed(text.substr(5)), .oid = ""};
  return {};
}

bool RefFiles::write_head(const std::string& admin, const std::string& content) {
  return replace_under_lock(admin + "/HEAD", content + "\n", [] { return true; });
}

bool RefFiles::move_head(const std::string& admin, const Head& from, const std::string& content) {
  return replace_under_lock(admin + "/HEAD", content + "\n", [&] { return read_head(admin) == from; });
}

}  // namespace holdfast
