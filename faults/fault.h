// One fault: a name that never changes, what it is, and what it does.
//
// Wherever possible a fault is a cell of a small matrix at a named port call: did the effect happen, and
// which reply came back? The rest are things that the world, a clock or a person does by itself. A fault says
// what goes wrong, never how: the simulated form is in sim/world, the real form in faults/ (signals, proxies,
// shims).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "dispatcher/core/effects.h"

namespace holdfast {

// DO NOT REORDER: traces and scenarios name them by their letters and numbers.
enum class FaultId : std::uint8_t {
  none,
  A1,
  A2,
  A3,
  A4,
  A5,
  A6,
  A7,
  A8,
  A9,
  A10,
  A11,
  A12,
  B1,
  B2,
  B3,
  B4,
  B5,
  B6,
  B7,
  B8,
  B9,
  B10,
  B11,
  B12,
  B13,
  C1,
  C2,
  C3,
  C4,
  C5,
  C6,
  C7,
  C8,
  C9,
  C10,
  C11,
  C12,
  C13,
  C14,
  C15,
  D1,
  D2,
  D3,
  D4,
  D5,
  D6,
  D7,
  D8,
  D9,
  D10,
  D11,
  D12,
  D13,
  D14,
  D15,
  E1,
  E2,
  E3,
  E4,
  E5,
  E6,
  E7,
  E8,
  E9,
  F1,
  F2,
  F3,
  F4,
  F5,
  F6,
  F7,
  G1,
  G2,
  G3,
  G4,
  G5,
  G6,
};
inline constexpr std::size_t fault_ids = static_cast<std::size_t>(FaultId::G6) + 1;

// What becomes of the effect ...
enum class Happens : std::uint8_t {
  no,
  yes,
  partly,  // some of its parts, where it has several
  later,   // after its caller was told that no answer came, perhaps after its caller is gone
  twice,
};
// ... and which reply comes back.
enum class Comes : std::uint8_t {
  truth,    // the right one
  refusal,  // words that mean "this changed nothing" (false, where the effect happened)
  error,    // words that say nothing certain
  nothing,  // the deadline passes
  stale,    // what was true some time ago
  wrong,    // a wrong value in the right form
};
struct Cell {
  Happens effect = Happens::yes;
  Comes reply = Comes::truth;
  friend bool operator==(const Cell&, const Cell&) = default;
};

// Who does it.
enum class Actor : std::uint8_t {
  port,        // a port call's cell
  world,       // processes, servers, files, other tools
  person,      // somebody with a board, a terminal or a git client
  dispatcher,  // it dies, stands still, or is there twice
  clock,
  worker,   // what a worker does by its own nature (G)
  setting,  // a circumstance of the whole run: names that are prefixes of one another, a small pool
};

struct Fault {
  FaultId id = FaultId::none;
  std::string_view title;
  Actor actor = Actor::world;
  std::vector<Call> calls;  // where it strikes, for port faults; for others the calls that it endangers
  Cell cell;
  std::string_view parameters;  // what a trigger may set besides the time
  std::string_view simulated;   // its form in the simulated world, in one line
  std::string_view real;        // its real form, in one line
  std::string_view seen_in;     // public field reports: repository#issue
  std::string_view one_sided;   // why it has one form only; empty: it has both
};

// In order of id; entry 0 is `none`.
const std::vector<Fault>& catalogue();
const Fault& fault(FaultId);
std::string_view name_of(FaultId);  // "C13"
std::optional<FaultId> fault_named(std::string_view);
char family_of(FaultId);  // 'A' ... 'G'

// A set of faults as bits.
class FaultSet {
 public:
  static FaultSet all();
  [[nodiscard]] bool has(FaultId id) const { return (bits_[word(id)] >> bit(id)) & 1U; }
  void add(FaultId id) { bits_[word(id)] |= std::uint64_t{1} << bit(id); }
  void remove(FaultId id) { bits_[word(id)] &= ~(std::uint64_t{1} << bit(id)); }
  [[nodiscard]] bool empty() const { return bits_[0] == 0 && bits_[1] == 0; }
  friend bool operator==(const FaultSet&, const FaultSet&) = default;

 private:
  static std::size_t word(FaultId id) { return static_cast<std::size_t>(id) / 64; }
  static unsigned bit(FaultId id) { return static_cast<unsigned>(id) % 64; }
  std::uint64_t bits_[2] = {0, 0};
};

}  // namespace holdfast
