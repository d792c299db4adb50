// The HTTP interface of a running dispatcher: its own connections to the ledger's file, so that nobody who
// asks stands in the dispatcher's way.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dispatcher/cli/installation.h"
#include "dispatcher/core/board_ticket.h"

namespace holdfast::cli {

class FrontDoor {
 public:
  ~FrontDoor();                                      // closes all connections, and takes the address away
  [[nodiscard]] const std::string& address() const;  // "http://127.0.0.1:7878", for people

  struct Parts;
  explicit FrontDoor(std::unique_ptr<Parts>);

 private:
  std::unique_ptr<Parts> parts_;
};

// nullptr where the configuration wants none. Writes `http-address` into the state folder. `metrics` gives
// the text of /metrics and is called from threads of its own; empty: there is no such page.
// `tickets_elsewhere`: those of a board over HTTP as the dispatcher has last read them, likewise.
using TicketsElsewhere = std::function<std::shared_ptr<const std::vector<BoardTicket>>()>;
Or<std::unique_ptr<FrontDoor>> open_front_door(const Config&, std::function<std::string()> metrics,
                                               TicketsElsewhere tickets_elsewhere = {});

}  // namespace holdfast::cli
