# Compiler, linker and cache settings that hold for every target.
set(HOLDFAST_SANITIZE "" CACHE STRING "Comma-separated sanitizers: address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
  # What ccache needs to be told to work with precompiled headers, and in several checkouts of one tree. A source that
  # is newer than its compiler's start is not kept: it may have been edited meanwhile, and then the cache would give
  # out what was made of the old text for the new one.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()

# mold 1.10 cannot link clang's sanitizer runtimes reliably; lld is the second choice, bfd the last.
find_program(MOLD ld.mold)
find_program(LLD ld.lld-19)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND LLD)
  add_link_options(-fuse-ld=lld-19)
elseif(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
                    -Woverloaded-virtual -Wswitch-enum -Wimplicit-fallthrough -Werror)
add_compile_options(-fno-omit-frame-pointer -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
# A contract that is broken stops the program in release too.
add_compile_definitions($<$<CONFIG:Release>:_GLIBCXX_ASSERTIONS>)
add_compile_options($<$<CONFIG:Debug>:-Og>)

if(HOLDFAST_SANITIZE)
  add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
  add_compile_definitions(HOLDFAST_SANITIZED)
endif()
option(HOLDFAST_FUZZ "Instrument every layer for libFuzzer (clang)" OFF)
if(HOLDFAST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# g++ 12 follows flows through inlined standard containers that cannot happen, in optimised builds only, and warns of
# what std::string does inside; there its flow warnings are off. Debug builds of both compilers stop at every warning.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  foreach(flow maybe-uninitialized uninitialized restrict array-bounds stringop-overflow stringop-overread dangling-pointer
               free-nonheap-object nonnull null-dereference)
    add_compile_options($<$<CONFIG:Release>:-Wno-${flow}>)
  endforeach()
endif()
