// The simulated board beside the built-in one: a dispatcher reads, moves, returns and comments, a person
// moves and edits, attempts open and close in the ledger that the built-in board shares its file with.
#include <gtest/gtest.h>

#include "dispatcher/board/builtin_board.h"
#include "dispatcher/board/desk.h"
#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"
#include "fidelity/sequences.h"
#include "fidelity/simulated.h"
#include "sim/world/ports.h"
#include "sim/world/strikes.h"

namespace holdfast::fidelity::of_boards {
namespace {

constexpr int tickets = 3;
constexpr BoardState all_states[] = {BoardState::backlog,   BoardState::todo,    BoardState::in_progress,
                                     BoardState::in_review, BoardState::blocked, BoardState::done,
                                     BoardState::cancelled};

enum Kind {
  read_it,
  move_it,
  return_it,
  comment_it,
  read_changes,
  person_moves,
  person_edits,
  attempt_opens,
  attempt_ends
};

// What a board could get wrong, for a test that must then fail.
struct Bent {
  bool whatever_version = false;  // a conditional write is not
  bool forgets_who = false;       // a move is not signed
};

class Boards {
 public:
  explicit Boards(const Bent& bent) : bent_(bent) {
    const std::string path = folder_ / "ledger.db";
    ledger_ = open_ledger(path, LedgerMode::dispatcher).value();
    desk_ = open_desk(path, LedgerMode::command_line).value();
    board_ = open_board(path, LedgerMode::dispatcher).value();
    for (int n = 1; n <= tickets; ++n) {
      const TicketId id{"T-" + std::to_string(n)};
      desk_->add({id, "Do it", "Please."}, "", simulated_.world.now).value();
      BoardTicket ticket = board_->read(id).value;
      simulated_.world.board.tickets[id] = ticket;
      simulated_.world.board.changed[id] = ++simulated_.world.board.cursor;
      both([&](const LedgerWrite& w) { return w; }, StoreSlot{kit::free_slot(n)});
    }
    cursors_ = {board_->changes_after(0, 1000).value.cursor, simulated_.world.board.cursor};
  }

  void run(const Command& c) {
    simulated_.world.now.ms += 1000;
    const Instant now = simulated_.world.now;
    const TicketId id{"T-" + std::to_string(c.whom % tickets + 1)};
    const BoardState to = all_states[static_cast<std::size_t>(c.how) % std::size(all_states)];
    // Mostly the version that is there, else an old one or none that there ever was.
    const std::int64_t version = board_->read(id).value.version + (c.how % 4 == 3 ? c.how % 3 - 1 : 0);
    const std::string key = attempt_key({id, {1}});
    before_ = simulated_.world.board;
    switch (static_cast<Kind>(c.kind)) {
      case read_it: {
        const TicketId asked = c.how == 0 ? TicketId{"T-9"} : id;
        return compare("read", Call::board_read, board_->read(asked), simulated_.ask(ReadTicket{asked}));
      }
      case move_it: {
        if (to == BoardState::todo) return;  // no dispatcher's move: the effect cannot say it
        const auto there = board_->move({id, version, to, "because", key}, now);
        auto here =
            simulated_.ask(MoveTicket{id, bent(id, version), to, "because", bent_.forgets_who ? "" : key});
        return compare(std::string("move to ") + words_for(to), Call::board_move, there, here, id);
      }
      case return_it: {
        const auto certificate = kit::certificate_for({id, {1}});
        const auto there = board_->return_to_todo(certificate, version, "dead", now);
        const auto here = simulated_.ask(ReturnToTodo{certificate, bent(id, version), "dead"});
        return compare("return to todo", Call::board_return, there, here, id);
      }
      case comment_it: {
        const TicketId asked = c.how == 0 ? TicketId{"T-9"} : id;
        const auto there = board_->comment(asked, key + "-closed", "it ended", now);
        const auto here = simulated_.ask(CommentTicket{asked, key + "-closed", "it ended"});
        return judge.compare("comment", {{"outcome", kind_of(Call::board_comment, there.raw)}},
                             {{"outcome", kind_of(Call::board_comment, here.raw)}});
      }
      case read_changes: {
        const auto there = board_->changes_after(cursors_.first, 1000).value;
        const auto here = Simulated::value<BoardChanges>(simulated_.ask(ReadBoard{cursors_.second}));
        Facts a, b;
        for (const BoardTicket& one : there.tickets) describe(a, one);
        for (const BoardTicket& one : here.tickets) describe(b, one);
        cursors_ = {there.cursor, here.cursor};
        return judge.compare("changes", a, b);
      }
      case person_moves: {
        // What the file refuses a person is no board's business here: see board-guards-todo.
        if (board_->read(id).value.state == to || !desk_->move(id, to, "by hand", "", now)) return;
        return sim::move_ticket(simulated_.world, id, to, sim::by_person, "by hand", "");
      }
      case person_edits: {
        const std::string title = simulated_.world.board.tickets.at(id).title + "!";
        TicketEdit edit;
        edit.title = title;
        if (!desk_->edit(id, edit, now)) return;
        return sim::person_does(simulated_.world,
                                {sim::Do::person, static_cast<std::uint8_t>(c.whom % tickets),
                                 static_cast<std::uint8_t>(sim::Deed::edit), FaultId::none});
      }
      case attempt_opens: both([&](const LedgerWrite& w) { return w; }, kit::claim_of(id.value)); return;
      case attempt_ends: {
        const auto attempts = ledger_->attempts_of(id).value;
        if (attempts.empty()) return;
        for (const LedgerWrite& step : kit::way_to(kit::Stage::closed, attempts.back().id))
          both([&](const LedgerWrite& w) { return w; }, step);
        return;
      }
    }
  }

