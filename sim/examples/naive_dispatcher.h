// A dispatcher as one writes it on a good day: claim, spawn, send, watch; and where something on the way
// answers with an error, the ticket goes back to todo. That is the founding incident. It is here to be
// caught, and as an example of what the simulator needs of a dispatcher that is not ours
// (sim/dispatcher_under_test.h). docs/simulator.md walks through it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "sim/dispatcher_under_test.h"

namespace holdfast::sim {

class NaiveDispatcher : public DispatcherUnderTest {
 public:
  explicit NaiveDispatcher(Policy policy) : policy_(std::move(policy)) {}
  [[nodiscard]] std::unique_ptr<DispatcherUnderTest> copy() const override {
    return std::make_unique<NaiveDispatcher>(*this);
  }
  void absorb(const Answer&) override;
  void absorb(const News&) override { read_board_at_ = {}; }
  std::vector<Effect> next_effects(Instant now) override;
  [[nodiscard]] Instant next_wake() const override;
  [[nodiscard]] std::string belief(const TicketId&) const override;

 private:
  // One after the other. What fails up to `send` is taken for a failed spawn; later steps are repeated.
  enum class Stage {
    idle,
    claim,
    tell,
    prepare,
    orders,
    announce,
    spawn,
    born,
    go,
    until_ready,
    send,
    watch,
    died,
    salvage,
    end_session,
    give_back,
    close,
    report,
    settle,
    put_back,
  };
  struct Job {
    Stage stage = Stage::idle;
    bool busy = false;  // its effect is in flight
    Instant wait_until;
    BoardTicket board;
    std::optional<Attempt> attempt;
    Prepared worktree;
    SpawnedPane pane;
    Sightings seen;
  };
  [[nodiscard]] std::optional<Effect> effect_for(const Job&) const;
  void done(Job&, const Answer&) const;
  void prepare_installation(const Answer&);

  Policy policy_;
  Instant now_;
  std::map<TicketId, Job> jobs_;
  std::vector<Effect> to_do_{EnsurePool{policy_.capacity, policy_.start}};  // of the installation
  int in_flight_ = 0;                                                       // of those
  bool ready_ = false;
  std::int64_t cursor_ = 0;
  Instant read_board_at_;
  bool reading_ = false;
};

DispatcherMaker naive_dispatcher();

}  // namespace holdfast::sim
