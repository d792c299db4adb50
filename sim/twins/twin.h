// Broken twins: dispatchers and worlds with one small defect each, most of them from a real incident. The
// harness must catch every one, by the invariant that the defect breaks: an oracle that has never failed has
// shown nothing.
//
// The production binary holds none of this. A twin is the shipped dispatcher, wrapped: one answer is bent
// before it is absorbed, one thing that is known is changed before it decides, one effect before it leaves,
// or one value of its policy. Where the defect is in a port, the simulated port is built wrongly (Defects).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "sim/oracle/oracle.h"
#include "sim/shipped_dispatcher.h"

namespace holdfast::sim {

// The mind of a twin: the shipped brain, and what the defect itself has to remember.
struct TwinMind {
  Brain& brain;
  std::set<AttemptId>& marked;
  Instant now;
};

// Where a defect gets hold of the dispatcher. All optional.
struct Tampering {
  void (*policy)(Policy&) = nullptr;
  void (*answer)(TwinMind, Answer&) = nullptr;  // before it is absorbed
  bool drops_news = false;
  void (*knowledge)(TwinMind) = nullptr;                      // before it decides
  void (*effects)(TwinMind, std::vector<Effect>&) = nullptr;  // before they leave
};

struct Twin {
  std::string_view id;            // "revert-on-409"
  std::string_view title;         // what it does wrong, in one line
  std::string_view from;          // the incident or report that it is from; empty: none
  std::vector<Invariant> breaks;  // one of these must catch it
  Tampering tampering;
  Defects defects;
};

// In the order of their ids.
const std::vector<Twin>& twins();
const Twin* twin_named(std::string_view id);
DispatcherMaker maker_of(const Twin&);

// --- the registry's parts

std::vector<Twin> twins_of_the_send();     // spawning, delivering
std::vector<Twin> twins_of_the_verdict();  // who is alive, who is dead
std::vector<Twin> twins_of_the_end();      // ending, judging, telling the board
std::vector<Twin> twins_of_the_ports();    // tmux, git, ledger, record folders
std::vector<Twin> twins_of_whole_runs();   // what no single state shows

}  // namespace holdfast::sim
