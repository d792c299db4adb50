// What the open runtimes' terminals show, drawn anew where something was written: what the stream of screens
// tells.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace holdfast::server {

struct ApiParts;

struct DrawnScreen {
  std::int64_t stream_bytes = -1;  // so many bytes were written when it was drawn
  std::string phase;
  std::string text;  // JSON, as `runtimes/{id}/screen` answers it
};
using DrawnScreens = std::map<std::string, DrawnScreen>;  // by runtime

// Only what has changed since the last call is drawn; where the ledger does not answer, all stays as it is.
void draw_screens(const ApiParts&, DrawnScreens&);

}  // namespace holdfast::server
