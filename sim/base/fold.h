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
// and with nothing else. Times of sightings (with the spawn) and of listings (with the spawn, and with the
// question of one that is on its way) are, besides having an age.
enum class Count : std::uint8_t {
  revision,
  version,
  cursor,
  sequence,
  server,
  queued,
  sighting,
  listing,
  spawn
};
inline constexpr std::size_t counts = 9;

class Fold {
 public:
  // `clocks`: the present by everybody's clock; the first is the true one. `alone`: there is one dispatcher,
  // so what the ledger holds is asked by nobody who does not know how far the attempt is.
  explicit Fold(std::vector<Instant> clocks, bool alone = false)
      : clocks_(std::move(clocks)), alone_(alone) {}
  [[nodiscard]] bool alone() const { return alone_; }

  // How each runtime truly ended. Codes and signals are passed on and asked by nobody; what counts is whether
  // they are the true ones, until the death is in the ledger. So they stand in a key as the number of the
  // attempt's runtime that ended so.
  struct End {
    std::optional<int> exit_code, signal;
    friend bool operator==(const End&, const End&) = default;
  };
  struct TrueEnd {
    AttemptId attempt;
    End end;
    bool recorded = false;
  };
  void ends(std::vector<TrueEnd> all) { ends_ = std::move(all); }
  void end(const End& one) {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      if (ends_[i].attempt != about_) continue;
      if (ends_[i].recorded) return number(0);
      if (ends_[i].end == one) return number(1 + i);
    }
    number(1000 + static_cast<std::uint64_t>(one.exit_code.value_or(-1)));
    number(static_cast<std::uint64_t>(one.signal.value_or(-1)));
  }

  void number(std::uint64_t value) { digest_.add(value); }
  void text(std::string_view value) { digest_.add(value); }
  void count(Count kind, std::int64_t value) { count(kind, {}, value); }
  void count(Count kind, const TicketId& of, std::int64_t value) {
    digest_.add(value == 0 ? 0 : 1);
    if (value != 0) counted_[static_cast<std::size_t>(kind)].emplace_back(number_of(of), value);
  }
  // How old it is; older than `limit` is all the same.
  void age(Instant at, Duration limit) {
    if (!at.set()) return digest_.add(unset);
    for (const Instant now : clocks_)
      digest_.add(static_cast<std::uint64_t>(std::clamp((now - at).ms, -horizon.ms, limit.ms)));
  }
  // Which of its kind came first.
  void in_order(Count kind, const TicketId& of, Instant at) { count(kind, of, at.ms); }
  // What was listed, and when it was spawned, are held against the question of a listing that is still on its
  // way: whether that was asked earlier. Asked in the same moment is as good as later.
  void listed(Instant at) { count(Count::listing, at.ms * 2); }
  void spawned(const TicketId& of, Instant at) { count(Count::spawn, of, at.ms * 2); }
  void listing_asked(Instant at) { count(Count::listing, at.ms * 2 + 1); }
  void listing_asked(const TicketId& of, Instant at) { count(Count::spawn, of, at.ms * 2 + 1); }
  // Whose sightings and whose end come next.
  void about(AttemptId attempt) { about_ = std::move(attempt); }
  [[nodiscard]] const AttemptId& about() const { return about_; }
  // How far ahead it is; what has come is the same as what was never set.
  void ahead(Instant at) {
    for (const Instant now : clocks_)
      digest_.add(
          at.set() ? static_cast<std::uint64_t>(std::clamp<std::int64_t>((at - now).ms, 0, horizon.ms)) : 0);
  }
  [[nodiscard]] bool is_ahead(Instant at) const {
    return std::ranges::any_of(clocks_, [&](Instant now) { return at > now; });
  }
  // Whether a far wait that began then is over (sim/explore/prove_setup.cc), or it is still to come.
  void far_age(Instant at) {
    for (const Instant now : clocks_) {
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

  std::vector<Instant> clocks_;
  bool alone_ = false;
  std::vector<TrueEnd> ends_;
  AttemptId about_;
  Digest digest_;
  using Counted = std::vector<std::pair<std::uint64_t, std::int64_t>>;  // of which ticket, by its number
  static std::uint64_t number_of(const TicketId& ticket) {
    Digest number;
    number.add(ticket.value);
    return ticket.empty() ? 0 : number.low;
  }
  std::array<Counted, counts> counted_;
};

}  // namespace holdfast::sim
