#include "dispatcher/board/dependency_cycle.h"

#include <algorithm>
#include <set>

namespace holdfast {

// Depth first with a path of its own: a chain of a hundred thousand tickets must not end the stack.
std::vector<TicketId> find_cycle(const Dependencies& graph) {
  struct Step {
    const TicketId* ticket;
    std::size_t next = 0;
  };
  std::set<TicketId> finished;
  for (const auto& [start, unused] : graph) {
    std::vector<Step> path{{&start}};
    std::set<TicketId> on_path{start};
    while (!path.empty()) {
      Step& here = path.back();
      const auto edges = graph.find(*here.ticket);
      if (finished.contains(*here.ticket) || edges == graph.end() || here.next == edges->second.size()) {
        finished.insert(*here.ticket);
        on_path.erase(*here.ticket);
        path.pop_back();
        continue;
      }
      const TicketId& to = edges->second[here.next++];
      if (finished.contains(to)) continue;
      if (on_path.insert(to).second) {
        path.push_back({&to});
        continue;
      }
      std::vector<TicketId> ring;
      const auto from = std::ranges::find_if(path, [&](const Step& s) { return *s.ticket == to; });
      for (auto step = from; step != path.end(); ++step) ring.push_back(*step->ticket);
      ring.push_back(to);
      return ring;
    }
  }
  return {};
}

}  // namespace holdfast
