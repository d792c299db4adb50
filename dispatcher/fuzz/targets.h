// What hostile bytes reach first, each as one function from bytes to a verdict: the reader must not break,
// and what it makes of the bytes must hold what its header says. A broken promise ends the program, so that
// a fuzzer keeps the bytes.
//
// The same functions are run in two ways: by libFuzzer, with coverage and sanitizers (`./test fuzz`), and by
// corpus_test.cc in every test run, over the corpus and a fixed number of mutations of it.
#pragma once

#include <array>
#include <string_view>

namespace holdfast::fuzz {

void config(std::string_view);          // holdfast.json
void control_stream(std::string_view);  // what a tmux server says
void markers(std::string_view);         // what a worker writes to its terminal
void screen(std::string_view);          // the same, drawn for people
void record(std::string_view);          // the runner's record and its decision file
void ticket_lines(std::string_view);    // an import
void foreign_board(std::string_view);   // what a board over HTTP answers
void http(std::string_view);            // a connection's bytes, through the real sockets
void api(std::string_view);             // "METHOD TARGET\nBODY", without the sockets

struct Target {
  std::string_view name;
  void (*judge)(std::string_view);
  int mutations;  // in each run of the tests; the slow ones get fewer
};
inline constexpr std::array targets{
    Target{"config", config, 4000},
    Target{"control_stream", control_stream, 20000},
    Target{"markers", markers, 10000},
    Target{"screen", screen, 3000},
    Target{"record", record, 20000},
    Target{"ticket_lines", ticket_lines, 10000},
    Target{"foreign_board", foreign_board, 10000},
    Target{"http", http, 1500},
    Target{"api", api, 1500},
};

// Ends the program where a promise is broken; says which.
void must(bool holds, const char* promise);

// Does every line, as a terminal or a log would show it, stay one line without control characters?
bool shows_as_one_line(std::string_view);

}  // namespace holdfast::fuzz
