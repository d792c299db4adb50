// The readers of what tmux, workers and the runner write.
#include <algorithm>
#include <string>

#include "dispatcher/core/markers.h"
#include "dispatcher/fuzz/targets.h"
#include "dispatcher/runner/record_text.h"
#include "dispatcher/runner/screen_text.h"
#include "dispatcher/terminal/control_stream.h"

namespace holdfast::fuzz {
namespace {

// Where to cut, taken from the bytes themselves so that a fuzzer can choose it.
std::size_t cut_in(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const std::size_t first = static_cast<unsigned char>(bytes.front());
  return (first * 7 + bytes.size() / 3) % (bytes.size() + 1);
}

}  // namespace

void control_stream(std::string_view bytes) {
  ControlStream whole;
  const auto events = whole.read(bytes);

  ControlStream pieces;
  auto told = pieces.read(bytes.substr(0, cut_in(bytes)));
  const auto rest = pieces.read(bytes.substr(cut_in(bytes)));
  told.insert(told.end(), rest.begin(), rest.end());
  must(told == events, "the events do not depend on where the bytes were cut");

  for (const ControlEvent& event : events)
    if (const auto* block = std::get_if<ControlBlock>(&event))
      for (const std::string& line : block->lines)
        must(line.find('\n') == std::string::npos, "a line of a block is one line");
}

void markers(std::string_view bytes) {
  MarkerReader whole{{"limit reached"}};
  whole.feed(bytes);
  MarkerReader pieces{{"limit reached"}};
  pieces.feed(bytes.substr(0, cut_in(bytes)));
  pieces.feed(bytes.substr(cut_in(bytes)));
  must(whole == pieces, "what was read does not depend on where the bytes were cut");
  must(whole.offset() == static_cast<std::int64_t>(bytes.size()), "every byte is counted once");

  whole.finish();
  std::int64_t last = -1;
  for (const Marker& marker : whole.markers()) {
    must(marker.kind != Said::nothing, "a marker says something");
    must(marker.text.size() <= 2000 && shows_as_one_line(marker.text),
         "a marker's text is short and printable");
    must(marker.offset > last && marker.offset <= whole.offset(), "markers stand in the order of the stream");
    last = marker.offset;
    must(is_echo(marker, marker.line), "what was sent, letter by letter, is an echo");
    must(is_echo(marker, std::string("please end with\n") + marker.line + "\n"),
         "so is a line of what was sent");
  }
  must(whole.last_lines().size() <= MarkerReader::lines_kept, "only the last lines are kept");
  for (const std::string& line : whole.last_lines())
    must(shows_as_one_line(line), "a kept line is printable");
  must(shows_as_one_line(whole.limit_line()), "the limit's line is printable");

  ScreenText screen;
  std::string plain = screen.read(bytes.substr(0, cut_in(bytes)));
  plain += screen.read(bytes.substr(cut_in(bytes)));
  ScreenText screen_at_once;
  must(plain == screen_at_once.read(bytes), "the plain text does not depend on where the bytes were cut");
  must(plain.find('\x1b') == std::string::npos, "no escape is left in the plain text");
}

void record(std::string_view bytes) {
  RecordSighting sighting;
  absorb_record(bytes, sighting);

  // A torn last line counts for nothing: the same text without it reads the same.
  const auto newline = bytes.rfind('\n');
  RecordSighting without;
  absorb_record(bytes.substr(0, newline == std::string_view::npos ? 0 : newline + 1), without);
  must(sighting == without, "a torn line counts for nothing");

  const DecisionReading decision = parse_decision(bytes);
  if (decision.decision == Decision::started) {
    const auto again = parse_decision(started_text(decision.at, decision.runner));
    must(again.decision == Decision::started && again.runner == decision.runner,
         "a decision can be written again");
  }
}

}  // namespace holdfast::fuzz
