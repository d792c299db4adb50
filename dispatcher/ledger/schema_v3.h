#pragma once

namespace holdfast::sqlite {

// What was answered to requests that named a key, so that a repeated one is answered alike and does nothing
// more.
extern const char* const schema_v3;

}  // namespace holdfast::sqlite
