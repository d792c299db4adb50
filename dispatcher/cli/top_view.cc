#include "dispatcher/cli/top_view.h"

#include <algorithm>
#include <array>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/look/screen.h"
#include "dispatcher/look/words.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t typed_max = 2000;
constexpr int screen_rows_max = 12;
// A look that took no longer is not worth a word.
constexpr Duration old_after = seconds(10);

constexpr std::array heads{"TICKET", "NEEDS", "TRY", "PHASE", "LIFE", "FOR", "WHAT"};
using Cells = std::array<std::string, heads.size()>;
constexpr std::array<std::size_t, heads.size()> widest{24, 10, 5, 8, 7, 8, 4000};

std::string one_line(std::string_view text, std::size_t at_most = 4000) {
  return harmless(safe(text, at_most));
}

Cells cells_of(const OverviewLine& line, Instant now) {
  const std::string title = one_line(line.title, 300), what = one_line(line.what);
  return {one_line(line.ticket.value, 80),
          words_of(line.need),
          line.runtime ? "g" + std::to_string(line.runtime->generation.value) : "-",
          line.phase ? words_for(*line.phase) : "-",
          line.verdict ? words_of(*line.verdict) : "-",
          line.since.set() ? span_words(now - line.since) : "-",
          what.empty()    ? title
          : title.empty() ? what
                          : what + "  (" + title + ")"};
}

std::string padded(const std::string& text, std::size_t columns) {
  std::string out = cut_to_columns(text, columns);
  out.append(columns - columns_of(out), ' ');
  return out;
}

std::array<std::size_t, heads.size()> widths_of(const std::vector<Cells>& all) {
  std::array<std::size_t, heads.size()> widths{};
  for (std::size_t n = 0; n < heads.size(); ++n) {
    widths.at(n) = std::string_view(heads.at(n)).size();
    for (const Cells& cells : all)
      widths.at(n) = std::max(widths.at(n), std::min(columns_of(cells.at(n)), widest.at(n)));
  }
  return widths;
}

std::string joined(const Cells& cells, const std::array<std::size_t, heads.size()>& widths) {
  std::string out;
  for (std::size_t n = 0; n + 1 < cells.size(); ++n) out += padded(cells.at(n), widths.at(n)) + "  ";
  return out + cells.back();
}

Cells heads_as_cells() {
  Cells cells;
  for (std::size_t n = 0; n < heads.size(); ++n) cells.at(n) = heads.at(n);
  return cells;
}

std::string headline(const Overview& o) {
  std::string line = std::to_string(o.live) + " of " + std::to_string(o.places) + " live";
  for (const Need need : {Need::answer, Need::look, Need::judgement, Need::decision, Need::room})
    if (const auto found = o.needs.find(need); found != o.needs.end())
      line += ", " + std::to_string(found->second) + " " + words_of(need);
  return line + ", " + std::to_string(o.free_slots) + " of " + std::to_string(o.slots) + " worktrees free";
}

std::string_view color_of(const OverviewLine& line) {
  switch (line.need) {
    case Need::answer: return "33";
    case Need::look: return "31";
    case Need::judgement: return "34";
    case Need::decision: return "31";
    case Need::nothing: return "36";
    case Need::room:
    case Need::wish: return "2";
  }
  __builtin_unreachable();
}

const OverviewLine* chosen_line(const Top& top) {
  const auto found = std::ranges::find(top.seen.lines, top.chosen, &OverviewLine::ticket);
  return found == top.seen.lines.end() ? nullptr : &*found;
}

// Headline and heads above, a rule and the keys below; the terminal's last lines where there is room for
// both.
int screen_rows(const Top& top) {
  if (top.screen.empty() || top.rows < 14) return 0;
  return std::min({screen_rows_max, (top.rows - 4) / 2, static_cast<int>(top.screen.size())});
}
std::size_t list_rows(const Top& top) {
  const int screen = screen_rows(top);
  return static_cast<std::size_t>(std::max(1, top.rows - 3 - (screen > 0 ? screen + 1 : 0)));
}

