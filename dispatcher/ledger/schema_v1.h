// Version 1 of the file. Never changes; see schema.h.
#pragma once

namespace holdfast::sqlite {
extern const char* const schema_v1;
}  // namespace holdfast::sqlite
