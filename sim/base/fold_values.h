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
#include "sim/base/fold.h"

namespace holdfast::sim {

inline void fold_value(Fold& fold, Instant at) {
  fold.time(at);
}
inline void fold_value(Fold& fold, const std::string& text) {
  fold.text(text);
}
template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
void fold_value(Fold& fold, T value) {
  fold.number(static_cast<std::uint64_t>(value));
}
void fold_value(Fold& fold, const DeathCertificate&);
void fold_value(Fold& fold, const Doubt&);
void fold_value(Fold& fold, const MarkerReader&);
void fold_value(Fold& fold, const Policy&);
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
template <class... T>
void fold_value(Fold& fold, const std::variant<T...>& value) {
  fold.number(value.index());
  std::visit([&](const auto& one) { fold_value(fold, one); }, value);
}

}  // namespace holdfast::sim