void move(Top& top, std::ptrdiff_t by) {
  const auto& lines = top.seen.lines;
  if (lines.empty()) return;
  const auto found = std::ranges::find(lines, top.chosen, &OverviewLine::ticket);
  const std::ptrdiff_t at = found == lines.end() ? 0 : found - lines.begin();
  const auto last = static_cast<std::ptrdiff_t>(lines.size()) - 1;
  top.chosen = lines[static_cast<std::size_t>(std::clamp(at + by, std::ptrdiff_t{0}, last))].ticket;
  settle(top);
}

// Of the chosen line, where something lives or may live.
std::optional<std::string> runtime_chosen(Top& top) {
  const OverviewLine* line = chosen_line(top);
  if (line != nullptr && line->runtime && line->phase != Phase::closed) return attempt_key(*line->runtime);
  top.message =
      line == nullptr ? "there is nothing here" : one_line(line->ticket.value, 80) + " has no runtime";
  return std::nullopt;
}

Wanted press_in_list(Top& top, const Key& key) {
  top.message.clear();
  const auto page = static_cast<std::ptrdiff_t>(list_rows(top));
  const auto whole = static_cast<std::ptrdiff_t>(top.seen.lines.size());
  const auto is = [&](std::string_view sign) { return key.is == Key::Is::sign && key.sign == sign; };
  if (key.is == Key::Is::quit || is("q")) return {Wanted::What::quit, {}, {}};
  if (key.is == Key::Is::down || is("j")) move(top, 1);
  if (key.is == Key::Is::up || is("k")) move(top, -1);
  if (key.is == Key::Is::page_down) move(top, page);
  if (key.is == Key::Is::page_up) move(top, -page);
  if (key.is == Key::Is::home || is("g")) move(top, -whole);
  if (key.is == Key::Is::end || is("G")) move(top, whole);
  if (is("?") || is("h")) top.mode = Top::Mode::help;
  if (is(" ") || is("l")) return {Wanted::What::look, {}, {}};
  if (key.is == Key::Is::enter || is("a"))
    if (const auto runtime = runtime_chosen(top)) return {Wanted::What::attach, *runtime, {}};
  if (is("r")) {
    const OverviewLine* line = chosen_line(top);
    if (line == nullptr || line->need != Need::answer) {
      top.message = "no question is asked here";
    } else if (const auto runtime = runtime_chosen(top)) {
      top.mode = Top::Mode::answer;
      top.about = *runtime;
      top.question = line->what;
      top.typed.clear();
    }
  }
  if (is("s"))
    if (const auto runtime = runtime_chosen(top)) {
      top.mode = Top::Mode::stop;
      top.about = *runtime;
    }
  return {};
}

Wanted press_in_answer(Top& top, const Key& key) {
  switch (key.is) {
    case Key::Is::sign:
      if (top.typed.size() + key.sign.size() <= typed_max) top.typed += key.sign;
      break;
    case Key::Is::backspace:
      while (!top.typed.empty() && (static_cast<unsigned char>(top.typed.back()) & 0xC0U) == 0x80U)
        top.typed.pop_back();
      if (!top.typed.empty()) top.typed.pop_back();
      break;
    case Key::Is::erase_line: top.typed.clear(); break;
    case Key::Is::enter: {
      top.mode = Top::Mode::list;
      if (top.typed.find_first_not_of(' ') == std::string::npos) {
        top.message = "nothing was answered";
        return {};
      }
      return {Wanted::What::answer, top.about, top.typed};
    }
    case Key::Is::escape:
    case Key::Is::quit:
      top.mode = Top::Mode::list;
      top.message = "nothing was answered";
      break;
    case Key::Is::up:
    case Key::Is::down:
    case Key::Is::page_up:
    case Key::Is::page_down:
    case Key::Is::home:
    case Key::Is::end:
    case Key::Is::nothing: break;
  }
  return {};
}

