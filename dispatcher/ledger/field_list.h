// SQL from a list of fields. A row type has a function `fields(row, visit)` that calls visit("column", field)
// for each of its columns in one order; from it come the column list, the placeholders, the parameters and
// the reading.
#pragma once

#include <string>

#include "dispatcher/ledger/sqlite_connection.h"

namespace holdfast::sqlite {

// "a, b, c"
template <class Row, class Fields>
std::string columns(Fields fields) {
  std::string list;
  Row row;
  fields(row, [&](const char* name, auto&) { list += (list.empty() ? "" : ", ") + std::string(name); });
  return list;
}

// "?, ?, ?"
template <class Row, class Fields>
std::string placeholders(Fields fields) {
  std::string list;
  Row row;
  fields(row, [&](const char*, auto&) { list += list.empty() ? "?" : ", ?"; });
  return list;
}

// "a = ?, b = ?"
template <class Row, class Fields>
std::string assignments(Fields fields) {
  std::string list;
  Row row;
  fields(row,
         [&](const char* name, auto&) { list += (list.empty() ? "" : ", ") + std::string(name) + " = ?"; });
  return list;
}

template <class Row, class Fields>
std::string insert_into(const std::string& table, Fields fields) {
  return "INSERT INTO " + table + "(" + columns<Row>(fields) + ") VALUES (" + placeholders<Row>(fields) + ")";
}

template <class Row, class Fields>
void bind_fields(Query& query, const Row& row, Fields fields) {
  fields(row, [&](const char*, const auto& value) { query.bind_one(value); });
}

template <class Row, class Fields>
Row read_fields(Query& query, Fields fields) {
  Row row;
  query.read();  // from the first column
  fields(row, [&](const char*, auto& value) { query.read_one(value); });
  return row;
}

template <class Row, class Fields>
std::vector<Row> read_all(Query query, Fields fields) {
  std::vector<Row> rows;
  while (query.next()) rows.push_back(read_fields<Row>(query, fields));
  return rows;
}

template <class Row, class Fields>
std::optional<Row> read_first(Query query, Fields fields) {
  if (!query.next()) return std::nullopt;
  return read_fields<Row>(query, fields);
}

}  // namespace holdfast::sqlite
