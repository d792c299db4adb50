#include "dispatcher/worktree/repository.h"

#include <charconv>
#include <filesystem>

#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

constexpr int oldest_major = 2, oldest_minor = 38;  // merge-tree --write-tree

std::string first_line(const fs::path& file) {
  const FileText read = read_file(file.string(), 65536);
  return read.error != 0 ? "" : trimmed(read.text.substr(0, read.text.find('\n')));
}

bool looks_like_git_dir(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "HEAD", ignored) &&
         (fs::is_directory(folder / "objects", ignored) || fs::exists(folder / "commondir", ignored));
}

struct Version {
  int major = 0, minor = 0;
};

Version version_in(const std::string& words) {  // "git version 2.39.5 (Apple ...)"
  Version version;
  const auto at = words.find_first_of("0123456789");
  if (at == std::string::npos) return version;
  const char* const end = words.data() + words.size();
  const auto major = std::from_chars(words.data() + at, end, version.major);
  if (major.ptr != end && *major.ptr == '.') std::from_chars(major.ptr + 1, end, version.minor);
  return version;
}

}  // namespace

Repository locate_repository(const std::string& path) {
  std::error_code failed;
  fs::path given = fs::canonical(path, failed);
  if (failed) return {};
  fs::path git_dir = given;
  if (!looks_like_git_dir(git_dir)) {
    git_dir = given / ".git";
    if (const std::string line = first_line(git_dir); line.starts_with("gitdir: "))
      git_dir = fs::weakly_canonical(given / line.substr(8), failed);
  }
  if (!looks_like_git_dir(git_dir)) return {};
  if (const std::string shared = first_line(git_dir / "commondir"); !shared.empty())
    git_dir = fs::weakly_canonical(git_dir / shared, failed);
  if (failed || !looks_like_git_dir(git_dir)) return {};
  Repository found;
  found.common_dir = git_dir.string();
  if (git_dir.filename() == ".git") found.main_path = git_dir.parent_path().string();
  return found;
}

std::vector<std::string> check_repository(const std::string& path, const std::string& target,
                                          const GitSettings& settings, Duration deadline) {
  const Deadline until(deadline);
  const GitHow how{until};
  const Git git(settings);
  std::vector<std::string> wrong;
  const ChildEnd version = git.run({}, {"--version"}, how);
  if (!version.answered())
    return {"git cannot be run as \"" + settings.program + "\": " + trimmed(version.error)};
  if (const Version v = version_in(version.out);
      v.major < oldest_major || (v.major == oldest_major && v.minor < oldest_minor))
    wrong.push_back("git is too old (" + trimmed(version.out) +
                    "): 2.38 or newer is needed to merge in memory");

  const Repository repository = locate_repository(path);
  if (repository.common_dir.empty()) {
    wrong.push_back("\"" + path + "\" is not a git repository");
    return wrong;
  }
  const GitPlace place{.git_dir = repository.common_dir};
  const ChildEnd opened = git.run(place, {"rev-parse", "--is-shallow-repository"}, how);
  if (!opened.answered()) {
    wrong.push_back("git cannot read \"" + path + "\": " + trimmed(opened.error));
    return wrong;
  }
  if (trimmed(opened.out) == "true")
    wrong.push_back("\"" + path + "\" is a shallow clone: what is merged cannot be told without the history");
  if (std::error_code none; fs::exists(fs::path(repository.common_dir) / "reftable", none))
    wrong.push_back("\"" + path + "\" keeps its refs in reftable format, which is not supported: use files");
  if (!target.starts_with("refs/"))
    wrong.push_back("the target \"" + target + "\" is not a full ref name such as refs/heads/main");
  else if (!git.run(place, {"rev-parse", "--verify", "--quiet", "--end-of-options", target + "^{commit}"},
                    how)
                .answered())
    wrong.push_back(trimmed(git.run(place, {"rev-list", "--all", "--max-count=1"}, how).out).empty()
                        ? "\"" + path + "\" has no commits yet: make a first one on \"" + target + "\""
                        : "the target branch \"" + target + "\" does not exist in \"" + path + "\"");
  if (git.run(place, {"show-ref", "--verify", "--quiet", "refs/heads/hf"}, how).answered())
    wrong.push_back(
        "a branch named \"hf\" stands in the way of hf/<ticket>-...: rename it (git branch -m hf ...)");
  // git would make HEAD a symbolic link, which nobody else reads.
  if (trimmed(git.run(place, {"config", "--bool", "core.preferSymlinkRefs"}, how).out) == "true")
    wrong.push_back("core.preferSymlinkRefs is set in \"" + path + "\", which is not supported: unset it");
  if (std::error_code none; !fs::is_regular_file(fs::path(repository.common_dir) / "config", none))
    wrong.push_back("\"" + path + "\" has no configuration file");
  return wrong;
}

std::vector<std::string> check_remote(const std::string& path, const std::string& remote,
                                      const std::string& start, const GitSettings& settings,
                                      Duration deadline) {
  const Deadline until(deadline);
  const GitHow how{until};
  const Git git(settings);
  const GitPlace place{.git_dir = locate_repository(path).common_dir};
  // A name that is no remote would be taken for a path, or an address.
  const ChildEnd url = git.run(place, {"config", "--get", "remote." + remote + ".url"}, how);
  if (!url.answered() || trimmed(url.out).empty()) {
    std::string names;
    for (const std::string& name : split(git.run(place, {"remote"}, how).out, '\n'))
      names += (names.empty() ? "" : ", ") + name;
    return {"the remote \"" + remote + "\" has no address in \"" + path + "\" (" +
            (names.empty() ? "it has no remotes" : "its remotes: " + names) +
            "); `git remote add` makes one"};
  }
  const std::string tracked = "refs/remotes/" + remote + "/";
  if (start.starts_with(tracked) &&
      !git.run(place, {"rev-parse", "--verify", "--quiet", "--end-of-options", start + "^{commit}"}, how)
           .answered())
    return {"\"" + path + "\" does not have " + start + ", which work starts from: `git fetch " + remote +
            " " + start.substr(tracked.size()) + "` there, or set \"start_from\": \"target\""};
  return {};
}

}  // namespace holdfast
