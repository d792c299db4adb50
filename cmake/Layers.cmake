# holdfast_layer(NAME SOURCES ... USES layers... LIBRARIES outside... [PRECOMPILED heavy headers])
#   one static library; its headers are included as "dispatcher/NAME/x.h" from the top of the tree.
#   A few sources are compiled together (UNITY_BUILD): a clean build takes a third of the time, since most of it is the
#   reading of headers. The preset `clang` compiles each source alone, so that each includes what it needs.
# holdfast_tests(NAME SOURCES ... USES ... LIBRARIES ... [LABELS ...] [TIMEOUT seconds])
#   one GoogleTest binary, discovered test by test.
find_package(Threads REQUIRED)
find_package(GTest REQUIRED CONFIG)

function(holdfast_layer name)
  cmake_parse_arguments(L "" "" "SOURCES;USES;LIBRARIES;PRECOMPILED" ${ARGN})
  add_library(holdfast_${name} STATIC ${L_SOURCES})
  target_include_directories(holdfast_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  # One precompiled header for all layers, compiled with core, the first of them; a layer of heavy headers has its own.
  if(name STREQUAL "core" OR L_PRECOMPILED)
    target_precompile_headers(holdfast_${name} PRIVATE <algorithm> <array> <chrono> <compare> <cstdint> <functional> <map> <memory>
                              <optional> <set> <span> <string> <string_view> <utility> <variant> <vector> ${L_PRECOMPILED})
  else()
    target_precompile_headers(holdfast_${name} REUSE_FROM holdfast_core)
  endif()
  foreach(used IN LISTS L_USES)
    target_link_libraries(holdfast_${name} PUBLIC holdfast_${used})
  endforeach()
  target_link_libraries(holdfast_${name} PRIVATE ${L_LIBRARIES})
  holdfast_unity(holdfast_${name})
endfunction()

option(HOLDFAST_UNITY "Compile several sources of a layer together" ON)
function(holdfast_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${HOLDFAST_UNITY} UNITY_BUILD_BATCH_SIZE 12)
  if(HOLDFAST_UNITY)
    # Between sources that happen to be compiled together these two mean nothing; within one, the preset `clang` has them.
    target_compile_options(${target} PRIVATE -Wno-shadow
                           $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

include(GoogleTest)
# The tests that the thread sanitizer is for: ./test tsan builds these alone.
add_custom_target(holdfast-threads)
function(holdfast_tests name)
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;USES;LIBRARIES;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)  # whoever waits for a condition waits for a minute or two, and several times
  endif()
  add_executable(${name}_test ${T_SOURCES})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR})
  holdfast_unity(${name}_test)
  foreach(used IN LISTS T_USES)
    target_link_libraries(${name}_test PRIVATE holdfast_${used})
  endforeach()
  target_link_libraries(${name}_test PRIVATE ${T_LIBRARIES} GTest::gmock GTest::gtest_main Threads::Threads)
  gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
                       TEST_PREFIX "${name}." PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}")
  if("threads" IN_LIST T_LABELS)
    add_dependencies(holdfast-threads ${name}_test)
  endif()
endfunction()
