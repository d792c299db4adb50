// A request and its answer as values, whatever carries them.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/hand/hand.h"
#include "dispatcher/rows/rows.h"

namespace holdfast::server {

struct HttpRequest {
  std::string method;                          // "GET"
  std::vector<std::string> path;               // decoded segments: {"api", "v1", "tickets", "T-1"}
  std::map<std::string, std::string> query;    // decoded; of a repeated name the last one counts
  std::map<std::string, std::string> headers;  // names in small letters
  std::string body;

  [[nodiscard]] std::optional<std::string> header(const std::string& name) const;
  [[nodiscard]] std::optional<std::string> asked(const std::string& name) const;  // in the query
};

struct HttpAnswer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// The target of a request line: nothing where it is not a path of this server (an absolute form, a bad
// escape, a control character, "..").
struct Target {
  std::vector<std::string> path;
  std::map<std::string, std::string> query;
};
std::optional<Target> parse_target(std::string_view);

HttpAnswer json_answer(int status, const Json&);
// RFC 9457, with a stable `code` for programs.
HttpAnswer problem(int status, std::string_view code, std::string_view words);
HttpAnswer problem(int status, std::string_view code, std::string_view words,
                   const Json& more);  // more fields
HttpAnswer problem(const Refusal&);

}  // namespace holdfast::server
