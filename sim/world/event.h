// One step of the simulated world. What may happen next is a list of these; which one does is the explorer's
// choice. An event names its subject by index, for speed; in traces it is written in words that stay true
// when earlier events are taken out (sim/world/names.h).
#pragma once

#include <compare>
#include <cstdint>

#include "faults/fault.h"

namespace holdfast::sim {

enum class Do : std::uint8_t {
  hold,    // the next part of a flight's effect takes hold (with a fault: in that fault's cell)
  vanish,  // a request whose sender died never left
  reply,   // a flight's answer reaches its dispatcher
  news,    // pending notifications reach a dispatcher
  think,   // a dispatcher's timer is due
  runner,  // a runner's next step
  worker,  // a worker's act: `what` is an Act
  time,    // time passes to the next moment at which something is due, and `what` minutes at least
  crash,   // a dispatcher dies
  start,   // a dispatcher starts
  resume,
  strike,  // the world does a fault by itself: subject and meaning depend on it
  person,  // `what` is a Deed
};

enum class Act : std::uint8_t {
  get_ready,
  read_input,
  say_done,
  say_review,
  ask,
  chat,
  commit,
  change,  // an uncommitted change
  fork_child,
  child_ends,
  exit_well,
  exit_badly,
  crash,
  die_of_term,
  die_of_kill,
  wake,  // SIGCONT
};

enum class Deed : std::uint8_t {
  set_todo,
  cancel,
  set_done,
  to_backlog,
  reopen,
  edit,
  remove,
  wish_stop,
  wish_cancel,
  wish_park,
  answer,  // to a QUESTION
  attach,
  detach,
  end_session,
  land_by_merge,
  land_by_squash,
  push,  // something of somebody else's lands while we do
};

struct Event {
  Do what_kind = Do::time;
  std::uint8_t subject = 0;
  std::uint8_t what = 0;
  FaultId fault = FaultId::none;
  friend auto operator<=>(const Event&, const Event&) = default;
};

}  // namespace holdfast::sim
