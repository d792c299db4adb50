#include "dispatcher/board/board_file.h"

#include <sqlite3.h>

namespace holdfast::sqlite {

int http_code(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return http_busy;
    case SQLITE_FULL:
    case SQLITE_READONLY: return http_out_of_storage;
    case SQLITE_CONSTRAINT: return http_conflict;
    default: return http_internal;
  }
}

bool is_constraint(const Failure& failure) {
  return (failure.code & 0xff) == SQLITE_CONSTRAINT;
}

std::string words_of(const std::string& path, const Failure& failure) {
  return is_constraint(failure) ? failure.words : storage_words(path, failure);
}

}  // namespace holdfast::sqlite
