# holdfast_layer(NAME SOURCES ... USES layers... LIBRARIES outside...)
#   one static library; its headers are included as "dispatcher/NAME/x.h" from the top of the tree.
# holdfast_tests(NAME SOURCES ... USES ... LIBRARIES ... [LABELS ...] [TIMEOUT seconds])
#   one GoogleTest binary, discovered test by test.
find_package(Threads REQUIRED)
find_package(GTest REQUIRED CONFIG)

add_library(holdfast_pch INTERFACE)
target_precompile_headers(holdfast_pch INTERFACE <algorithm> <array> <chrono> <compare> <cstdint> <functional> <map>
                          <memory> <optional> <set> <span> <string> <string_view> <utility> <variant> <vector>)

function(holdfast_layer name)
  cmake_parse_arguments(L "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(holdfast_${name} STATIC ${L_SOURCES})
  target_include_directories(holdfast_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(holdfast_${name} PRIVATE holdfast_pch)
  foreach(used IN LISTS L_USES)
    target_link_libraries(holdfast_${name} PUBLIC holdfast_${used})
  endforeach()
  target_link_libraries(holdfast_${name} PRIVATE ${L_LIBRARIES})
endfunction()

include(GoogleTest)
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
endfunction()
