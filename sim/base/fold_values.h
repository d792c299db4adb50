// Folds any value of the core and of the simulated world into a state key, field by field. A field that is
// added to one of them later is in the key without anybody having to remember it.
#pragma once

#include <boost/pfr.hpp>
#include <concepts>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "dispatcher/core/certificate.h"
#include "dispatcher/core/markers.h"
#include "dispatcher/core/policy.h"
#include "dispatcher/core/schedule.h"
#include "sim/base/fold.h"

namespace holdfast::sim {

// Older than that is old for everybody (sim/explore/prove_setup.cc has no waits between it and the far ones).
inline constexpr Duration any_wait = {61'000};

inline void fold_value(Fold& fold, Instant at) {
  fold.age(at, any_wait);
}
inline void fold_value(Fold& fold, const std::string& text) {
  fold.text(text);
}
template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
void fold_value(Fold& fold, T value) {
  fold.number(static_cast<std::uint64_t>(value));
}
// Values with fields that mean less than they hold: sim/base/fold_values.cc.
// Young deaths are only counted, and their number is out of reach within any bounds.
inline void fold_value(Fold& fold, const Breaker& breaker) {
  fold_value(fold, breaker.open_until);
}
void fold_value(Fold& fold, const DeathCertificate&);
void fold_value(Fold& fold, const Doubt&);
void fold_value(Fold& fold, const MarkerReader&);
void fold_value(Fold& fold, const Policy&);
void fold_value(Fold& fold, const ServerIncarnation&);
void fold_value(Fold& fold, const Attempt&);
void fold_value(Fold& fold, const Message&);
void fold_value(Fold& fold, const Memory&);
void fold_value(Fold& fold, const LedgerEvent&);
void fold_value(Fold& fold, const TicketLedger&);
void fold_messages(Fold& fold, const Attempt& of, const std::vector<Message>&);
void fold_value(Fold& fold, const LedgerContents&);
void fold_value(Fold& fold, const LedgerDelta&);
void fold_value(Fold& fold, const BoardTicket&);
void fold_value(Fold& fold, const BoardChanges&);
void fold_value(Fold& fold, const RecordSighting&);
void fold_value(Fold& fold, const WorkerEnd&);
void fold_value(Fold& fold, const MoveTicket&);
void fold_value(Fold& fold, const ReturnToTodo&);
void fold_value(Fold& fold, const RecordAttention&);
void fold_value(Fold& fold, const Close&);
void fold_value(Fold& fold, const ReadLedgerChanges&);
void fold_value(Fold& fold, const ReadBoard&);
void fold_work(Fold& fold, const Work&, const Attempt& of);
void fold_value(Fold& fold, const Shard&);
void fold_value(Fold& fold, const Routine&);
template <class T>
void fold_value(Fold& fold, const Seen<T>&);
inline void fold_value(Fold&, std::monostate) {}

template <class T>
void fold_value(Fold&, const std::optional<T>&);
template <class T>
void fold_value(Fold&, const std::vector<T>&);
template <class T>
void fold_value(Fold&, const std::deque<T>&);
template <class T>
void fold_value(Fold&, const std::set<T>&);
template <class K, class V>
void fold_value(Fold&, const std::map<K, V>&);
template <class A, class B>
void fold_value(Fold&, const std::pair<A, B>&);
template <class... T>
void fold_value(Fold&, const std::variant<T...>&);

template <class T>
  requires std::is_aggregate_v<T> && std::is_class_v<T>
void fold_value(Fold& fold, const T& aggregate) {
  boost::pfr::for_each_field(aggregate, [&](const auto& field) { fold_value(fold, field); });
}

template <class Range>
void fold_each(Fold& fold, const Range& range) {
  fold.number(range.size());
  for (const auto& one : range) fold_value(fold, one);
}

template <class T>
void fold_value(Fold& fold, const std::optional<T>& value) {
  fold.number(value ? 1 : 0);
  if (value) fold_value(fold, *value);
}
template <class T>
void fold_value(Fold& fold, const std::vector<T>& values) {
  fold_each(fold, values);
}
template <class T>
void fold_value(Fold& fold, const std::deque<T>& values) {
  fold_each(fold, values);
}
template <class T>
void fold_value(Fold& fold, const std::set<T>& values) {
  fold_each(fold, values);
}
template <class K, class V>
void fold_value(Fold& fold, const std::map<K, V>& values) {
  fold_each(fold, values);
}
template <class A, class B>
void fold_value(Fold& fold, const std::pair<A, B>& value) {
  fold_value(fold, value.first);
  fold_value(fold, value.second);
}
template <class T>
void fold_value(Fold& fold, const Seen<T>& seen) {
  fold_value(fold, seen.what);
  // A listing counts as new for five seconds at most.
  fold.age(seen.at, std::is_same_v<T, PaneView> ? seconds(6) : any_wait);
  fold.in_order(Count::sighting, fold.about().ticket, seen.at);
}

// Every field but those that `special` says it has dealt with.
template <class T, class Special>
void fold_fields(Fold& fold, const T& value, const Special& special) {
  boost::pfr::for_each_field(value, [&](const auto& field) {
    if (!special(static_cast<const void*>(&field))) fold_value(fold, field);
  });
}

template <class... T>
void fold_value(Fold& fold, const std::variant<T...>& value) {
  fold.number(value.index());
  std::visit([&](const auto& one) { fold_value(fold, one); }, value);
}

}  // namespace holdfast::sim
