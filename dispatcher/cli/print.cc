#include "dispatcher/cli/print.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace holdfast::cli {

void print(const Shell& shell, const Json& j) {
  shell.out << j.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

void print_line(const Shell& shell, const Json& j) {
  shell.out << j.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n" << std::flush;
}

}  // namespace holdfast::cli
