#include "dispatcher/config/fields.h"

#include <algorithm>

#include "dispatcher/config/url.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

bool any_text(std::string_view) {
  return true;
}
bool not_empty(std::string_view text) {
  return !text.empty();
}
bool is_remote_name(std::string_view text) {
  return text.empty() || (is_plain_branch(text) && text.find('/') == std::string_view::npos);
}
bool is_one_line(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == 0x7f;
  });
}
bool is_absolute_or_empty(std::string_view text) {
  return text.empty() || text.starts_with('/');
}

bool is_socket_path(std::string_view text) {
  return is_absolute_or_empty(text) && text.size() <= 100;
}
// "7878", ":7878", "127.0.0.1:7878", "[::1]:7878"; whether the address is one is seen when it is used.
bool is_listen(std::string_view text) {
  if (text.empty()) return true;
  const auto colon = text.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  return !port.empty() && port.size() <= 5 &&
         std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; }) &&
         std::stoi(std::string(port)) <= 65535;
}

bool is_one_line_or_empty(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}
bool is_board_url(std::string_view text) {
  return text.empty() || parse_url(text).has_value();
}
bool is_path_or_empty(std::string_view text) {
  return text.empty() || (text.starts_with('/') && std::ranges::none_of(text, [](char c) {
                            return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '#';
                          }));
}
// RFC 6901; a '~' stands before 0 or 1.
bool is_pointer_or_empty(std::string_view text) {
  if (!text.empty() && !text.starts_with('/')) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  return true;
}

// An enumerator as one of a few words.
template <class E>
void choose(FieldVisitor& v, Field field, const std::vector<std::string_view>& words,
            const std::vector<E>& values, E& value) {
  auto chosen = static_cast<std::size_t>(std::ranges::find(values, value) - values.begin());
  v.choice(field, words, chosen);
  value = values.at(chosen);
}

constexpr Duration day = minutes(24LL * 60);