std::string keys_line(const Top& top) {
  switch (top.mode) {
    case Top::Mode::list:
      return !top.message.empty() ? one_line(top.message)
                                  : "j k move  a attach  r reply  s stop  ? help  q quit";
    case Top::Mode::help: return "any key goes back";
    case Top::Mode::answer: {
      // What is typed is seen at its end, however long it is.
      const std::string before = "to " + top.about + ": ";
      std::string typed = harmless(top.typed);
      const std::size_t room = static_cast<std::size_t>(std::max(top.columns, 20)) - before.size() % 60 - 2;
      while (columns_of(typed) > room) {
        typed.erase(0, 1);
        while (!typed.empty() && (static_cast<unsigned char>(typed.front()) & 0xC0U) == 0x80U)
          typed.erase(0, 1);
      }
      return before + typed + "_";
    }
    case Top::Mode::stop: return "end " + top.about + "? its work is saved, its ticket is then blocked [y/N]";
  }
  __builtin_unreachable();
}

const std::vector<std::string>& help_lines() {
  static const std::vector<std::string> lines{
      "",
      "  j k, arrows       move             g G, Home End     first and last",
      "  a, Enter          attach to its session; detach with tmux's prefix and d",
      "  r                 reply to its question",
      "  s                 stop it: its work is saved, its ticket is then blocked; asks first",
      "  space             look now",
      "  q, Ctrl-C         quit; whoever works goes on",
      "",
      "  Lines are in the order of what needs you: questions, what is to be looked at,",
      "  what is in review, what is blocked; then who is at work, and what is to do.",
  };
  return lines;
}

}  // namespace

std::optional<Key> take_key(std::string& read, bool all) {
  if (read.empty()) return std::nullopt;
  const auto take = [&](std::size_t bytes, Key key) {
    read.erase(0, bytes);
    return std::optional(std::move(key));
  };
  const auto first = static_cast<unsigned char>(read.front());
  if (first == 0x1B) {
    if (read.size() == 1) return all ? take(1, {Key::Is::escape, {}}) : std::nullopt;
    if (read[1] != '[' && read[1] != 'O') return take(1, {Key::Is::escape, {}});
    std::size_t end = 2;  // its parameters, then one final byte
    while (end < read.size() && read[end] >= 0x20 && read[end] < 0x40) ++end;
    if (end >= read.size()) return all ? take(read.size(), {Key::Is::nothing, {}}) : std::nullopt;
    const std::string sequence = read.substr(2, end - 1);
    Key::Is is = Key::Is::nothing;
    if (sequence == "A") is = Key::Is::up;
    if (sequence == "B") is = Key::Is::down;
    if (sequence == "H" || sequence == "1~" || sequence == "7~") is = Key::Is::home;
    if (sequence == "F" || sequence == "4~" || sequence == "8~") is = Key::Is::end;
    if (sequence == "5~") is = Key::Is::page_up;
    if (sequence == "6~") is = Key::Is::page_down;
    return take(end + 1, {is, {}});
  }
  switch (first) {
    case '\r':
    case '\n': return take(1, {Key::Is::enter, {}});
    case 0x7F:
    case 0x08: return take(1, {Key::Is::backspace, {}});
    case 0x15: return take(1, {Key::Is::erase_line, {}});
    case 0x03: return take(1, {Key::Is::quit, {}});
    default: break;
  }
  if (first < 0x20) return take(1, {Key::Is::nothing, {}});
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 1
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 1;
  for (std::size_t n = 1; n < std::min(length, read.size()); ++n)
    if ((static_cast<unsigned char>(read[n]) & 0xC0U) != 0x80U)
      return take(n, {Key::Is::nothing, {}});  // no UTF-8
  if (read.size() < length) return all ? take(read.size(), {Key::Is::nothing, {}}) : std::nullopt;
  if (first >= 0x80 && length == 1) return take(1, {Key::Is::nothing, {}});
  const std::string sign = harmless(read.substr(0, length));
  return take(length, sign.empty() ? Key{} : Key{Key::Is::sign, sign});
}

Wanted press(Top& top, const Key& key) {
  switch (top.mode) {
    case Top::Mode::list: return press_in_list(top, key);
    case Top::Mode::help:
      if (key.is != Key::Is::nothing) top.mode = Top::Mode::list;
      return {};
    case Top::Mode::answer: return press_in_answer(top, key);
    case Top::Mode::stop: {
      if (key.is == Key::Is::nothing) return {};
      top.mode = Top::Mode::list;
      if (key.is == Key::Is::sign && (key.sign == "y" || key.sign == "Y"))
        return {Wanted::What::stop, top.about, {}};
      top.message = top.about + " goes on";
      return {};
    }
  }
  __builtin_unreachable();
}

