#include "dispatcher/worktree/git.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace holdfast {
namespace {

constexpr std::size_t raw_text_limit = 65536;

// What a git that is not hostile may need from ours: where programs, keys and proxies are. Nothing named
// GIT_*.
constexpr const char* passed_on[] = {
    "PATH",       "HOME",        "USER",        "LOGNAME",       "XDG_CONFIG_HOME",
    "TMPDIR",     "TZ",          "LD_PRELOAD",  "SSH_AUTH_SOCK", "LD_LIBRARY_PATH",
    "http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY",    "no_proxy",
    "NO_PROXY",   "all_proxy",   "ALL_PROXY",   "SSL_CERT_FILE", "SSL_CERT_DIR"};

constexpr const char* fixed_settings[] = {"core.hooksPath=/dev/null",
                                          "core.fsmonitor=false",
                                          "core.untrackedCache=false",
                                          "core.trustctime=true",
                                          "core.checkStat=default",
                                          "core.ignoreStat=false",
                                          "core.askPass=",
                                          "core.quotePath=false",
                                          "core.pager=cat",
                                          "core.editor=false",
                                          "gc.auto=0",
                                          "maintenance.auto=false",
                                          "commit.gpgSign=false",
                                          "push.gpgSign=false",
                                          "merge.verifySignatures=false",
                                          "protocol.ext.allow=never",
                                          "submodule.recurse=false",
                                          "status.showUntrackedFiles=all",
                                          "rerere.enabled=false",
                                          "advice.detachedHead=false",
                                          "core.logAllRefUpdates=true"};

// Looked for once, not in every folder of PATH by each of the many children.
std::string found_in_path(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  const char* path = std::getenv("PATH");
  for (const std::string& folder : split(path ? path : "", ':'))
    if (const std::string file = folder + "/" + program;
        folder.starts_with('/') && ::access(file.c_str(), X_OK) == 0)
      return file;
  return program;
}

}  // namespace

Git::Git(GitSettings settings) : settings_(std::move(settings)) {
  settings_.program = found_in_path(settings_.program);
  for (const char* name : passed_on)
    if (const char* value = std::getenv(name)) base_env_.push_back(std::string(name) + "=" + value);
  base_env_.insert(base_env_.end(),
                   {"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_PAGER=cat", "GIT_EDITOR=false",
                    "GIT_SEQUENCE_EDITOR=false", "GIT_MERGE_AUTOEDIT=no", "GIT_ATTR_NOSYSTEM=1",
                    "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1", "GCM_INTERACTIVE=never"});
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    base_env_.push_back(std::string("GIT_") + who + "_NAME=" + settings_.name);
    base_env_.push_back(std::string("GIT_") + who + "_EMAIL=" + settings_.email);
  }
}

std::vector<std::string> Git::environment(const GitPlace& place) const {
  std::vector<std::string> env = base_env_;
  const auto set = [&env](const char* name, const std::string& value) {
    if (!value.empty()) env.push_back(std::string(name) + "=" + value);
  };
  set("GIT_DIR", place.git_dir);
  set("GIT_WORK_TREE", place.work_tree);
  set("GIT_INDEX_FILE", place.index);
  set("GIT_OBJECT_DIRECTORY", place.objects);
  // A list that colons separate; git reads an entry in quotes as one, whatever is in it.
  if (!place.alternates.empty()) {
    std::string quoted = "\"";
    for (const char c : place.alternates)
      quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    set("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted + "\"");
  }
  env.insert(env.end(), settings_.extra_env.begin(), settings_.extra_env.end());
  return env;
}

ChildEnd Git::run(const GitPlace& place, const std::vector<std::string>& args, const GitHow& how) const {
  ChildCommand command;
  command.argv.reserve(args.size() + 1 + 2 * std::size(fixed_settings));
  command.argv.push_back(settings_.program);
  for (const char* setting : fixed_settings) {
    command.argv.emplace_back("-c");
    command.argv.emplace_back(setting);
  }
  command.argv.insert(command.argv.end(), args.begin(), args.end());
  command.env = environment(place);
  // Reading must not take index.lock: a worker's own git would trip over it.
  command.env.emplace_back("GIT_OPTIONAL_LOCKS=0");
  command.cwd = place.folder;
  command.input = std::string(how.input);
  command.input_fd = how.input_fd;
  command.output_fd = how.output_fd;
  command.lock_fd = how.lock_fd;
  return run_child(command, how.deadline);
}

RawReply raw_of(const ChildEnd& end) {
  RawReply raw{end.transport, end.code, end.out.substr(0, raw_text_limit),
               end.error.substr(0, raw_text_limit)};
  // An answer that we did not read to its end is no answer.
  if (end.dropped && end.transport == Transport::answered) {
    raw.transport = Transport::cut;
    raw.error = "more output than can be kept\n" + raw.error;
  }
  return raw;
}

RawReply refused(std::string why, int code) {
  return {Transport::answered, code, "", std::move(why)};
}
RawReply not_sent(std::string why) {
  return {Transport::never_sent, 0, "", std::move(why)};
}
RawReply fine() {
  return {Transport::answered, 0, "", ""};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const auto at = text.find(separator);
    pieces.emplace_back(text.substr(0, at));
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  }
  return pieces;
}

std::string trimmed(std::string_view text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  const auto begin = text.find_first_not_of(" \t\r\n");
  return end == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin + 1));
}

bool is_object_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace holdfast