  Judge judge{"board"};

 private:
  template <class Same>
  void both(Same, LedgerWrite write) {
    if (auto* claim = std::get_if<Claim>(&write)) claim->token = "token";
    ledger_->write(write, simulated_.world.now);
    simulated_.ask(WriteLedger{write});
  }

  [[nodiscard]] std::int64_t bent(const TicketId& id, std::int64_t version) const {
    return bent_.whatever_version ? simulated_.world.board.tickets.at(id).version : version;
  }

  static void describe(Facts& facts, const BoardTicket& t) {
    const std::string& id = t.id.value;
    facts[id + " state"] = words_for(t.state);
    facts[id + " title"] = t.title;
    facts[id + " body"] = t.body;
    facts[id + " version"] = std::to_string(t.version);
    facts[id + " reason"] = t.reason;
    facts[id + " moved by"] = t.moved_by;
    facts[id + " changed at"] = std::to_string(t.changed_at.ms);
  }

  // The answer, and for a write also the ticket as it is read afterwards.
  void compare(const std::string& call, Call which, const Reply<BoardTicket>& there,
               const Simulated::Got& here, const TicketId& id = {}) {
    Facts a{{"outcome", kind_of(which, there.raw)}}, b{{"outcome", kind_of(which, here.raw)}};
    const auto ticket = Simulated::value<BoardTicket>(here);
    const bool guarded = a["outcome"] != b["outcome"];
    if (!there.value.id.empty() && !guarded) describe(a, there.value);
    if (!ticket.id.empty() && !guarded) describe(b, ticket);
    judge.compare(call, a, b);
    if (!guarded || id.empty()) return;
    // A difference that is known must not make everything after it another story: what it did is undone.
    simulated_.world.board = before_;
  }

  TempFolder folder_;
  Bent bent_;
  Simulated simulated_;
  std::unique_ptr<SqliteLedger> ledger_;
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<BuiltinBoard> board_;
  std::pair<std::int64_t, std::int64_t> cursors_;
  sim::BoardStore before_;
};

Judge play(const std::vector<Command>& sequence, const Bent& bent = {}) {
  Boards boards(bent);
  for (const Command& c : sequence) {
    boards.run(c);
    if (!boards.judge.content()) break;
  }
  return boards.judge;
}

rc::Gen<std::vector<Command>> anything() {
  return commands({2, 6, 4, 1, 3, 3, 1, 2, 2}, tickets, 28);
}

TEST(BoardFidelity, TheSimulatedOneAgreesWithTheBuiltIn) {
  std::set<std::string_view> met;
  expect_agreement(anything(), 200, 60, [&](const std::vector<Command>& sequence) {
    const Judge judge = play(sequence);
    met.insert(judge.met().begin(), judge.met().end());
    return judge;
  });
  expect_all_met("board", met);
}

TEST(BoardTwins, AreFound) {
  for (const Bent bent : {Bent{.whatever_version = true}, Bent{.forgets_who = true}}) {
    const int found =
        sequences_until_caught(anything(), 50, 60, [&](const auto& s) { return play(s, bent); });
    EXPECT_GT(found, 0) << "whatever_version " << bent.whatever_version;
  }
}

}  // namespace
}  // namespace holdfast::fidelity::of_boards
