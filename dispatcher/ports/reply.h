// A port call's answer: the raw reply, which core/classify judges, and the value that the adapter parsed out
// of it. `value` means something only where the raw reply is classified as Done; otherwise it is empty.
#pragma once

#include "dispatcher/core/raw_reply.h"

namespace holdfast {

struct Nothing {
  friend bool operator==(const Nothing&, const Nothing&) = default;
};

template <class T>
struct Reply {
  RawReply raw;
  T value{};
};

}  // namespace holdfast