void settle(Top& top) {
  const auto& lines = top.seen.lines;
  if (lines.empty()) {
    top.first = 0;
    return;
  }
  auto found = std::ranges::find(lines, top.chosen, &OverviewLine::ticket);
  if (found == lines.end()) {
    top.chosen = lines.front().ticket;
    found = lines.begin();
  }
  const auto at = static_cast<std::size_t>(found - lines.begin());
  const std::size_t shown = list_rows(top);
  top.first = std::min(top.first, lines.size() > shown ? lines.size() - shown : 0);
  if (at < top.first) top.first = at;
  if (at >= top.first + shown) top.first = at - shown + 1;
}

std::vector<std::string> draw(const Top& top, bool color) {
  const auto columns = static_cast<std::size_t>(std::max(top.columns, 1));
  const auto rows = static_cast<std::size_t>(std::max(top.rows, 1));
  std::vector<std::string> out;
  const auto add = [&](const std::string& text, std::string_view how = {}, bool whole = false) {
    std::string line = whole ? padded(text, columns) : cut_to_columns(text, columns);
    if (!how.empty()) line = "\x1b[" + std::string(how) + "m" + line + "\x1b[0m";
    out.push_back(std::move(line));
  };
  std::string head = " holdfast  " + (top.looked ? headline(top.seen) : "takes a first look");
  if (top.looked && top.now - top.seen.at > old_after)
    head += ", seen " + span_words(top.now - top.seen.at) + " ago";
  add(head, "7", true);

  if (top.mode == Top::Mode::help) {
    for (const std::string& line : help_lines()) add(line);
  } else {
    std::vector<Cells> all;
    for (const OverviewLine& line : top.seen.lines) all.push_back(cells_of(line, top.now));
    const auto widths = widths_of(all);
    add("  " + joined(heads_as_cells(), widths), color ? "1" : "");
    const std::size_t shown = list_rows(top);
    for (std::size_t n = top.first; n < all.size() && n < top.first + shown; ++n) {
      const bool is_chosen = top.seen.lines[n].ticket == top.chosen;
      const std::string text = (is_chosen ? "> " : "  ") + joined(all[n], widths);
      add(text, is_chosen ? "7" : color ? color_of(top.seen.lines[n]) : "", is_chosen);
    }
    if (top.looked && all.empty()) add("  nothing is to be done");
    const auto screen = static_cast<std::size_t>(screen_rows(top));
    const std::size_t below = screen > 0 ? screen + 1 : 0;
    // What could not be seen stands where there is room for it.
    for (std::size_t n = 0; n < top.seen.troubles.size() && out.size() + below + 1 < rows; ++n)
      add("! " + one_line(top.seen.troubles[n]), color ? "33" : "");
    if (screen > 0) {
      while (out.size() + below + 1 < rows) add("");
      const OverviewLine* line = chosen_line(top);
      add("--- " + (line != nullptr && line->runtime ? attempt_key(*line->runtime) : std::string()) + " ",
          color ? "2" : "");
      for (std::size_t n = top.screen.size() - screen; n < top.screen.size(); ++n)
        add("  " + harmless(top.screen[n]));
    }
  }
  if (top.mode == Top::Mode::answer && rows > 2) {
    out.resize(rows - 2);
    add("? " + one_line(top.question), color ? "33" : "");
  }
  out.resize(rows - 1);
  add(keys_line(top), top.mode == Top::Mode::list && top.message.empty() ? "2" : "1");
  return out;
}

std::string plain(const Overview& o, Instant now) {
  std::string out = headline(o) + "\n";
  std::vector<Cells> all;
  for (const OverviewLine& line : o.lines) all.push_back(cells_of(line, now));
  const auto widths = widths_of(all);
  const auto add = [&](std::string line) {
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  };
  if (!all.empty()) add(joined(heads_as_cells(), widths));
  for (const Cells& cells : all) add(joined(cells, widths));
  for (const std::string& trouble : o.troubles) out += "! " + one_line(trouble) + "\n";
  return out;
}

}  // namespace holdfast::cli
