// The fields of holdfast.json, listed once. The reader follows the list with a document in its hand, the
// schema is written from it, and the reference in docs/ is checked against it, so that none of them can know
// a field that the others do not.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/config/config.h"

namespace holdfast {

// What stands in the file, before paths are resolved.
struct Draft {
  std::string repository, target = "main", remote, state = "state";
  std::string start_from;                      // "", "target", "remote"
  std::map<std::string, std::string> extends;  // profile -> what it was made from
  Config config;
};

struct Field {
  std::string_view key;
  std::string_view doc;  // one sentence, for the schema and the reference
};

// One visit per field. A visitor that reads changes the value; one that describes looks at it as the default.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void text(Field, std::string&, std::string_view pattern_words, bool (*fine)(std::string_view)) = 0;
  virtual void number(Field, int&, int least, int most) = 0;
  virtual void duration(Field, Duration&, Duration least, Duration most) = 0;
  virtual void bytes(Field, std::int64_t&) = 0;
  virtual void list(Field, std::vector<std::string>&, std::size_t most) = 0;
  virtual void table(Field, std::map<std::string, std::string>&) = 0;
  // The words in their order; `chosen` is the index.
  virtual void choice(Field, const std::vector<std::string_view>& words, std::size_t& chosen) = 0;
  virtual void section(Field, const std::function<void()>& inside) = 0;
  // A name of one that is known, or an object that begins with one and changes parts of it.
  virtual void shape(Field, BoardShape&, const std::function<void(BoardShape&)>& inside) = 0;
  // Named members of one kind. `make` answers the value that a member of this name starts from.
  virtual void profiles(Field, Draft&, const std::function<void(Profile&)>& inside) = 0;
};

void visit_fields(FieldVisitor&, Draft&);
void visit_profile(FieldVisitor&, Profile&);
void visit_shape(FieldVisitor&, BoardShape&);

bool is_plain_branch(
    std::string_view);  // a name that git takes for a branch, and nothing that it takes apart
bool is_profile_name(std::string_view);

// The profiles that every installation has: generic, shell, claude, codex.
const std::map<std::string, Profile>& built_in_profiles();

}  // namespace holdfast
