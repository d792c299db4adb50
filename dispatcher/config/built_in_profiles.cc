// The worker profiles that every installation has. What an agent prints and how it is started changes with
// its versions; each field can be changed in holdfast.json without restating the others. See
// docs/worker-profiles.md.
#include "dispatcher/config/fields.h"

namespace holdfast {
namespace {

// The words that report stand here without their colon: text that comes back from a terminal cannot look like
// a report, and no report that a worker makes can be taken for this text.
constexpr const char* how_to_report =
    "You work alone on ticket {ticket}, in a git worktree and on a branch of your own. Stay in this worktree "
    "and on this branch, and commit your work; do not push, merge or rebase.\n"
    "Report with a line of its own that begins with one of three words in capitals, directly followed by a "
    "colon. "
    "The word is DONE, and after the colon stands one sentence, when everything is finished and committed. "
    "It is "
    "REVIEW, and one sentence, when it is committed and a person should look at it first. It is QUESTION, "
    "and the "
    "question, when you cannot go on without an answer; then wait: the answer is typed to you here.\n"
    "The ticket:\n";

std::vector<std::string> usual_environment() {
  return {"PATH",        "HOME",     "USER",       "LOGNAME",     "SHELL",    "LANG",          "LANGUAGE",
          "LC_*",        "TZ",       "TMPDIR",     "COLORTERM",   "XDG_*",    "SSH_AUTH_SOCK", "http_proxy",
          "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"};
}

Profile generic() {
  Profile p;
  p.name = "generic";
  p.environment_allow = usual_environment();
  p.preamble = how_to_report;
  return p;
}

// The ticket's body is a script. Its first two lines in the prompt's file are the title and an empty one.
Profile shell() {
  Profile p = generic();
  p.name = "shell";
  const char* const run_it =
      "tail -n +3 -- \"$1\" > \"$HOLDFAST_RECORD/script\" && sh \"$HOLDFAST_RECORD/script\" && "
      "printf '\\nDONE: the script ended with exit code 0\\n'";  // its last line may have had no end
  p.command = {"/bin/sh", "-c", run_it, "holdfast-shell", "{prompt_file}"};
  p.prompt_by = PromptBy::file;
  p.preamble = "";
  return p;
}

Profile claude() {
  Profile p = generic();
  p.name = "claude";
  p.command = {"claude", "--permission-mode", "acceptEdits"};
  for (const char* name : {"ANTHROPIC_*", "CLAUDE_*"}) p.environment_allow.emplace_back(name);
  p.ready_by = ReadyBy::pattern;
  p.ready_pattern = "? for shortcuts";
  p.enter_delay = millis(300);
  p.word_at = WordAt::drawn;
  p.limit_patterns = {"usage limit reached", "You've hit your limit", "You've reached your usage limit"};
  p.permission_patterns = {"Do you want to proceed?", "Do you want to make this edit",
                           "Do you want to create", "Do you trust the files in this folder?"};
  p.account = "anthropic";
  return p;
}

Profile codex() {
  Profile p = generic();
  p.name = "codex";
  p.command = {"codex", "--sandbox", "workspace-write", "--ask-for-approval", "on-request"};
  for (const char* name : {"OPENAI_*", "CODEX_*"}) p.environment_allow.emplace_back(name);
  p.ready_by = ReadyBy::pattern;
  p.ready_pattern = "OpenAI Codex";
  p.enter_delay = millis(300);
  p.word_at = WordAt::drawn;
  p.limit_patterns = {"You've hit your usage limit", "usage limit has been reached"};
  p.permission_patterns = {"Would you like to run the following command?", "Allow command?",
                           "Do you trust the contents of this directory?"};
  p.account = "openai";
  return p;
}

}  // namespace

const std::map<std::string, Profile>& built_in_profiles() {
  static const std::map<std::string, Profile> all{
      {"generic", generic()}, {"shell", shell()}, {"claude", claude()}, {"codex", codex()}};
  return all;
}

}  // namespace holdfast
