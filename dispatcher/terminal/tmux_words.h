// Text that tmux will parse, made safe, and text that tmux has written, taken apart. All pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/core/terminal_sightings.h"

namespace holdfast {

// One word of tmux's command language that stands for exactly this text, on one line. The text may hold any
// byte but NUL.
std::string quoted(std::string_view text);

// Text for an argument that tmux expands as a format (and by strftime): it comes out as it went in.
std::string not_a_format(std::string_view text);

// Some texts cannot be written so that they come out of a format as they went in, in all versions: "#[" and
// "#{" runs.
bool safe_in_a_format(std::string_view text);

// Names that tmux neither rewrites nor takes for a pattern: [A-Za-z0-9_-], 1 to 128.
bool fit_for_a_session(std::string_view name);

// "$12" and "%34", and nothing else.
bool is_session_id(std::string_view text);
bool is_pane_id(std::string_view text);

// Where there is no server to talk to, tmux has several ways to say so, and they mean different things.
enum class Absence {
  none,        // it says something else
  refused,     // a socket that nobody listens at: no server is there
  no_socket,   // no socket file: no server, or one whose file was deleted
  died,        // the server went away while we talked
  no_session,  // the server is there, the session is not
};
Absence absence_in(std::string_view words);

// The format for list-panes and its reading; and for list-clients.
std::string_view panes_format();
struct PaneLine {
  PaneSighting pane;
  std::int64_t server_pid = 0;
};
std::optional<PaneLine> parse_pane_line(std::string_view line);

std::string_view clients_format();
struct ClientLine {
  std::int64_t pid = 0;
  bool control = false;
  std::string session_id;
  std::string name;
};
std::optional<ClientLine> parse_client_line(std::string_view line);

struct TmuxVersion {
  int major = 0, minor = 0;
  friend auto operator<=>(const TmuxVersion&, const TmuxVersion&) = default;
};
// "tmux 3.3a", "tmux next-3.5"; a development version without a number counts as newest.
std::optional<TmuxVersion> parse_tmux_version(std::string_view text);
constexpr TmuxVersion oldest_tmux{3, 2};

}  // namespace holdfast
