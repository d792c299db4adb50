#include "dispatcher/cli/look.h"

#include <algorithm>

namespace holdfast::cli {
namespace {

// A person waits for it, and what does not answer now is said to be silent, not dead.
constexpr Duration longest_call = seconds(4);

Deadlines deadlines(const Config& config) {
  return {std::min(config.policy.call_deadline, longest_call), config.policy.git_deadline,
          config.pool_deadline};
}

}  // namespace

OwnLook::OwnLook(const Config& whose, std::unique_ptr<Installation> opened, std::unique_ptr<Desk> its_desk)
    : LookAround(opened->world(), *its_desk, whose.policy, deadlines(whose)),
      config(whose),
      parts(std::move(opened)),
      own_desk(std::move(its_desk)) {}

Or<std::unique_ptr<OwnLook>> look_around(const Config& config, bool worktrees) {
  auto parts = open_installation(config, LedgerMode::read_only);
  if (!parts) return std::unexpected(parts.error());
  auto desk = open_desk(places_of(config).ledger, LedgerMode::read_only);
  if (!desk) return bad(desk.error());
  auto look = std::make_unique<OwnLook>(config, std::move(*parts), std::move(*desk));
  look->hindrances = read_hindrances(config.state);
  look->look(worktrees);
  return look;
}

std::vector<Finding> find_what_is_broken(OwnLook& look) {
  std::vector<Finding> found;
  if (const auto fine = check_surroundings(look.config); !fine)
    found.push_back({Weight::problem, "surroundings", "", fine.error().words, ""});
  if (const std::string broken = look.parts->ledger().what_is_broken(); !broken.empty())
    found.push_back(
        {Weight::problem, "ledger", "", broken, "restore a backup; running workers are found again"});
  return found;
}

}  // namespace holdfast::cli
