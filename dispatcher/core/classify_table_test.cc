// The whole table of classify, written a second time and by hand: every call with every number that its
// family can answer, and with every sentence that is known. What is not listed here must be Unknown.
// docs/answers.md shows it to people.
//
// HOLDFAST_WRITE_DOCS=1 rewrites the page; commit only what you can explain.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "dispatcher/core/classify.h"

namespace holdfast {
namespace {

std::vector<Call> calls_of(Family family) {
  std::vector<Call> some;
  for (int i = 0; i <= static_cast<int>(Call::traces); ++i)
    if (const auto call = static_cast<Call>(i); family_of(call) == family) some.push_back(call);
  return some;
}

// "done", "unknown", or why it was refused.
std::string word(Why why) {
  switch (why) {
    case Why::conflict: return "conflict";
    case Why::not_ready: return "not ready";
    case Why::gone: return "gone";
    case Why::busy: return "busy";
    case Why::exhausted: return "exhausted";
    case Why::dirty: return "dirty";
    case Why::stale: return "stale";
    case Why::invalid: return "invalid";
    case Why::denied: return "denied";
  }
  __builtin_unreachable();
}
std::string what_becomes_of(Call call, int code, const std::string& words) {
  const Outcome outcome = classify(call, {Transport::answered, code, "", words});
  if (std::holds_alternative<Done>(outcome)) return "done";
  if (const auto* refused = std::get_if<Refused>(&outcome)) return word(refused->why());
  return "unknown";
}

using Numbers = std::map<int, std::string>;

const Numbers errnos{{0, "done"},       {1, "denied"},     {2, "gone"},       {3, "gone"},
                     {7, "invalid"},    {11, "not ready"}, {12, "exhausted"}, {13, "denied"},
                     {16, "busy"},      {17, "conflict"},  {22, "invalid"},   {23, "exhausted"},
                     {24, "exhausted"}, {28, "exhausted"}, {30, "denied"},    {36, "invalid"},
                     {122, "exhausted"}};
const Numbers statuses{{400, "invalid"},  {401, "denied"}, {403, "denied"},   {404, "gone"},
                       {409, "conflict"}, {410, "gone"},   {412, "conflict"}, {413, "invalid"},
                       {422, "invalid"},  {423, "busy"},   {429, "busy"}};
// Of SQLite's extended numbers the lowest byte is the kind; those from 100,001 on are our own rules'.
const Numbers results{{5, "busy"},       {6, "busy"},     {8, "denied"},  {11, "invalid"},
                      {13, "exhausted"}, {19, "invalid"}, {26, "invalid"}};
const Numbers own_results{
    {100'001, "conflict"}, {100'002, "stale"}, {100'003, "exhausted"}, {100'004, "invalid"}};

std::string said(const Numbers& numbers, int code) {
  const auto found = numbers.find(code);
  return found == numbers.end() ? "unknown" : found->second;
}

TEST(ClassifyTable, EveryErrnoOfEveryCallOnFiles) {
  for (const Call call : calls_of(Family::files))
    for (int code = -1; code <= 600; ++code)
      EXPECT_EQ(what_becomes_of(call, code, ""), said(errnos, code)) << words_for(call) << " " << code;
}

TEST(ClassifyTable, EveryStatusOfEveryCallOnABoard) {
  for (const Call call : calls_of(Family::board))
    for (int code = -1; code <= 999; ++code)
      EXPECT_EQ(what_becomes_of(call, code, ""), code >= 200 && code < 300 ? "done" : said(statuses, code))
          << words_for(call) << " " << code;
}

TEST(ClassifyTable, EveryResultCodeOfEveryCallOnTheLedger) {
  for (const Call call : calls_of(Family::ledger)) {
    for (int code = 1; code < 1 << 13; ++code)
      EXPECT_EQ(what_becomes_of(call, code, ""), said(results, code & 0xFF))
          << words_for(call) << " " << code;
    for (const auto& [code, want] : own_results) EXPECT_EQ(what_becomes_of(call, code, ""), want);
    EXPECT_EQ(what_becomes_of(call, 0, ""), "done");
  }
}

// A sentence, what it is for every call of the family, and for one that is special.
struct Sentence {
  const char* words;
  const char* usually;
  std::map<Call, const char*> but = {};
};

const std::vector<Sentence> of_tmux{
    {"duplicate session: hf-T-1-g1", "unknown", {{Call::spawn, "conflict"}}},
    {"unknown command: spawn", "invalid"},
    {"command new-session: too many arguments", "invalid"},
    {"parse error: syntax error", "invalid"},
    {"usage: new-session [-d]", "invalid"},
    {"", "unknown"},
    {"no server running on /tmp/tmux-0/hf", "unknown"},
    {"error connecting to /tmp/tmux-0/hf (No such file or directory)", "unknown"},
    {"error connecting to /tmp/tmux-0/hf (Connection refused)", "unknown"},
    {"server exited unexpectedly", "unknown"},
    {"lost server", "unknown"},
    {"can't find session: hf-T-1-g1", "unknown"},
    {"can't find pane: %7", "unknown"},
    {"no current target", "unknown"},
    {"create window failed: fork failed: Resource temporarily unavailable", "unknown"},
    {"not enough space for new pane", "unknown"},
};

std::map<Call, const char*> lookers(const char* what) {
  return {{Call::inspect, what}, {Call::traces, what}};
}
const std::vector<Sentence> of_git{
    {"dirty: notes.txt", "dirty"},
    {"stale lease: s1 is held by T-1/g2", "stale"},
    {"missing: s1 is not a worktree of this repository", "invalid"},
    {"busy: index.lock exists: another git works there, or was killed", "busy"},
    {"fatal: Unable to create '/x/.git/index.lock': File exists.", "busy"},
    {"error: could not lock config file .git/config", "busy"},
    {"fatal: a branch named 'hf/x' already exists", "conflict"},
    {"fatal: 'x' is already used by worktree at '/y'", "conflict"},
    {"fatal: 'x' is already checked out at '/y'", "conflict"},
    {"fatal: 'x' is not a commit and a branch 'y' cannot be created from it", "invalid"},
    {"fatal: invalid reference: x", "invalid"},
    {"fatal: bad revision: unknown revision or path", "invalid"},
    {"fatal: not a valid object name: 'x'", "invalid"},
    {"fatal: Needed a single revision", "invalid"},
    {"fatal: couldn't find remote ref x", "invalid"},
    {"fatal: write error: No space left on device", "unknown", lookers("exhausted")},
    {"error: file write error: Disk quota exceeded", "unknown", lookers("exhausted")},
    {"error: cannot open .git/FETCH_HEAD: Permission denied", "unknown", lookers("denied")},
    {"fatal: Unable to write new index file: Read-only file system", "unknown", lookers("denied")},
    {"cannot write the lease of s1: Permission denied or disk full", "denied"},
    {"cannot make a temporary folder: No space left, or Permission denied", "exhausted"},
    {"git@host: Permission denied (publickey).",
     "unknown",
     {{Call::push, "denied"}, {Call::inspect, "denied"}, {Call::traces, "denied"}}},
    {"fatal: Authentication failed for 'https://host/x'", "unknown", {{Call::push, "denied"}}},
    {" ! [rejected] x -> x (non-fast-forward)", "unknown"},
    {" ! [remote rejected] x -> x (pre-receive hook declined)", "unknown"},
    {"fatal: unable to access 'https://host/': Could not resolve host", "unknown"},
    {"CONFLICT (content): Merge conflict in a.txt", "unknown"},
    {"", "unknown"},
};

std::string wanted(const Sentence& s, Call call) {
  const auto special = s.but.find(call);
  return special == s.but.end() ? s.usually : special->second;
}

TEST(ClassifyTable, EverySentenceOfTmuxToEveryCall) {
  for (const Call call : calls_of(Family::tmux))
    for (const Sentence& s : of_tmux) {
      EXPECT_EQ(what_becomes_of(call, 1, s.words), wanted(s, call)) << words_for(call) << ": " << s.words;
      EXPECT_EQ(what_becomes_of(call, 0, s.words), "done");
    }
}

TEST(ClassifyTable, EverySentenceOfGitToEveryCallWithEveryNumber) {
  for (const Call call : calls_of(Family::git))
    for (const Sentence& s : of_git)
      for (int code = 1; code <= 255; ++code) {
        // Killed by a signal: whatever it had said before, the adapter's own words apart.
        const bool killed = code > 128 && code < 193;
        const std::string words = s.words;
        const bool ours =
            words.starts_with("dirty:") || words.starts_with("stale lease") || words.starts_with("missing:");
        EXPECT_EQ(what_becomes_of(call, code, words), killed && !ours ? "unknown" : wanted(s, call))
            << words_for(call) << " " << code << ": " << words;
      }
}

void numbers_of(std::ostringstream& out, const char* title, Family family, const Numbers& numbers) {
  out << "\n## " << title << "\n\nCalls:";
  for (const Call call : calls_of(family))
    out << " " << words_for(call) << (call == calls_of(family).back() ? "." : ",");
  out << "\n\n| number | becomes |\n| --- | --- |\n";
  for (const auto& [code, what] : numbers) out << "| " << code << " | " << what << " |\n";
  out << "| every other | unknown |\n";
}
void sentences_of(std::ostringstream& out, const char* title, Family family,
                  const std::vector<Sentence>& all) {
  out << "\n## " << title << "\n\nCalls:";
  for (const Call call : calls_of(family))
    out << " " << words_for(call) << (call == calls_of(family).back() ? "." : ",");
  out << "\n\n| failed, and said | becomes | but for |\n| --- | --- | --- |\n";
  for (const Sentence& s : all) {
    out << "| " << (*s.words ? "`" + std::string(s.words) + "`" : "nothing") << " | " << s.usually << " |";
    for (const auto& [call, what] : s.but)
      out << " " << words_for(call) << ": " << what << (call == s.but.rbegin()->first ? "" : ";");
    out << " |\n";
  }
}

std::string answers_page() {
  std::ostringstream out;
  out << "# What an answer means\n\n"
         "An adapter reports what it saw; `core/classify` alone says what it means. *Done*: it happened. "
         "*Refused*: the peer's own "
         "word that this request changed nothing (the table says why). *Unknown*: it may have happened: look "
         "first.\n\n"
         "Whatever the call: what never left this process is refused (busy); no answer before the deadline, "
         "and an answer cut "
         "short, are unknown. A test enumerates this page: every call, with every number of its family, and "
         "every sentence.\n";
  Numbers with_done = results;
  with_done[0] = "done";
  with_done.insert(own_results.begin(), own_results.end());
  numbers_of(out, "The ledger: SQLite's result (its lowest byte); from 100001 on, the rules' own",
             Family::ledger, with_done);
  numbers_of(out, "The board: HTTP status (200 to 299: done)", Family::board, statuses);
  numbers_of(out, "Files and signals: errno", Family::files, errnos);
  sentences_of(out, "tmux", Family::tmux, of_tmux);
  sentences_of(out, "git (killed by a signal: unknown, unless the adapter had refused)", Family::git, of_git);
  return out.str();
}

TEST(ClassifyTable, ThePageSaysWhatTheCodeDoes) {
  const std::string path = std::string(HOLDFAST_SOURCE_DIR) + "/docs/answers.md";
  if (std::getenv("HOLDFAST_WRITE_DOCS") != nullptr) std::ofstream(path) << answers_page();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), answers_page()) << "rewrite it with HOLDFAST_WRITE_DOCS=1, and read the difference";
}

}  // namespace
}  // namespace holdfast
