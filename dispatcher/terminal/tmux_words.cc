#include "dispatcher/terminal/tmux_words.h"

#include <algorithm>
#include <charconv>

namespace holdfast {
namespace {

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view take_word(std::string_view& line) {
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

template <class N>
std::optional<N> number(std::string_view text) {
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

bool sigil_and_number(std::string_view text, char sigil) {
  return text.size() > 1 && text.size() < 20 && text.front() == sigil &&
         std::ranges::all_of(text.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string quoted(std::string_view text) {
  // Double quotes, because only there a newline can be written without one.
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {  // tmux takes a 0xff for the end of its input
      out += {'\\', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + ((byte >> 3) & 7)),
              static_cast<char>('0' + (byte & 7))};
      continue;
    }
    if (c == '"' || c == '\\' || c == '$' || c == '~') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string not_a_format(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '#' || c == '%') out += c;
  }
  return out;
}

bool safe_in_a_format(std::string_view text) {
  return text.find('#') == std::string_view::npos;
}

bool fit_for_a_session(std::string_view name) {
  return !name.empty() && name.size() <= 128 &&
         std::ranges::all_of(name, [](char c) { return letter_or_digit(c) || c == '_' || c == '-'; });
}

bool is_session_id(std::string_view text) {
  return sigil_and_number(text, '$');
}
bool is_pane_id(std::string_view text) {
  return sigil_and_number(text, '%');
}

Absence absence_in(std::string_view words) {
  const auto says = [words](std::string_view part) { return words.find(part) != std::string_view::npos; };
  if (says("no server running")) return Absence::refused;
  if (says("error connecting")) {
    if (says("Connection refused")) return Absence::refused;
    return says("No such file") ? Absence::no_socket : Absence::none;
  }
  if (says("server exited") || says("lost server")) return Absence::died;
  if (says("can't find session") || says("no sessions") || says("no such session"))
    return Absence::no_session;
  return Absence::none;
}

std::string_view panes_format() {
  // The name comes last: a person may give a session a name with blanks. An "=" keeps empty fields apart.
  return "#{pid} #{session_id} #{pane_id} #{pane_pid} #{pane_dead} =#{pane_dead_status} =#{pane_dead_signal} "
         "#{session_name}";
}

std::optional<PaneLine> parse_pane_line(std::string_view line) {
  PaneLine parsed;
  auto& pane = parsed.pane;
  const auto server = number<std::int64_t>(take_word(line));
  pane.session_id = take_word(line);
  pane.pane_id = take_word(line);
  const auto pid = number<std::int64_t>(take_word(line));
  const auto dead = take_word(line);
  const auto status = take_word(line), signal = take_word(line);
  if (!server || !pid || !is_session_id(pane.session_id) || !is_pane_id(pane.pane_id) ||
      !status.starts_with('=') || !signal.starts_with('=') || line.empty()) {
    return {};
  }
  parsed.server_pid = *server;
  pane.pane_pid = *pid;
  pane.dead = dead == "1";
  if (pane.dead) {
    pane.exit_status = number<int>(status.substr(1));
    pane.exit_signal = number<int>(signal.substr(1));
  }
  pane.session.value = line;
  return parsed;
}

std::string_view clients_format() {
  return "#{client_pid} #{client_control_mode} =#{session_id} #{client_name}";
}

std::optional<ClientLine> parse_client_line(std::string_view line) {
  const auto pid = number<std::int64_t>(take_word(line));
  const auto control = take_word(line);
  const auto session = take_word(line);
  if (!pid || !session.starts_with('=')) return {};
  return ClientLine{*pid, control == "1", std::string{session.substr(1)}, std::string{line}};
}

std::optional<TmuxVersion> parse_tmux_version(std::string_view text) {
  if (!text.starts_with("tmux ")) return {};
  text.remove_prefix(5);
  if (text.starts_with("master") || text.starts_with("openbsd")) return TmuxVersion{1000, 0};
  if (text.starts_with("next-")) text.remove_prefix(5);
  TmuxVersion version;
  const auto* const end = text.data() + text.size();
  const auto [dot, wrong_major] = std::from_chars(text.data(), text.data() + text.size(), version.major);
  if (wrong_major != std::errc{} || dot == end || *dot != '.') return {};
  if (std::from_chars(dot + 1, end, version.minor).ec != std::errc{}) return {};
  return version;
}

}  // namespace holdfast
