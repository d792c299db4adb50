// A foreign board's JSON as tickets, by its shape, and what is sent to it. What cannot be read is said, never
// guessed: a ticket whose state nobody knows would be begun, or ended, by a mistake.
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/config/board_shape.h"
#include "dispatcher/core/board_ticket.h"

namespace holdfast::board_json {

using Json = nlohmann::json;

// nullptr: there is no such value (or null).
const Json* at(const Json&, const std::string& pointer);
std::string text_at(const Json&, const std::string& pointer);

// Milliseconds, or "2026-01-31T12:00:00Z" (with a fraction, perhaps).
std::optional<Instant> instant_from(const Json&);
std::string iso_8601(Instant);  // whole seconds, UTC

// Without version, state and moved_by for boards of labels, which have none that could be read by itself.
std::expected<BoardTicket, std::string> ticket_from(const Json&, const BoardShape&);

// The state that the labels and the open or closed of an issue say; and the labels that say it.
BoardState state_of_issue(const Json&, const BoardShape&);
std::optional<BoardState> state_of_label(std::string_view label, const BoardShape&);
std::vector<std::string> labels_of(const Json&, const BoardShape&);

// Sets the value at a pointer; nothing where the shape has no such thing.
void put(Json& into, const std::string& pointer, Json value);

std::string filled(std::string path, std::string_view name, std::string_view value);  // {name}, encoded

}  // namespace holdfast::board_json
