// An answer is in its row once the request is answered; until then the row says that it was begun.
#include "dispatcher/ledger/schema_v3.h"

namespace holdfast::sqlite {

const char* const schema_v3 = R"sql(
CREATE TABLE kept_answers(
  key TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 80),
  request TEXT NOT NULL,
  begun_at INTEGER NOT NULL,
  status INTEGER CHECK (status BETWEEN 100 AND 599),
  type TEXT,
  headers TEXT,
  body TEXT,
  CHECK ((status IS NULL) = (body IS NULL))
) STRICT;
CREATE INDEX kept_answers_by_age ON kept_answers(begun_at);
)sql";

}  // namespace holdfast::sqlite
