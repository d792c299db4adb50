// The installation that `prove` searches: a policy of few and coarse waits.
//
// Waits are short (those that the core and the runner have by themselves, at most a minute), or a little more
// than a minute (all that the policy has a say in: when one of those is over, everything seen before it is
// old), or far: so long that no sum of the others comes near them. Far are the polls: one that finds nothing
// new changes nothing, and what polls are for (news that never came) they do at the next long silence.
#include <algorithm>

#include "sim/explore/prove.h"

namespace holdfast::sim {
namespace {

constexpr Duration far_wait = minutes(std::int64_t{60} * 24 * 12);
constexpr Duration a_wait = seconds(61);
static_assert(a_wait > fresh_for);

}  // namespace

std::shared_ptr<const Setup> prove_setup(const ProveBounds& bounds, DispatcherMaker maker,
                                         const Defects& defects) {
  auto setup = std::make_shared<Setup>();
  Policy& p = setup->policy;
  p.capacity = std::min(bounds.tickets, 2);
  p.shards = 1;
  p.target = p.start = "refs/heads/main";
  p.gate = GatePolicy::land;
  p.attempts_max = bounds.attempts;
  p.free_deaths_max = bounds.attempts;
  p.setup_failures_max = bounds.attempts;
  p.board_every = p.servers_every = p.look_every = p.review_every = far_wait;
  p.unknown_shown_after = p.newborn_grace = p.backoff_first = p.backoff_max = a_wait;
  p.young = {};  // the breaker needs eight young deaths, more than any bound allows
  setup->longest_sleep = minutes(std::int64_t{60} * 24 * 20);
  setup->far = seconds(90);
  setup->past_far = minutes(std::int64_t{60} * 24 * 13);
  Profile profile;
  profile.name = "generic";
  profile.command = {"worker"};
  profile.finish_grace = profile.term_grace = profile.verify_within = profile.ready_within = a_wait;
  profile.quiet_after = {std::int64_t{1} << 50};
  p.profiles["generic"] = profile;
  for (int i = 0; i < bounds.tickets; ++i) {
    BoardTicket ticket;
    ticket.id = {i == 0 ? "T-1" : "T-1" + std::to_string(i - 1)};  // prefixes of one another
    ticket.title = "Do it";
    ticket.state = BoardState::todo;
    ticket.version = 1;
    setup->tickets.push_back(ticket);
  }
  setup->maker = std::move(maker);
  setup->defects = defects;
  setup->dispatchers = bounds.dispatchers;
  setup->worker = {
      .commits = bounds.commits, .lines = 0, .questions = 0, .changes = bounds.changes, .children = 0};
  setup->faults = bounds.kinds;
  setup->fault_budget = bounds.faults;
  setup->crash_budget = bounds.crashes;
  setup->person_budget = bounds.persons;
  return setup;
}

}  // namespace holdfast::sim
