// Notices as a program that is started for each: `notify-send`, or whatever the configuration names. No
// shell: its arguments are those of the configuration, with {kind}, {ticket}, {summary} and {words} replaced
// in them, and the whole notice is what it reads on its standard input.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dispatcher/core/instant.h"
#include "dispatcher/notify/sink.h"

namespace holdfast {

// The arguments for one notice. A text of others never becomes an option: where an argument begins with it
// and it begins with '-', a blank stands before it.
std::vector<std::string> arguments_for(const std::vector<std::string>& command, const Notice&);

// Exit status 0 is heard; anything else is perhaps. It is ended after `within`.
std::unique_ptr<Sink> make_desktop(std::vector<std::string> command, Duration within);

}  // namespace holdfast
