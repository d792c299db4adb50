# holdfast_layer(NAME SOURCES ... USES layers... LIBRARIES outside... [PRECOMPILED heavy headers])
#   one static library; its headers are included as "dispatcher/NAME/x.h" from the top of the tree.
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
endfunction()

include(GoogleTest)
# The tests that the thread sanitizer is for: ./test tsan builds these alone.
add_custom_target(holdfast-threads)
function(holdfast_tests name)
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;USES;LIBRARIES;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_executable(${name}_test ${T_SOURCES})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR})
  foreach(used IN LISTS T_USES)
    target_link_libraries(${name}_test PRIVATE holdfast_${used})
  endforeach()
  target_link_libraries(${name}_test PRIVATE ${T_LIBRARIES} GTest::gmock GTest::gtest_main Threads::Threads)
  gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       TEST_PREFIX "${name}." PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}")
  if("threads" IN_LIST T_LABELS)
    add_dependencies(holdfast-threads ${name}_test)
  endif()
endfunction()