void visit_budgets(FieldVisitor& v, Policy& p) {
  v.number({"attempts", "Deaths that are charged to the ticket before it is blocked."}, p.attempts_max, 1,
           100);
  v.number({"free_deaths", "Deaths that are nobody's fault, bounded all the same."}, p.free_deaths_max, 1,
           1000);
  v.number({"setup_failures", "Attempts that never came to be before the ticket is blocked."},
           p.setup_failures_max, 1, 100);
  v.number({"alone_after_server_losses",
            "After so many lost tmux servers the ticket is retried on a server of its own."},
           p.alone_after_server_losses, 1, 100);
  v.duration({"backoff_first", "Wait before the second attempt; doubles with each further one."},
             p.backoff_first, {0}, day);
  v.duration({"backoff_max", "The longest wait between two attempts."}, p.backoff_max, {0}, day);
  v.duration({"young", "A death this soon after the spawn counts for the crash-loop breaker."}, p.young, {0},
             day);
  v.number({"breaker_deaths", "Young deaths within the window that stop all dispatching for a while."},
           p.breaker_deaths, 1, 10'000);
  v.duration({"breaker_window", "How far back young deaths are counted."}, p.breaker_window, millis(1), day);
  v.duration({"breaker_rest", "How long dispatching rests after that."}, p.breaker_rest, millis(1), day);
  v.number({"spawns_per_second", "Claims per second at most."}, p.spawns_per_second, 1, 10'000);
  v.duration({"account_pause", "How long an account rests after its provider's limit was seen."},
             p.account_pause, millis(1), day);
}

void visit_patience(FieldVisitor& v, Draft& draft) {
  Policy& p = draft.config.policy;
  v.duration({"newborn_grace", "How long a spawn whose answer was lost is looked for before it is sealed."},
             p.newborn_grace, millis(100), day);
  v.duration({"look_every", "How often a live attempt is looked at without any news."}, p.look_every,
             millis(100), day);
  v.duration({"review_every", "How often a ticket in review is checked for having been landed."},
             p.review_every, millis(100), day);
  v.duration({"unknown_shown_after", "How long nobody may be able to tell before a person is told."},
             p.unknown_shown_after, millis(100), day);
  v.duration({"call_deadline", "For one call of tmux, or of a board over HTTP."}, p.call_deadline,
             millis(100), day);
  v.duration({"git_deadline", "For one operation of git."}, p.git_deadline, millis(100), day);
  v.duration({"pool_deadline",
              "For making all worktrees of the pool, and for saving what one worker has left in its."},
             draft.config.pool_deadline, millis(100), day);
  v.duration({"board_every", "How often the board is read without any news."}, p.board_every, millis(100),
             day);
  v.duration({"servers_every", "How often each tmux server is listed without any news."}, p.servers_every,
             millis(100), day);
}

}  // namespace

void visit_profile(FieldVisitor& v, Profile& p) {
  v.list({"command",
          "The worker's argv; no shell. As whole arguments: {prompt}, {prompt_file}, {title}; inside one: "
          "{ticket}, {worktree}."},
         p.command, 1000);
  v.list({"environment_allow",
          "Variables, or prefixes ending in *, that the worker gets from the dispatcher's environment."},
         p.environment_allow, 1000);
  v.table({"environment", "Variables that are set for the worker, whatever the dispatcher has."},
          p.environment_set);
  choose<PromptBy>(v,
                   {"prompt",
                    "How the worker gets its prompt: pasted into its terminal when it is ready, as an "
                    "argument, or in a file."},
                   {"paste", "argument", "file"}, {PromptBy::paste, PromptBy::argument, PromptBy::file},
                   p.prompt_by);
  v.text({"preamble", "Put before the ticket's text: how to work and how to report. {ticket} is replaced."},
         p.preamble, "a text", any_text);
  choose<ReadyBy>(v,
                  {"ready",
                   "How it is known that the worker takes input: as soon as it runs, by its own hook "
                   "(holdfast-runner ready), or by a text on its screen."},
                  {"started", "hook", "pattern"}, {ReadyBy::started, ReadyBy::hook_file, ReadyBy::pattern},
                  p.ready_by);
  v.text({"ready_pattern", "The plain text that says so, for ready: pattern."}, p.ready_pattern, "a text",
         any_text);
  v.duration({"ready_within", "After so long without being ready a person is told; nothing is ended."},
             p.ready_within, millis(1), day);
  v.duration({"enter_delay", "Between a pasted text and its Enter."}, p.enter_delay, {0}, seconds(60));
  v.duration({"verify_within", "A message not read for so long is shown as unverified."}, p.verify_within,
             millis(1), day);
  v.duration({"finish_grace", "From DONE to the request that the worker end."}, p.finish_grace, {0}, day);
  v.duration({"term_grace", "From TERM to KILL."}, p.term_grace, {0}, day);
  v.duration({"quiet_after", "Without output for so long, a person is told."}, p.quiet_after, millis(1),
             {day.ms * 30});
  v.bytes({"memory", "Ceiling of the worker and everything that it starts."}, p.memory_limit_bytes);
  choose<WordAt>(
      v,
      {"word_at",
       "Where a DONE: counts: in the first column of a line only, or also behind what agents draw before "
       "their own text (a bullet, an indentation of two)."},
      {"first-column", "drawn"}, {WordAt::first_column, WordAt::drawn}, p.word_at);
  v.list({"limit_patterns", "A line of output with one of these means that the provider's limit is reached."},
         p.limit_patterns, 100);
  v.list({"permission_patterns", "A line on the screen with one of these is shown to a person."},
         p.permission_patterns, 100);
  v.text({"account", "Whose limit it is, where profiles share one; empty: the profile's name."}, p.account,
         "a text", any_text);
}

void visit_fields(FieldVisitor& v, Draft& draft) {
  Config& c = draft.config;
  Policy& p = c.policy;
  v.text({"repository", "The git repository that the work is about; relative to this file."},
         draft.repository, "the path of a git repository", not_empty);
  v.text({"target", "The branch that work is based on and landed to; its plain name."}, draft.target,
         "a branch name such as \"main\"", is_plain_branch);
  v.text({"remote", "A git remote that finished branches are pushed to; empty: none."}, draft.remote,
         "the name of a git remote, or \"\"", is_remote_name);
  std::size_t start = draft.start_from.empty() ? 0 : draft.start_from == "target" ? 1 : 2;
  v.choice(
      {"start_from",
       "Where branches begin: the local target, or the remote's. auto: the remote's where there is one."},
      {"auto", "target", "remote"}, start);
  draft.start_from = start == 0 ? "" : start == 1 ? "target" : "remote";
  v.text({"state",
          "The folder for ledger, records and worktrees; relative to this file, outside the "
          "repository's checkout."},
         draft.state, "the path of a folder", not_empty);

  v.number({"capacity", "Workers that live at once, and worktrees in the pool."}, p.capacity, 1, 1000);
  v.number({"shards", "tmux servers; a lost one takes fewer workers with it where there are more."}, p.shards,
           1, 64);
  v.number({"effects_at_once", "Actions in flight at once."}, p.effects_at_once, 1, 256);
  v.list({"labels", "Only tickets with one of these labels are dispatched; empty: all."}, p.only_labels, 100);

  choose<GatePolicy>(v,
                     {"gate",
                      "What follows a DONE: review leaves the landing to a person, land merges it when the "
                      "facts about the branch allow it."},
                     {"review", "land"}, {GatePolicy::review, GatePolicy::land}, p.gate);
  v.list({"check", "A command that must pass before landing, run in a scratch worktree; no shell."}, p.check,
         1000);
  v.duration({"check_timeout", "For the check."}, p.check_timeout, millis(100), day);
  choose<RecoveredPolicy>(v,
                          {"recovered",
                           "What follows a death that left commits and no DONE: a person's review, or a new "
                           "attempt that continues the branch."},
                          {"review", "continue"}, {RecoveredPolicy::review, RecoveredPolicy::continue_branch},
                          p.recovered);

  v.text({"default_profile", "The worker profile of tickets that name none."}, p.default_profile,
         "the name of a profile", is_profile_name);
  v.profiles({"profiles", "Worker profiles by name. One that is named like a built-in one changes it."},
             draft, [&v](Profile& profile) { visit_profile(v, profile); });

  v.section({"budgets", "What a ticket may cost before it is blocked."}, [&] { visit_budgets(v, p); });
  v.section({"patience", "How long and how often."}, [&] { visit_patience(v, draft); });
  v.section({"git", "How git is used."}, [&] {
    v.text({"name", "Author of salvages and merges."}, c.git_name, "a name", is_one_line);
    v.text({"email", "Their e-mail address."}, c.git_email, "an e-mail address", is_one_line);
    const std::vector<bool> values{false, true};
    std::size_t chosen = c.set_ignored_aside ? 1 : 0;
    v.choice({"ignored_files",
              "What happens to ignored files when a worktree is given back: kept for the next worker, or set "
              "aside."},
             {"keep", "set_aside"}, chosen);
    c.set_ignored_aside = chosen == 1;
  });
  v.section({"board", "A board that lives elsewhere and is asked over HTTP."}, [&] {
    v.text({"url",
            "Its address, with what stands before every path: https://board.example, or "
            "https://api.github.com/repos/owner/name. Empty: the built-in board."},
           c.board.url, "\"\", or an address that begins with http:// or https://", is_board_url);
    v.text(
        {"token_file", "A file that only its owner may read, absolute, with the bearer token. Empty: none."},
        c.board.token_file, "an absolute path, or \"\"", is_absolute_or_empty);
    v.text({"ca_file", "Certificates to trust, PEM, absolute. Empty: this host's."}, c.board.ca_file,
           "an absolute path, or \"\"", is_absolute_or_empty);
    v.shape({"shape",
             "How it looks: holdfast (another installation's interface), labels (issues with labels for "
             "states, like GitHub's), or one of them with changes."},
            c.board.shape, [&v](BoardShape& shape) { visit_shape(v, shape); });
  });
  v.section({"server", "The HTTP interface of `holdfast up`."}, [&] {
    v.text({"listen",
            "Where it listens: host:port, or a port of 127.0.0.1; port 0 is any that is free (see "
            "state/http-address). Empty: nowhere."},
           c.listen, "\"\", a port, or an address and a port such as \"127.0.0.1:7878\"", is_listen);
    v.text({"unix_socket", "A socket for this machine's programs of the same user, absolute; empty: none."},
           c.unix_socket, "an absolute path of at most 100 bytes, or \"\"", is_socket_path);
    v.text({"token_file",
            "The bearer token, in a file that only its owner may read, absolute; made where it is missing. "
            "Empty: none on loopback, state/http-token on any other address."},
           c.token_file, "an absolute path, or \"\"", is_absolute_or_empty);
  });
  v.section({"notify", "Who is told what needs a person."}, [&] {
    v.text({"webhook",
            "An address that each notice is sent to, signed: https://hooks.example/holdfast. Empty: none."},
           c.notify.webhook, "\"\", or an address that begins with http:// or https://", is_board_url);
    v.text({"secret_file",
            "The secret that notices are signed with, in a file that only its owner may read, absolute; made "
            "where it is missing. Empty: state/webhook-secret."},
           c.notify.secret_file, "an absolute path, or \"\"", is_absolute_or_empty);
    v.text({"ca_file", "Certificates to trust, PEM, absolute. Empty: this host's."}, c.notify.ca_file,
           "an absolute path, or \"\"", is_absolute_or_empty);
    v.list({"command",
            "A program that is started for each notice, with its arguments; {kind}, {ticket}, {summary} and "
            "{words} are replaced in them, and it reads the notice as JSON. No shell. Empty: none."},
           c.notify.command, 100);
    v.list({"about",
            "What is told: question, blocked, stranded, unknown, undying, drift, crash_loop, attention."},
           c.notify.about, 8);
  });
  v.section({"screen", "The workers' terminals."}, [&] {
    v.number({"columns", "Width in characters."}, p.columns, 20, 1000);
    v.number({"rows", "Height in lines."}, p.rows, 5, 1000);
  });
  v.text({"cgroup_parent", "A delegated cgroup for the workers, absolute; empty: found by itself."},
         p.cgroup_parent, "an absolute path, or \"\"", is_absolute_or_empty);
}

void visit_shape(FieldVisitor& v, BoardShape& s) {
  const auto path = [&](const char* key, const char* doc, std::string& value) {
    v.text({key, doc}, value, "a path that begins with /, or \"\"", is_path_or_empty);
  };
  const auto pointer = [&](const char* key, const char* doc, std::string& value) {
    v.text({key, doc}, value, "a JSON pointer such as \"/fields/title\", or \"\"", is_pointer_or_empty);
  };
  v.section({"paths", "Below the url; {id}, {since}, {limit} and {page} are replaced."}, [&] {
    path("changes", "The tickets that changed after {since}.", s.paths.changes);
    path("ticket", "One ticket.", s.paths.ticket);
    path("move", "Where a move is sent.", s.paths.move);
    path("comment", "Where a comment is sent.", s.paths.comment);
    path("comments", "Where comments are read, for boards of labels.", s.paths.comments);
  });
  v.section({"fields", "Where things stand in its answers; empty: nowhere."}, [&] {
    pointer("tickets", "The list of tickets; empty: the answer is the list.", s.fields.tickets);
    pointer("cursor", "Up to where the list goes.", s.fields.cursor);
    pointer("complete", "Whether there is no more of it.", s.fields.complete);
    pointer("id", "A ticket's id: letters, digits, - and _; or a number.", s.fields.id);
    pointer("title", "Its title.", s.fields.title);
    pointer("body", "Its text.", s.fields.body);
    pointer("state", "Its state.", s.fields.state);
    pointer("priority", "A whole number; smaller is sooner.", s.fields.priority);
    pointer("profile", "The worker profile.", s.fields.profile);
    pointer("labels", "A list of labels.", s.fields.labels);
    pointer("label_name", "The name in a label; empty: the label is its name.", s.fields.label_name);
    pointer("depends_on", "A list of ids.", s.fields.depends_on);
    pointer("version", "A whole number that grows with every change.", s.fields.version);
    pointer("created_at", "Milliseconds, or a time such as 2026-01-31T12:00:00Z.", s.fields.created_at);
    pointer("changed_at", "The same of its last change.", s.fields.changed_at);
    pointer("reason", "Why it is in its state.", s.fields.reason);
    pointer("moved_by", "Whose move was the last.", s.fields.moved_by);
    pointer("skip", "Where this is there it is no ticket.", s.fields.skip);
    pointer("ticket_in_conflict", "The ticket, in the answer to a move that was refused.",
            s.fields.ticket_in_conflict);
  });
  v.section({"sends", "Where things stand in what is sent; empty: nowhere."}, [&] {
    pointer("version", "The version that a move goes by.", s.sends.version);
    pointer("to", "The state that it leads to.", s.sends.to);
    pointer("key", "Whose move or comment it is.", s.sends.key);
    pointer("reason", "Why.", s.sends.reason);
    pointer("cause", "On the way back to todo: the cause of death.", s.sends.cause);
    pointer("evidence", "And what it is known from.", s.sends.evidence);
    pointer("text", "The text of a comment.", s.sends.text);
  });
  v.section({"states", "What it calls the states; empty: it has none (of labels: no label)."}, [&] {
    for (const BoardState state :
         {BoardState::backlog, BoardState::todo, BoardState::in_progress, BoardState::in_review,
          BoardState::blocked, BoardState::done, BoardState::cancelled})
      v.text({words_for(state), "Its name there."}, s.states[state], "one line", is_one_line_or_empty);
  });
  const std::vector<BoardState> open{BoardState::backlog, BoardState::todo};
  choose<BoardState>(v, {"unlabelled", "What an open issue without any of these labels is."},
                     {"backlog", "todo"}, open, s.unlabelled);
  v.text({"priority_label", "What stands before a priority in a label."}, s.priority_label, "one line",
         is_one_line_or_empty);
  v.text({"profile_label", "What stands before a worker profile in a label."}, s.profile_label, "one line",
         is_one_line_or_empty);
  v.table({"headers", "Sent with every request."}, s.headers);
}

bool is_plain_branch(std::string_view name) {
  if (name.empty() || name.size() > 200 || name == "HEAD" || name == "@") return false;
  if (name.starts_with("refs/") || name.starts_with('-') || name.starts_with('/') || name.ends_with('/') ||
      name.ends_with('.') || name.find("..") != std::string_view::npos ||
      name.find("//") != std::string_view::npos || name.find("@{") != std::string_view::npos)
    return false;
  for (std::size_t at = 0; at < name.size();) {  // no part begins with a dot or ends in .lock
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (part.starts_with('.') || part.ends_with(".lock")) return false;
    at = end + 1;
  }
  return std::ranges::none_of(name, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f ||
           std::string_view("~^:?*[\\").find(c) != std::string_view::npos;
  });
}

bool is_profile_name(std::string_view name) {
  const auto alnum = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && name.size() <= 64 && alnum(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace holdfast
