// What a request says, read strictly, for the routes: fields, versions, numbers, and who asks.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/server/api.h"

namespace holdfast::server {

using Refused = std::unexpected<Refusal>;

Refused invalid(std::string words);
bool answered(const RawReply&);

// Who asks, for the record: a name that they give themselves. Whether they may ask is settled before.
std::string person_of(const HttpRequest&);
Hand hand_of(const ApiParts&, const HttpRequest&);
const std::string& named(const HttpRequest&);  // the {id} of the path

Taken<Json> object_in(const HttpRequest&);
Taken<std::string> reason_in(const HttpRequest&);  // {"reason": "..."}, and nothing else
Taken<std::string> text_in(const HttpRequest&);    // {"text": "..."}, which is needed

// Every field by its name and kind; one that is not known is a mistake, not a wish that is passed over.
class Fields {
 public:
  explicit Fields(Json object) : object_(std::move(object)) {}

  std::optional<std::string> text(const char* name);
  std::optional<std::int64_t> number(const char* name, std::int64_t most = 1'000'000);
  std::optional<bool> truth(const char* name);
  std::optional<std::vector<std::string>> texts(const char* name);
  std::optional<BoardState> state(const char* name);
  // After all fields were asked for: the first mistake.
  [[nodiscard]] std::optional<Refusal> mistake() const;

 private:
  const Json* take(const char* name);
  void wrong(const char* name, const std::string& expected);
  Json object_;
  std::vector<std::string> known_;
  std::string words_;
};

std::string etag_of(const BoardTicket&);
HttpAnswer ticket_answer(int status, const BoardTicket&);
// Of If-Match; nullopt: whatever it is now.
Taken<std::optional<std::int64_t>> version_wanted(const HttpRequest&);

// Of the query.
Taken<int> limit_asked(const HttpRequest&, int usual, int most);
Taken<std::int64_t> number_asked(const HttpRequest&, const char* name);
Taken<bool> yes_asked(const HttpRequest&, const char* name);  // "yes", "no", nothing

}  // namespace holdfast::server
