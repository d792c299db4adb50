// The known differences, in the order of the page. `covers` is as narrow as it can be: what it lets through
// is never looked at again.
#include "fidelity/facts.h"

namespace holdfast::fidelity {
namespace {

constexpr Difference table[] = {
    // --- ledger
    {"load-forgets-nothing", "ledger",
     "a load leaves out tickets whose newest attempt is settled and that have cost nothing",
     "a load tells every ticket that ever had a row",
     "The dispatcher treats a ticket that is settled like one that it does not know; a longer list costs "
     "nothing here.",
     [](const Mismatch& m) { return m.call == "load" && m.real == "not told" && m.simulated == "told"; }},
    {"dropped-messages-stay", "ledger", "messages that were dropped are not told",
     "they stay in the ticket's list with the state dropped",
     "Nobody reads a dropped message; the simulated list is short, since it ends with its attempt.",
     [](const Mismatch& m) { return m.fact.ends_with(" number of messages"); }},
    // --- board
    {"board-guards-todo", "board",
     "return to todo beside an open runtime is refused with 409 by a constraint of the file", "it is done",
     "On purpose: the simulated board is any board, and the promise must hold without the second net. The "
     "oracle S1 sees it.",
     [](const Mismatch& m) {
       return m.call == "return to todo" && m.fact == "outcome" && m.real == "refused: conflict" &&
              m.simulated == "done";
     }},
    {"board-guards-the-end", "board", "a dispatcher's move out of done or cancelled is refused with 422",
     "it is done", "On purpose, as above: the oracle S11 sees it.",
     [](const Mismatch& m) {
       return m.fact == "outcome" && m.real == "refused: invalid" && m.simulated == "done";
     }},
    // --- tmux
    {"notice-to-nobody", "tmux",
     "a notice to a session that is not there, or over a server that is gone, is an error", "it is done",
     "A notice changes nothing, and nothing waits for it.",
     [](const Mismatch& m) { return m.call == "notice" && m.simulated == "done"; }},
};

}  // namespace

std::span<const Difference> differences() {
  return table;
}

}  // namespace holdfast::fidelity
