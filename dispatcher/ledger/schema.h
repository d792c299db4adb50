// The schema's versions: one list of steps, each taking a file from one version to the next.
//
// PRAGMA user_version holds the version, PRAGMA application_id says that the file is ours. A step that has
// been released never changes; new ones are appended. Views for people are made anew after every step.
#pragma once

#include <span>
#include <string>

namespace holdfast::sqlite {

inline constexpr int application_id = 0x48464c44;  // "HFLD"

// steps()[n] makes version n+1 out of version n; version 0 is an empty file.
std::span<const char* const> schema_steps();
int newest_schema();

// Views with words instead of numbers, from core's words: runtimes_readable, slots_readable, ...
std::string readable_views();

}  // namespace holdfast::sqlite
