// What a value is made of, as a fingerprint of 128 bits in which numbers without a meaning of their own are
// replaced by what they are good for.
//
// Times enter as differences to the clocks that they are compared with, up to the longest wait that anybody
// compares them with; versions, cursors and the like as their order among each other. docs/state-model.md
// says for every field that is treated so why nothing is lost by it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "dispatcher/core/ids.h"
#include "dispatcher/core/instant.h"
#include "sim/base/digest.h"

namespace holdfast::sim {

// Numbers that are compared with others of their kind (and of the same ticket, where they are a ticket's),
// and with nothing else. Times of sightings and of listings (with the question of one that is on
// its way) are, besides having an age.
enum class Count : std::uint8_t { revision, version, cursor, server, queued, sighting, listing };
inline constexpr std::size_t counts = 7;

// How a runtime ended. Codes and signals are passed on and asked by nobody; what counts is whether they are
// the true ones, until the death is in the ledger. So they stand in a key as the number of the attempt's
// runtime that ended so.
struct FoldedEnd {
  std::optional<int> exit_code, signal;
  friend bool operator==(const FoldedEnd&, const FoldedEnd&) = default;
};
struct TrueEnd {
  AttemptId attempt;
  FoldedEnd end;
  bool recorded = false;
};

// What values are held against while they are folded.
struct Surroundings {
  std::vector<Instant> clocks;  // the present by everybody's clock; the first is the true one
  // There is one dispatcher, so what the ledger holds is asked by nobody who does not know how far the
  // attempt is.
  bool alone = false;
  std::vector<TrueEnd> ends;
  std::vector<std::int64_t> changed;  // the numbers of each ticket's last change in the ledger
  std::int64_t last_change = 0;
  bool servers_stay = false;                      // every tmux server runs, and will run
  std::vector<std::uint64_t> may_hear_otherwise;  // dispatchers, from an answer that is on its way
};

class Fold {
 public:
  explicit Fold(const Surroundings& around) : around_(&around) {}
  Fold(const Surroundings&&) = delete;
  [[nodiscard]] bool alone() const { return around_->alone; }
  // A mind that reads more than the shipped one does leaves nothing out.
  void whole() { whole_ = true; }
  [[nodiscard]] bool servers_stay() const {
    const bool hears =
        std::ranges::find(around_->may_hear_otherwise, by_) != around_->may_hear_otherwise.end();
    return around_->servers_stay && !hears && !whole_;
  }
  // Whether the sightings that come next show a runner that can still act: then it lives, whatever else was
  // seen.
  void shows_life(bool it_does) { shows_life_ = it_does && !whole_; }
  [[nodiscard]] bool shows_life() const { return shows_life_; }

  void end(const FoldedEnd& one) {
    const auto& ends = around_->ends;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].attempt != about_) continue;
      if (ends[i].recorded) return number(0);
      if (ends[i].end == one) return number(1 + i);
    }
    number(1000 + static_cast<std::uint64_t>(one.exit_code.value_or(-1)));
    number(static_cast<std::uint64_t>(one.signal.value_or(-1)));
  }

  void number(std::uint64_t value) { digest_.add(value); }
  void text(std::string_view value) { digest_.add(value); }
  void count(Count kind, std::int64_t value) { count(kind, std::uint64_t{0}, value); }
  void count(Count kind, const TicketId& of, std::int64_t value) { count(kind, number_of(of), value); }
  void count(Count kind, std::uint64_t scope, std::int64_t value) {
    digest_.add(value == 0 ? 0 : 1);
    if (value != 0) counted_[static_cast<std::size_t>(kind)].emplace_back(scope, value);
  }
  // How old it is; older than `limit` is all the same.
  void age(Instant at, Duration limit) {
    if (!at.set()) return digest_.add(unset);
    for (const Instant now : around_->clocks)
      digest_.add(static_cast<std::uint64_t>(std::clamp((now - at).ms, -horizon.ms, limit.ms)));
  }
  // Who has read the ledger up to there: what has changed since.
  void read_up_to(std::int64_t sequence) {
    for (const std::int64_t changed : around_->changed) digest_.add(changed > sequence ? 1 : 0);
    digest_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, sequence - around_->last_change)));
  }
  // Which of its kind came first.
  void in_order(Count kind, const TicketId& of, Instant at) { count(kind, of, at.ms); }
  // What was listed is held against the question of a listing that is still on its way: whether that was
  // asked earlier. Asked in the same moment is as good as later.
  void listed(Instant at) { count(Count::listing, by_, at.ms * 2); }
  void listing_asked(Instant at) { count(Count::listing, by_, at.ms * 2 + 1); }
  void sighting(Instant at) { in_order(Count::sighting, about_.ticket, at); }
  // Which dispatcher's listings come next.
  void by(int dispatcher) { by_ = static_cast<std::uint64_t>(dispatcher); }
  // Whose sightings and whose end come next.
  void about(AttemptId attempt) { about_ = std::move(attempt); }
  [[nodiscard]] const AttemptId& about() const { return about_; }
  // How far ahead it is; what has come is the same as what was never set.
  void ahead(Instant at) {
    for (const Instant now : around_->clocks)
      digest_.add(
          at.set() ? static_cast<std::uint64_t>(std::clamp<std::int64_t>((at - now).ms, 0, horizon.ms)) : 0);
  }
  [[nodiscard]] bool is_ahead(Instant at) const {
    return std::ranges::any_of(around_->clocks, [&](Instant now) { return at > now; });
  }
  // Whether a far wait that began then is over (sim/explore/prove_setup.cc), or it is still to come.
  void far_age(Instant at) {
    for (const Instant now : around_->clocks) {
      const Duration old = now - at;
      digest_.add(!at.set() ? 0 : old.ms < 0 ? 1 : old < half_way_to_far ? 2 : 3);
    }
  }
  void whether_set(Instant at) { digest_.add(at.set() ? 1 : 0); }
  [[nodiscard]] Digest digest() const {
    Digest whole = digest_;
    Counted order;
    for (const Counted& values : counted_) {
      order = values;
      std::ranges::sort(order);
      order.erase(std::ranges::unique(order).begin(), order.end());
      for (const auto& one : values) {
        const auto first = std::ranges::lower_bound(order, one.first, {}, &Counted::value_type::first);
        whole.add(static_cast<std::uint64_t>(std::ranges::lower_bound(order, one) - first));
      }
    }
    return whole;
  }

  // Farther ahead than this is far: longer than every wait that is not one of the far ones.
  static constexpr Duration horizon = seconds(90);
  // Farther away than any sum of short waits, and nearer than the far ones.
  static constexpr Duration half_way_to_far = minutes(std::int64_t{60} * 24);

 private:
  static constexpr std::uint64_t unset = 0x7FFF'FFFF'FFFF'FFFFULL;

  const Surroundings* around_;
  bool whole_ = false, shows_life_ = false;
  AttemptId about_;
  std::uint64_t by_ = 0;
  Digest digest_;
  using Counted = std::vector<std::pair<std::uint64_t, std::int64_t>>;  // of which ticket or dispatcher
  static std::uint64_t number_of(const TicketId& ticket) {
    Digest number;
    number.add(ticket.value);
    return ticket.empty() ? 0 : number.low;
  }
  std::array<Counted, counts> counted_;
};

}  // namespace holdfast::sim
