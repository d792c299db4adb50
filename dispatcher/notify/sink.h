// Where notices go.
#pragma once

#include <string>

#include "dispatcher/notify/notice.h"

namespace holdfast {

enum class Heard {
  yes,
  perhaps,  // no answer, or one that says "later": it is told again, and may then have been told twice
  refused,  // whoever is there does not want it: it is not told again
};
struct Telling {
  Heard heard = Heard::perhaps;
  std::string words;  // why not; one line
};

class Sink {
 public:
  virtual ~Sink() = default;
  // Returns within a bound of its own, a few seconds. Called from one thread.
  virtual Telling tell(const Notice&, const std::string& id, const std::string& body) = 0;
};

}  // namespace holdfast
