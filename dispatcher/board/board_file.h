// The board's way of working on the file: transactions whose failures are HTTP's numbers and one line of
// words.
#pragma once

#include <string>

#include "dispatcher/ledger/ledger_file.h"
#include "dispatcher/ledger/sqlite_connection.h"

namespace holdfast::sqlite {

inline constexpr int http_ok = 200, http_not_found = 404, http_conflict = 409, http_unprocessable = 422,
                     http_internal = 500, http_busy = 503, http_out_of_storage = 507;

int http_code(int sqlite_code);

// A constraint's own words; else storage_words().
std::string words_of(const std::string& path, const Failure&);
bool is_constraint(const Failure&);

}  // namespace holdfast::sqlite
