// Version 2 of the file: what became of each ticket, and by whom. Never changes; see schema.h.
#pragma once

namespace holdfast::sqlite {
extern const char* const schema_v2;
}  // namespace holdfast::sqlite
