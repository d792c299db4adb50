#include "dispatcher/worktree/ref_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
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
